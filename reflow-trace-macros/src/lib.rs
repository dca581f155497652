//! The attribute macros of reflow-trace.
//!
//! Syntax in, syntax out: this crate knows the runtime only as a list of paths under `reflow_trace::__private`. The way
//! of an annotation is *front door* (this file) → *options* → *shape* (what the item looks like) → *select* and
//! *validate* → *expand*, or *fallback* when there is nothing to record.
//! Bodies are never opened, all mistakes are reported at once, and the user's item is always emitted.

mod actor;
mod connector;
mod diagnostics;
mod expand;
mod fallback;
mod options;
mod sample;
mod select;
mod shape;
#[cfg(test)]
mod tests;
mod validate;

use proc_macro::TokenStream;
use proc_macro2::Span;
use quote::quote;

/// Whether recording is compiled in.
const ENABLED: bool = cfg!(feature = "enable");

/// Records what flows through a connector.
#[proc_macro_attribute]
pub fn traced_connector(options: TokenStream, item: TokenStream) -> TokenStream {
    connector::traced_connector(options.into(), item.into(), ENABLED).into()
}

/// Records what an actor handles, and its life.
#[proc_macro_attribute]
pub fn traced_actor(options: TokenStream, item: TokenStream) -> TokenStream {
    actor::traced_actor(options.into(), item.into(), ENABLED).into()
}

/// Says which messages of a type are recorded, and what is known about them.
#[proc_macro_attribute]
pub fn sample(options: TokenStream, item: TokenStream) -> TokenStream {
    sample::sample(options.into(), item.into()).into()
}

/// Says how one method or field is recorded, inside an annotated item.
#[proc_macro_attribute]
pub fn trace(_: TokenStream, item: TokenStream) -> TokenStream {
    let text = "`#[trace]` works inside an annotated item: on a method of an impl with `#[traced_connector]` or \
                `#[traced_actor]`, or on a field of a type with `#[sample]`";
    let error = syn::Error::new(Span::call_site(), text).to_compile_error();
    let item = proc_macro2::TokenStream::from(item);
    quote!(#error #item).into()
}
