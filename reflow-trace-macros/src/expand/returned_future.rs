//! A plain function that returns a future: the eager part runs as it did, then the returned *value* is wrapped.
//!
//! `impl Future` is always wrapped, because a function has one return type; a boxed future is boxed again, and only
//! while something is being recorded.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

use super::probe::{Hold, Probe};
use super::synchronous::{self, Then};
use crate::shape::method::Method;
use crate::shape::returned::Returned;

pub(crate) fn body(method: &Method, probe: &Probe<'_>, returned: Returned) -> TokenStream {
    let span = Span::mixed_site();
    let p = &probe.private;
    let begin = synchronous::begin(probe, Then::Change);
    let run = synchronous::run(&quote_spanned!(span=> future), method, probe, returned);
    let finish = match probe.closing(Returned::Value, None) {
        Some(closing) => quote_spanned!(span=> |out, flow| #closing.end(flow, out)),
        None => {
            let finish = probe.finish(Hold::Values);
            quote_spanned!(span=> |out, mut flow| { #finish out })
        }
    };
    let wrapped = quote_spanned!(span=> #p::deferred(flow, future, #finish));
    let result = match returned {
        Returned::BoxedFuture => quote_spanned! {span=>
            if flow.is_active() { ::std::boxed::Box::pin(#wrapped) } else { future }
        },
        _ => wrapped,
    };
    quote_spanned! {span=>
        #begin
        #run
        // After the body: what it sends at once belongs to this send.
        let flow = flow.defer();
        #result
    }
}
