//! `#[sample]`: from tokens to tokens.

use proc_macro2::{Span, TokenStream};
use quote::quote;

use crate::diagnostics::{Diagnostics, attribute_span};
use crate::options::sample::SampleOptions;
use crate::shape::data::MessageType;
use crate::shape::implementation::{Implementation, NotAnImplementation};
use crate::{expand, fallback};

/// Expands the macro. The trait is implemented whether or not recording is compiled in: other code may require it.
pub(crate) fn sample(options: TokenStream, item: TokenStream, enabled: bool) -> TokenStream {
    let mut diagnostics = Diagnostics::new();
    let options = SampleOptions::read(options, &mut diagnostics);
    let parsed = match syn::parse2::<syn::DeriveInput>(item.clone()) {
        Ok(parsed) => parsed,
        Err(error) => {
            report_not_a_type(&item, &error, &mut diagnostics);
            return fallback::conclude(diagnostics, true, item, TokenStream::new);
        }
    };
    let plain = parsed.clone();
    let Some(mut message) = MessageType::read(parsed, &mut diagnostics) else {
        return fallback::conclude(diagnostics, true, plain, TokenStream::new);
    };
    if options.is_empty && diagnostics.is_empty() && !message.speaks() {
        let text =
            "`#[sample]` says nothing: write `#[sample(rate = 0.1)]`, or mark variants or fields";
        diagnostics.at(attribute_span(&item), text);
    }
    if let (Some(name), true) = (&options.name, message.is_enum) {
        let text = "`name` has no effect on an enum, whose messages are called like its variants: put `#[sample(name = \"..\")]` on a variant";
        diagnostics.on(name, text);
    }
    let plain = message.item.clone();
    fallback::conclude(diagnostics, true, plain, || {
        let redactions = match enabled {
            true => expand::redact::redact(&mut message, &options.crate_path),
            false => TokenStream::new(),
        };
        let implementation = expand::sample::implementation(&message, &options, enabled);
        let registration = match enabled {
            true => expand::register::registration(&message, &options.crate_path),
            false => TokenStream::new(),
        };
        let item = &message.item;
        quote!(#item #redactions #implementation #registration)
    })
}

fn report_not_a_type(item: &TokenStream, error: &syn::Error, diagnostics: &mut Diagnostics) {
    let wrong = match Implementation::read(item.clone()) {
        Ok(implementation) => NotAnImplementation {
            found: "an impl".into(),
            span: implementation
                .header()
                .into_iter()
                .next()
                .map_or_else(Span::call_site, |tree| tree.span()),
        },
        Err(wrong) => wrong,
    };
    match wrong.found.as_str() {
        // A type it is, but one with a mistake in it, which the parser describes.
        "a struct" | "an enum" => diagnostics.at(error.span(), error),
        found => {
            let text = format!(
                "`#[sample]` cannot go on {found}: put it on the struct or enum that is sent"
            );
            diagnostics.at(wrong.span, text);
        }
    }
}
