//! What is known of a field marked `#[trace(redact)]`, and why it sometimes cannot be redacted.

use proc_macro2::TokenTree;
use syn::{Data, DeriveInput};

use super::data::{Field, Shape};
use super::serialize::{SerdeOfField, is_derived_below, is_tagged_inside, report_detours};
use crate::diagnostics::Diagnostics;

/// A field that shows a placeholder in captured content.
pub(crate) struct Redaction {
    /// The word `redact`.
    pub(crate) key: TokenTree,
    pub(crate) serde: SerdeOfField,
    /// A text cannot stand there, so nothing does.
    pub(crate) has_no_place: bool,
}

impl Redaction {
    pub(crate) fn marked(key: TokenTree) -> Redaction {
        Redaction {
            key,
            serde: SerdeOfField::default(),
            has_no_place: false,
        }
    }
}

/// Reads what serde is told of redacted fields, and reports those that would show all the same.
pub(crate) fn complete(item: &DeriveInput, shapes: &mut [Shape], diagnostics: &mut Diagnostics) {
    let Some(first) = keys(shapes).next() else {
        return;
    };
    if !is_derived_below(&item.attrs) {
        let text = "`redact` works through `#[derive(Serialize)]`, and none is seen below `#[sample(..)]`: put the derive below it. A `Serialize` written by hand cannot be made to redact";
        diagnostics.on(first, text);
    }
    report_detours(&item.attrs, &["into"], diagnostics);
    if let Data::Enum(data) = &item.data {
        for (variant, shape) in data.variants.iter().zip(&*shapes) {
            if shape.fields.iter().any(|field| field.redact.is_some()) {
                let detours = ["with", "serialize_with"];
                report_detours(&variant.attrs, &detours, diagnostics);
            }
        }
    }
    let tagged_inside = is_tagged_inside(&item.attrs);
    for (shape, fields) in shapes.iter_mut().zip(fields_of(item)) {
        for (field, written) in shape.fields.iter_mut().zip(fields) {
            report_contradictions(field, diagnostics);
            let Some(redaction) = &mut field.redact else {
                continue;
            };
            redaction.serde = SerdeOfField::read(&written.attrs, diagnostics);
            let is_newtype = matches!(fields, syn::Fields::Unnamed(all) if all.unnamed.len() == 1);
            redaction.has_no_place = redaction.serde.is_flattened || (tagged_inside && is_newtype);
        }
    }
}

fn report_contradictions(field: &Field, diagnostics: &mut Diagnostics) {
    let Some(redaction) = &field.redact else {
        return;
    };
    let marks = [
        (field.is_id, "id", "is recorded with every message"),
        (
            field.is_attribute,
            "attribute",
            "is recorded with every message",
        ),
        (
            field.is_context,
            "context",
            "holds nothing but what the tracing has put there",
        ),
    ];
    for (_, mark, reason) in marks.into_iter().filter(|(is_marked, ..)| *is_marked) {
        let text =
            format!("`redact` and `{mark}` exclude each other: a field marked `{mark}` {reason}");
        diagnostics.on(&redaction.key, text);
    }
}

fn keys(shapes: &[Shape]) -> impl Iterator<Item = &TokenTree> {
    let fields = shapes.iter().flat_map(|shape| &shape.fields);
    fields.filter_map(|field| field.redact.as_ref().map(|redaction| &redaction.key))
}

fn fields_of(item: &DeriveInput) -> Vec<&syn::Fields> {
    match &item.data {
        Data::Struct(data) => vec![&data.fields],
        Data::Enum(data) => data
            .variants
            .iter()
            .map(|variant| &variant.fields)
            .collect(),
        Data::Union(_) => Vec::new(),
    }
}
