//! A method that does its work before it returns.
//!
//! A body that may return early runs in a closure, so that `return` and `?` end the body and not the probe. The closure
//! goes through an `FnOnce` helper: called directly it would be inferred as `FnMut`, which cannot hand out what it
//! captured. A body that cannot stays where it is, which a compiler checks in half the time.

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
    if returned == Returned::Never {
        let call = call(method, probe, returned);
        // Whoever never returns can only panic, which the attempt notices when it is dropped.
        return quote_spanned!(span=> #begin match #call {});
    }
    let finish = probe.finish(Hold::Values, returned);
    let run = run(&quote_spanned!(span=> out), method, probe, returned);
    quote_spanned! {span=>
        #begin
        #run
        #finish
        out
    }
}

/// Declares `flow` and begins it if recording is on.
pub(super) fn begin(probe: &Probe<'_>, then: &TokenStream) -> TokenStream {
    let span = Span::mixed_site();
    let p = &probe.private;
    let details = probe.details();
    if let Some(begun) = probe.begun() {
        return quote_spanned!(span=> let mut flow = #begun; #details #then);
    }
    let begin = probe.begin(&quote_spanned!(span=> &mut flow));
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
    let declared = declared(method, returned);
    quote_spanned!(span=> #p::call(move || -> #declared { #captures #rebinds #body }))
}

/// Binds what the body returns to the name `out`.
pub(super) fn run(
    out: &TokenStream,
    method: &Method,
    probe: &Probe<'_>,
    returned: Returned,
) -> TokenStream {
    let span = Span::mixed_site();
    if !method.body.runs_to_its_end() {
        let call = call(method, probe, returned);
        return quote_spanned!(span=> let #out = #call;);
    }
    in_place(out, method, returned)
}

/// The same without a closure around the body.
pub(super) fn in_place(out: &TokenStream, method: &Method, returned: Returned) -> TokenStream {
    let span = Span::mixed_site();
    let declared = declared(method, returned);
    let (rebinds, body) = (rebinds(method), method.body.as_block());
    match rebinds.is_empty() {
        true => quote_spanned!(span=> let #out: #declared = #body;),
        false => quote_spanned!(span=> let #out: #declared = { #rebinds #body };),
    }
}

/// The declared type as a body may name it.
fn declared(method: &Method, returned: Returned) -> TokenStream {
    let span = Span::mixed_site();
    match (returned, &method.returned) {
        (Returned::Never, _) => quote_spanned!(span=> ::core::convert::Infallible),
        (Returned::Unit, _) | (_, None) => quote_spanned!(span=> ()),
        (_, Some(declared)) => inside_a_body(declared),
    }
}
