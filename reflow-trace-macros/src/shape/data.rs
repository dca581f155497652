//! A struct or enum that is sent: its variants, its fields, and what our attributes say about them.
//!
//! A type has no bodies, so it is parsed; what is emitted is the parsed item without our attributes.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::spanned::Spanned as _;
use syn::{Attribute, Data, DeriveInput, Fields};

use super::redaction::{self, Redaction};

use crate::diagnostics::Diagnostics;
use crate::options::Vocabulary;
use crate::options::sample::VariantOptions;

/// The annotated type.
pub(crate) struct MessageType {
    /// The item without our attributes.
    pub(crate) item: DeriveInput,
    /// The shapes a value can have: one for a struct, one per variant of an enum.
    pub(crate) shapes: Vec<Shape>,
    pub(crate) is_enum: bool,
}

/// One shape of a value.
pub(crate) struct Shape {
    /// `Self` or `Self::Variant`
    pub(crate) path: TokenStream,
    pub(crate) name: Ident,
    pub(crate) cfg: Vec<Attribute>,
    pub(crate) options: VariantOptions,
    pub(crate) fields: Vec<Field>,
}

/// One field of a shape.
pub(crate) struct Field {
    /// The name, or the number in a tuple.
    pub(crate) member: syn::Member,
    pub(crate) cfg: Vec<Attribute>,
    type_span: Span,
    pub(crate) is_id: bool,
    pub(crate) is_context: bool,
    pub(crate) is_attribute: bool,
    pub(crate) redact: Option<Redaction>,
    pub(crate) ty: syn::Type,
}

const ON_FIELD: Vocabulary = Vocabulary {
    owner: "`#[trace]` on a field",
    keys: &["id", "context", "attribute", "redact"],
    elsewhere: &[],
};

impl MessageType {
    /// Takes our attributes off the item and reads them.
    pub(crate) fn read(
        mut item: DeriveInput,
        diagnostics: &mut Diagnostics,
    ) -> Option<MessageType> {
        take(&mut item.attrs, "sample", |attribute| {
            diagnostics.on(
                attribute,
                "`#[sample]` is applied twice to this type: keep one, with all the options",
            );
        });
        take(&mut item.attrs, "trace", |attribute| {
            diagnostics.on(
                attribute,
                "`#[trace]` goes on a field here: the type itself has `#[sample]`",
            );
        });
        let mut shapes = Vec::new();
        match &mut item.data {
            Data::Struct(data) => {
                let fields = read_fields(&mut data.fields, diagnostics);
                let options = VariantOptions::default();
                shapes.push(Shape {
                    path: quote!(Self),
                    name: item.ident.clone(),
                    cfg: Vec::new(),
                    options,
                    fields,
                });
            }
            Data::Enum(data) => {
                for variant in &mut data.variants {
                    let name = &variant.ident;
                    let options = read_variant(&mut variant.attrs, diagnostics);
                    shapes.push(Shape {
                        path: quote!(Self::#name),
                        name: name.clone(),
                        cfg: cfg_of(&variant.attrs),
                        options,
                        fields: read_fields(&mut variant.fields, diagnostics),
                    });
                }
            }
            Data::Union(data) => {
                let message =
                    "`#[sample]` cannot go on a union: nobody knows which of its fields is there";
                diagnostics.at(data.union_token.span, message);
                return None;
            }
        }
        let is_enum = matches!(item.data, Data::Enum(_));
        redaction::complete(&item, &mut shapes, diagnostics);
        Some(MessageType {
            item,
            shapes,
            is_enum,
        })
    }

    /// Whether a field or a variant says something of its own.
    pub(crate) fn speaks(&self) -> bool {
        self.shapes.iter().any(|shape| {
            !shape.options.policy.is_empty()
                || shape.options.name.is_some()
                || shape.options.capture.is_some()
                || shape.fields.iter().any(Field::is_marked)
        })
    }
}

impl Shape {
    /// The pattern that binds `member` of this shape to `name`.
    pub(crate) fn binding(&self, member: &syn::Member, name: &Ident) -> TokenStream {
        let path = &self.path;
        quote!(#path { #member: #name, .. })
    }

    /// The pattern that matches this shape and binds nothing.
    pub(crate) fn pattern(&self) -> TokenStream {
        let path = &self.path;
        quote!(#path { .. })
    }
}

impl Field {
    fn is_marked(&self) -> bool {
        self.is_id || self.is_context || self.is_attribute || self.redact.is_some()
    }

    /// Our hygiene at the place of the field, for generated code whose mistakes are the field's.
    pub(crate) fn place(&self) -> Span {
        Span::mixed_site().located_at(self.type_span)
    }

    /// How a record calls the field.
    pub(crate) fn written_name(&self) -> String {
        match &self.member {
            syn::Member::Named(name) => name.to_string().trim_start_matches("r#").to_owned(),
            syn::Member::Unnamed(index) => index.index.to_string(),
        }
    }
}

fn read_variant(attributes: &mut Vec<Attribute>, diagnostics: &mut Diagnostics) -> VariantOptions {
    let mut found: Option<VariantOptions> = None;
    let mut again = Vec::new();
    take(attributes, "trace", |attribute| {
        diagnostics.on(
            attribute,
            "`#[trace]` goes on a field: a variant has `#[sample(..)]`",
        );
    });
    report_conditional(attributes, diagnostics);
    take(attributes, "sample", |attribute| {
        if found.is_some() {
            again.push(attribute.clone());
            return;
        }
        let Ok(list) = attribute.meta.require_list() else {
            let message = "`#[sample]` says nothing about this variant: write `#[sample(always)]`, `#[sample(never)]` or `#[sample(rate = 0.1)]`";
            diagnostics.on(attribute, message);
            return;
        };
        found = Some(VariantOptions::read(list.tokens.clone(), diagnostics));
    });
    for attribute in again {
        diagnostics.on(
            &attribute,
            "this variant has `#[sample]` twice: keep one, with all the options",
        );
    }
    found.unwrap_or_default()
}

fn read_fields(fields: &mut Fields, diagnostics: &mut Diagnostics) -> Vec<Field> {
    let mut read = Vec::new();
    let mut once: Vec<(&str, Span)> = Vec::new();
    for (index, field) in fields.iter_mut().enumerate() {
        let member = match &field.ident {
            Some(name) => syn::Member::Named(name.clone()),
            None => syn::Member::Unnamed(syn::Index::from(index)),
        };
        let (mut is_id, mut is_context, mut is_attribute) = (false, false, false);
        let mut redact = None;
        take(&mut field.attrs, "sample", |attribute| {
            diagnostics.on(attribute, "`#[sample]` goes on a type or a variant: a field has `#[trace(id)]`, `#[trace(context)]`, `#[trace(attribute)]` or `#[trace(redact)]`");
        });
        report_conditional(&mut field.attrs, diagnostics);
        take(&mut field.attrs, "trace", |attribute| {
            let Ok(list) = attribute.meta.require_list() else {
                let message = "`#[trace]` says nothing about this field: write `#[trace(id)]`, `#[trace(context)]`, `#[trace(attribute)]` or `#[trace(redact)]`";
                diagnostics.on(attribute, message);
                return;
            };
            for setting in ON_FIELD.read(list.tokens.clone(), diagnostics) {
                setting.must_be_bare(diagnostics);
                let kind = match setting.name.as_str() {
                    "id" => {
                        is_id = true;
                        "id"
                    }
                    "context" => {
                        is_context = true;
                        "context"
                    }
                    "redact" => {
                        redact = Some(Redaction::marked(setting.key));
                        continue;
                    }
                    _ => {
                        is_attribute = true;
                        continue;
                    }
                };
                if once.iter().any(|(earlier, _)| *earlier == kind) {
                    let message =
                        format!("a message has one `{kind}`: an earlier field is marked already");
                    diagnostics.on(&setting.key, message);
                }
                once.push((kind, setting.span()));
            }
        });
        read.push(Field {
            member,
            type_span: field.ty.span(),
            cfg: cfg_of(&field.attrs),
            is_id,
            is_context,
            is_attribute,
            redact,
            ty: field.ty.clone(),
        });
    }
    read
}

/// Removes every `#[name]` and hands it to `read`.
fn take(attributes: &mut Vec<Attribute>, name: &str, mut read: impl FnMut(&Attribute)) {
    attributes.retain(|attribute| {
        let segments = &attribute.path().segments;
        let ours = segments.last().is_some_and(|last| last.ident == name)
            && (segments.len() == 1 || segments[0].ident == "reflow_trace");
        if ours {
            read(attribute);
        }
        !ours
    });
}

/// `#[cfg_attr(.., sample(..))]`: the compiler would try to apply it later, to a place where it cannot go.
fn report_conditional(attributes: &mut Vec<Attribute>, diagnostics: &mut Diagnostics) {
    attributes.retain(|attribute| {
        let Some(name) = ["sample", "trace"].into_iter().find(|name| {
            attribute.path().is_ident("cfg_attr")
                && crate::shape::tokens::mention(&attribute.meta.to_token_stream(), name).is_some()
        }) else {
            return true;
        };
        let message = format!(
            "`#[{name}]` under a condition is not understood, because the condition is not known yet when the macro runs: put `#[cfg]` on two versions instead"
        );
        diagnostics.on(attribute, message);
        false
    });
}

fn cfg_of(attributes: &[Attribute]) -> Vec<Attribute> {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"))
        .cloned()
        .collect()
}
