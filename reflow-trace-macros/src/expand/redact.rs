//! `#[trace(redact)]`: between the derived `Serialize` and the field comes a function that knows when content is
//! captured.
//!
//! The derive finds it by `#[serde(serialize_with = "…")]`, whose text can name nothing but what stands beside the
//! type; so the functions are the type's own, and the paths of the runtime are in their bodies.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Attribute, Data, DeriveInput, GenericParam};

use crate::options::crate_path::{CratePath, Private};
use crate::shape::data::{Field, MessageType};
use crate::shape::serialize::SerdeOfField;
use crate::shape::tokens::{as_written, is_punct, mention};

/// Marks the redacted fields of the item, and gives the functions that serialise them.
pub(crate) fn redact(message: &mut MessageType, crate_path: &CratePath) -> TokenStream {
    let (item, p) = (&mut message.item, crate_path.private());
    let mut functions = TokenStream::new();
    let mut number = 0_usize;
    for (shape_index, shape) in message.shapes.iter().enumerate() {
        for (field_index, field) in shape.fields.iter().enumerate() {
            let Some(redaction) = field.redact.as_ref().filter(|it| !it.serde.is_skipped) else {
                continue;
            };
            let name = format_ident!("reflow_trace_redact_{number}", span = Span::mixed_site());
            number += 1;
            let owner = Owner::of(item);
            let bounds = owner.bounds(field, &redaction.serde);
            let written = attribute(&owner, &name, &redaction.serde, &bounds, crate_path);
            let cfg = shape.cfg.iter().chain(&field.cfg);
            let placeholder = match redaction.has_no_place {
                true => quote_spanned!(Span::mixed_site()=> #p::left_out),
                false => quote_spanned!(Span::mixed_site()=> #p::redacted),
            };
            let function = function(&name, field, &redaction.serde, &placeholder, &p);
            functions.extend(quote!(#(#cfg)* #function));
            if let Some(attributes) = attributes_of(item, shape_index, field_index) {
                SerdeOfField::without_functions(attributes);
                attributes.push(syn::parse_quote!(#[serde(#written)]));
            }
        }
    }
    if functions.is_empty() {
        return functions;
    }
    let name = &item.ident;
    let (generics, arguments, bounds) = item.generics.split_for_impl();
    quote_spanned! {Span::mixed_site()=>
        impl #generics #name #arguments #bounds { #functions }
    }
}

/// The function. It looks at the value only while nothing is captured.
fn function(
    name: &Ident,
    field: &Field,
    serde: &SerdeOfField,
    placeholder: &TokenStream,
    p: &Private,
) -> TokenStream {
    let span = Span::mixed_site();
    let own = match (&serde.with, &serde.serialize_with) {
        (_, Some(function)) => path(function, None),
        (Some(module), None) => path(module, Some("serialize")),
        (None, None) => None,
    };
    // What serialises one type wants to be given that type; else any will do, and needs no bounds.
    let ty = &field.ty;
    let (parameter, value, serialize) = match own {
        Some(path) => (TokenStream::new(), quote!(#ty), path),
        None => (
            quote_spanned!(span=> ReflowTraceValue: #p::serde::Serialize + ?::core::marker::Sized,),
            quote_spanned!(span=> ReflowTraceValue),
            quote_spanned!(span=> #p::serde::Serialize::serialize),
        ),
    };
    quote_spanned! {span=>
        #[doc(hidden)]
        fn #name<#parameter ReflowTraceTarget: #p::serde::Serializer>(
            value: #p::Borrowed<'_, #value>,
            serializer: ReflowTraceTarget,
        ) -> ::core::result::Result<ReflowTraceTarget::Ok, ReflowTraceTarget::Error> {
            if #p::captures_now() { #placeholder(serializer) } else { #serialize(value, serializer) }
        }
    }
}

/// What stands in `#[serde(..)]` of the field.
fn attribute(
    owner: &Owner,
    name: &Ident,
    serde: &SerdeOfField,
    bounds: &[String],
    crate_path: &CratePath,
) -> TokenStream {
    let path = format!("{}::{name}", owner.path);
    let mut inside = quote!(serialize_with = #path);
    if let Some(module) = &serde.with {
        let deserialize = format!("{}::deserialize", module.value());
        inside.extend(quote!(, deserialize_with = #deserialize));
    }
    // The derive asks for no bounds where a field has a function of its own. A path that begins with `$crate` cannot
    // be written in a string; then the type has to say itself that its parameters are `Serialize`.
    let root = as_written(crate_path.root());
    if !bounds.is_empty() && !root.starts_with('$') {
        let bounds: Vec<String> = bounds
            .iter()
            .map(|bounded| format!("{bounded}: {root}::__private::serde::Serialize"))
            .collect();
        let bounds = bounds.join(", ");
        inside.extend(quote!(, bound(serialize = #bounds)));
    }
    inside
}

/// The type as generated text has to name it.
struct Owner {
    /// `Name::<T, N>`; lifetimes are inferred.
    path: String,
    parameters: Vec<Ident>,
}

impl Owner {
    fn of(item: &DeriveInput) -> Owner {
        let mut arguments = Vec::new();
        let mut parameters = Vec::new();
        for parameter in &item.generics.params {
            match parameter {
                GenericParam::Lifetime(_) => {}
                GenericParam::Type(parameter) => {
                    arguments.push(parameter.ident.to_string());
                    parameters.push(parameter.ident.clone());
                }
                GenericParam::Const(parameter) => arguments.push(parameter.ident.to_string()),
            }
        }
        let path = match arguments.is_empty() {
            true => item.ident.to_string(),
            false => format!("{}::<{}>", item.ident, arguments.join(", ")),
        };
        Owner { path, parameters }
    }

    /// What must be `Serialize` for the field to be, the way the derive infers it: the parameters it mentions, and
    /// the whole type where it mentions something of a parameter.
    fn bounds(&self, field: &Field, serde: &SerdeOfField) -> Vec<String> {
        if serde.with.is_some() || serde.serialize_with.is_some() || serde.has_bound {
            return Vec::new();
        }
        let ty = field.ty.to_token_stream();
        let mentioned: Vec<&Ident> = self
            .parameters
            .iter()
            .filter(|name| mention(&ty, &name.to_string()).is_some())
            .collect();
        if mentioned.iter().any(|name| reaches_into(ty.clone(), name)) {
            return vec![ty.to_string()];
        }
        mentioned.iter().map(ToString::to_string).collect()
    }
}

/// Whether `name::…` occurs.
fn reaches_into(stream: TokenStream, name: &Ident) -> bool {
    let trees: Vec<TokenTree> = stream.into_iter().collect();
    trees.iter().enumerate().any(|(at, tree)| match tree {
        TokenTree::Ident(ident) => ident == name && is_punct(trees.get(at + 1), ':'),
        TokenTree::Group(group) => reaches_into(group.stream(), name),
        _ => false,
    })
}

/// The path that a string of serde's means; what is none, serde reports.
fn path(literal: &syn::LitStr, last: Option<&str>) -> Option<TokenStream> {
    let path: syn::ExprPath = literal.parse().ok()?;
    let last = last.map(|last| {
        let last = Ident::new(last, literal.span());
        quote!(::#last)
    });
    Some(quote!(#path #last))
}

fn attributes_of(
    item: &mut DeriveInput,
    shape_index: usize,
    field_index: usize,
) -> Option<&mut Vec<Attribute>> {
    let fields = match &mut item.data {
        Data::Struct(data) => &mut data.fields,
        Data::Enum(data) => &mut data.variants.iter_mut().nth(shape_index)?.fields,
        Data::Union(_) => return None,
    };
    Some(&mut fields.iter_mut().nth(field_index)?.attrs)
}
