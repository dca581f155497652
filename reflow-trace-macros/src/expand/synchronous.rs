//! A method that does its work before it returns.
//!
//! The body runs in a closure, so that `return` and `?` end the body and not the probe. The closure goes through an
//! `FnOnce` helper: called directly it would be inferred as `FnMut`, which cannot hand out what it captured.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

use super::probe::{Hold, Probe};
use super::{captures, rebinds};
use crate::select::Role;
use crate::shape::method::Method;
use crate::shape::returned::{Returned, inside_a_body};

pub(crate) fn body(method: &Method, probe: &Probe<'_>, returned: Returned) -> TokenStream {
    let span = Span::mixed_site();
    let begin = begin(probe, &TokenStream::new());
    let call = call(method, probe, returned);
    if returned == Returned::Never {
        // Whoever never returns can only panic, which the attempt notices when it is dropped.
        return quote_spanned!(span=> #begin match #call {});
    }
    let finish = probe.finish(Hold::Values);
    let mutable = (probe.role == Role::Receive).then(|| quote_spanned!(span=> mut));
    quote_spanned! {span=>
        #begin
        let #mutable out = #call;
        #finish
        out
    }
}

/// Declares `flow` and begins it if recording is on.
pub(super) fn begin(probe: &Probe<'_>, then: &TokenStream) -> TokenStream {
    let span = Span::mixed_site();
    let p = &probe.private;
    let begin = probe.begin(&quote_spanned!(span=> &mut flow));
    let details = probe.details();
    // Restores the cause of this thread when the handler is done. A life is a task: what it receives
    // causes what it sends.
    let frame = match probe.role {
        Role::Handler => quote_spanned!(span=> let _frame = #p::CauseFrame::enter();),
        Role::Life => quote_spanned!(span=> let _frame = #p::CauseFrame::enter_task();),
        _ => TokenStream::new(),
    };
    quote_spanned! {span=>
        #frame
        let mut flow = #p::Flow::idle();
        if #p::on() {
            #begin
            #details
            #then
        }
    }
}

/// Runs the body and gives what it returned.
pub(super) fn call(method: &Method, probe: &Probe<'_>, returned: Returned) -> TokenStream {
    let span = Span::mixed_site();
    let p = &probe.private;
    let (captures, rebinds, body) = (captures(method), rebinds(method), method.body.as_block());
    let declared = match (returned, &method.returned) {
        (Returned::Never, _) => quote_spanned!(span=> ::core::convert::Infallible),
        (Returned::Unit, _) | (_, None) => quote_spanned!(span=> ()),
        (_, Some(declared)) => inside_a_body(declared),
    };
    quote_spanned!(span=> #p::call(move || -> #declared { #captures #rebinds #body }))
}
