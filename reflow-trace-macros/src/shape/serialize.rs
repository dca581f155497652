//! How a type is serialised, as far as its attributes tell: what `#[trace(redact)]` has to know.
//!
//! The derived `Serialize` reads `#[serde(..)]` on the type, its variants and its fields. A redacted field
//! gets a `serialize_with` of ours there, so the derive must come after us, and nothing above the field may
//! take the field's serialisation away from it.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Token};

use crate::diagnostics::Diagnostics;
use crate::shape::tokens::mention;

/// What serde is told of a field that is to be redacted.
#[derive(Default)]
pub(crate) struct SerdeOfField {
    /// It is never serialised.
    pub(crate) is_skipped: bool,
    /// Its own fields stand among those of the type.
    pub(crate) is_flattened: bool,
    /// It has bounds of its own.
    pub(crate) has_bound: bool,
    /// `with = "module"`
    pub(crate) with: Option<syn::LitStr>,
    /// `serialize_with = "function"`
    pub(crate) serialize_with: Option<syn::LitStr>,
}

/// Whether the derived `Serialize` is seen, so that it will read what we add. Where it is not, it has run before us, or
/// somebody wrote a `Serialize` by hand, or there is none.
///
/// A derive under `cfg_attr` is one by now, or gone: the compiler decides the conditions on a whole item before it asks
/// a macro.
pub(crate) fn is_derived_below(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("derive") && names_serialize(attribute.meta.to_token_stream())
    })
}

/// Whether `derive(..)` lists serde's `Serialize`; other crates have derives of that name behind their own.
fn names_serialize(derive: TokenStream) -> bool {
    let Ok(Meta::List(list)) = syn::parse2::<Meta>(derive) else {
        return false;
    };
    let paths = list.parse_args_with(Punctuated::<syn::Path, Token![,]>::parse_terminated);
    paths.is_ok_and(|paths| {
        paths.iter().any(|path| {
            let mut names = path.segments.iter().rev().map(|segment| &segment.ident);
            names.next().is_some_and(|last| last == "Serialize")
                && names
                    .next()
                    .is_none_or(|before| before.to_string().contains("serde"))
        })
    })
}

impl SerdeOfField {
    /// Reads what is said of the field, without changing it.
    pub(crate) fn read(attributes: &[Attribute], diagnostics: &mut Diagnostics) -> SerdeOfField {
        let mut read = SerdeOfField::default();
        for meta in serde_metas(attributes) {
            match name_of(&meta).as_str() {
                "skip" | "skip_serializing" => read.is_skipped = true,
                "flatten" => read.is_flattened = true,
                "bound" => read.has_bound |= bounds_serialize(&meta),
                "with" => read.with = path_in(&meta, diagnostics),
                "serialize_with" => read.serialize_with = path_in(&meta, diagnostics),
                _ => {}
            }
        }
        for attribute in conditional_serde(attributes) {
            let decides = ["with", "serialize_with", "flatten"]
                .into_iter()
                .find(|name| mention(&attribute.meta.to_token_stream(), name).is_some());
            if let Some(name) = decides {
                let text = format!(
                    "a redacted field cannot have `{name}` under a condition, which is not known yet when the macro runs: put `#[cfg]` on two versions of the field instead"
                );
                diagnostics.on(attribute, text);
            }
        }
        read
    }

    /// Takes away what `serialize_with` of ours stands for.
    pub(crate) fn without_functions(attributes: &mut Vec<Attribute>) {
        let mut kept: Vec<Attribute> = Vec::new();
        for attribute in attributes.drain(..) {
            let Some(metas) = metas_of(&attribute) else {
                kept.push(attribute);
                continue;
            };
            let rest: Vec<Meta> = metas
                .into_iter()
                .filter(|meta| !matches!(name_of(meta).as_str(), "with" | "serialize_with"))
                .collect();
            if !rest.is_empty() {
                kept.push(syn::parse_quote!(#[serde(#(#rest),*)]));
            }
        }
        *attributes = kept;
    }
}

/// Reports what would serialise redacted fields without asking them: `into` on a type, functions on a variant.
pub(crate) fn report_detours(
    attributes: &[Attribute],
    names: &[&str],
    diagnostics: &mut Diagnostics,
) {
    let text = |name: &str| {
        match name {
        "into" => "`into` serialises another type in place of this one, which would show the field marked `redact`: mark the field of that other type instead".to_owned(),
        _ => format!("`{name}` serialises the variant as a whole, and would show the field marked `redact`: put `{name}` on single fields"),
    }
    };
    for meta in serde_metas(attributes) {
        let name = name_of(&meta);
        if names.contains(&name.as_str()) {
            diagnostics.on(&meta, text(&name));
        }
    }
    for attribute in conditional_serde(attributes) {
        let tokens = attribute.meta.to_token_stream();
        if let Some(name) = names.iter().find(|name| mention(&tokens, name).is_some()) {
            diagnostics.on(attribute, text(name));
        }
    }
}

/// Whether a newtype variant of this enum has no place for a text: its tag stands among its fields.
pub(crate) fn is_tagged_inside(attributes: &[Attribute]) -> bool {
    let names: Vec<String> = serde_metas(attributes).iter().map(name_of).collect();
    let says = |name: &str| names.iter().any(|said| said == name);
    says("tag") && !says("content")
}

/// `bound = ".."` and `bound(serialize = "..")`; `bound(deserialize = "..")` says nothing of it.
fn bounds_serialize(meta: &Meta) -> bool {
    match meta {
        Meta::List(list) => mention(&list.tokens, "serialize").is_some(),
        _ => true,
    }
}

/// The path in `with = "path"`; serde would report what is none, but does not see it any more.
fn path_in(meta: &Meta, diagnostics: &mut Diagnostics) -> Option<syn::LitStr> {
    if let Meta::NameValue(pair) = meta
        && let syn::Expr::Lit(value) = &pair.value
        && let syn::Lit::Str(literal) = &value.lit
        && literal.parse::<syn::ExprPath>().is_ok()
    {
        return Some(literal.clone());
    }
    let text = format!("`{}` needs a path in a string", name_of(meta));
    diagnostics.on(meta, text);
    None
}

fn serde_metas(attributes: &[Attribute]) -> Vec<Meta> {
    attributes.iter().filter_map(metas_of).flatten().collect()
}

/// What stands in `#[serde(..)]`; `None` for other attributes and for what serde itself will not understand.
fn metas_of(attribute: &Attribute) -> Option<Vec<Meta>> {
    if !attribute.path().is_ident("serde") {
        return None;
    }
    let list = attribute.meta.require_list().ok()?;
    Some(list.parse_args_with(metas).ok()?.into_iter().collect())
}

fn metas(input: syn::parse::ParseStream<'_>) -> syn::Result<Punctuated<Meta, Token![,]>> {
    Punctuated::parse_terminated(input)
}

fn conditional_serde(attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attributes.iter().filter(|attribute| {
        attribute.path().is_ident("cfg_attr")
            && mention(&attribute.meta.to_token_stream(), "serde").is_some()
    })
}

fn name_of(meta: &Meta) -> String {
    let name = meta.path().get_ident().map(ToString::to_string);
    name.unwrap_or_default()
}
