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
    // What has to drop goes into the closure, where strict lints take it for used up, as the signature says.
    let stays = method.arguments.iter().all(|argument| {
        argument.drops_without_effect() || probe.is_message(argument) && argument.is_named()
    });
    if !stays || !method.body.runs_to_its_end() {
        let call = call(method, probe, returned);
        return quote_spanned!(span=> let #out = #call;);
    }
    let p = &probe.private;
    let declared = declared(method, returned);
    let (rebinds, body) = (rebinds(method), method.body.as_block());
    // A body that never gets to its end, because what it calls panics, would make what follows unreachable, and the
    // compiler would say so. A second branch keeps it silent.
    let body = match rebinds.is_empty() {
        true => body,
        false => quote_spanned!(span=> { #rebinds #body }),
    };
    match returned {
        Returned::Unit => quote_spanned!(span=> let #out: #declared = if true #body;),
        _ => {
            quote_spanned!(span=> let #out: #declared = if true #body else { #p::declared() };)
        }
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
