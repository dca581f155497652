//! A method that does its work before it returns.
//!
//! A body that may return early runs in a closure, so that `return` and `?` end the body and not the probe. The closure
//! goes through an `FnOnce` helper: called directly it would be inferred as `FnMut`, which cannot hand out what it
//! captured. A body that cannot stays where it is, which a compiler checks in half the time.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::quote_spanned;

use super::probe::{Hold, Probe};
use super::{captures, rebinds};
use crate::select::Role;
use crate::shape::method::Method;
use crate::shape::returned::{Returned, inside_a_body};
use crate::shape::tokens::Trees;

pub(crate) fn body(method: &Method, probe: &Probe<'_>, returned: Returned) -> TokenStream {
    let span = Span::mixed_site();
    if returned == Returned::Never {
        let (begin, call) = (begin(probe, Then::Drop), call(method, probe, returned));
        // Whoever never returns can only panic, which the attempt notices when it is dropped.
        return quote_spanned!(span=> #begin match #call {});
    }
    let known = (!method.is_opaque).then(|| declared(method, returned));
    let closing = known.and_then(|declared| probe.closing(returned, Some(&declared)));
    if let Some(closing) = closing {
        let out = value(method, probe, returned);
        // Neither the attempt nor what was returned has a name: it would be one more thing to look after.
        return match probe.begun() {
            Some(begun) if probe.details().is_empty() => {
                quote_spanned!(span=> #closing.end(#begun, #out))
            }
            _ => {
                let begin = begin(probe, Then::Close);
                quote_spanned!(span=> #begin #closing.end(flow, #out))
            }
        };
    }
    let run = run(&quote_spanned!(span=> out), method, probe, returned);
    if let Some(closing) = probe.closing(returned, None) {
        let begin = begin(probe, Then::Close);
        return quote_spanned!(span=> #begin #run #closing.end(flow, out));
    }
    let (begin, finish) = (begin(probe, Then::Change), probe.finish(Hold::Values));
    quote_spanned!(span=> #begin #run #finish out)
}

/// What becomes of `flow`. A compiler says so when a variable is never used, or is called `mut` and never changes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// It is handed on.
    Close,
    /// It is borrowed as `&mut`.
    Change,
    /// It is only dropped.
    Drop,
}

/// Declares `flow` and begins it if recording is on.
pub(super) fn begin(probe: &Probe<'_>, then: Then) -> TokenStream {
    let span = Span::mixed_site();
    let p = &probe.private;
    let details = probe.details();
    let here = || {
        let begun = probe.begun_here()?;
        Some(quote_spanned!(span=> if #p::on() { #begun } else { #p::Flow::idle() }))
    };
    if let Some(begun) = probe.begun().or_else(here) {
        let name = match then {
            Then::Close if details.is_empty() => quote_spanned!(span=> flow),
            Then::Drop if details.is_empty() => quote_spanned!(span=> _flow),
            _ => quote_spanned!(span=> mut flow),
        };
        return quote_spanned!(span=> let #name = #begun; #details);
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
    let value = value(method, probe, returned);
    if returned == Returned::Unit || !runs_in_place(method, probe) {
        return quote_spanned!(span=> let #out = #value;);
    }
    let declared = declared(method, returned);
    quote_spanned!(span=> let #out: #declared = #value;)
}

/// Whether the body may stand where it is.
fn runs_in_place(method: &Method, probe: &Probe<'_>) -> bool {
    // What has to drop goes into the closure, where strict lints take it for used up, as the signature says.
    let stays = method.arguments.iter().all(|argument| {
        argument.drops_without_effect() || probe.is_message(argument) && argument.is_named()
    });
    stays && method.body.runs_to_its_end()
}

/// The body as an expression, whose type is known where it stands.
fn value(method: &Method, probe: &Probe<'_>, returned: Returned) -> TokenStream {
    let span = Span::mixed_site();
    if !runs_in_place(method, probe) {
        return call(method, probe, returned);
    }
    let p = &probe.private;
    let (rebinds, body) = (rebinds(method), method.body.as_block());
    // A body that never gets to its end, because what it calls panics, would make what follows unreachable, and the
    // compiler would say so. A second branch keeps it silent.
    let body = match rebinds.is_empty() {
        true => body,
        false => {
            let block = Group::new(Delimiter::Brace, quote_spanned!(span=> #rebinds #body));
            Some(TokenTree::Group(block))
        }
    };
    match returned {
        Returned::Unit => quote_spanned!(span=> if true #body),
        _ => quote_spanned!(span=> if true #body else { #p::declared() }),
    }
}

/// The declared type as a body may name it.
pub(super) fn declared(method: &Method, returned: Returned) -> Trees {
    let span = Span::mixed_site();
    let declared = match (returned, &method.returned) {
        (Returned::Never, _) => quote_spanned!(span=> ::core::convert::Infallible),
        (Returned::Unit, _) | (_, None) => quote_spanned!(span=> ()),
        (_, Some(declared)) if method.is_opaque => inside_a_body(declared.iter().cloned()),
        (_, Some(declared)) => return declared.clone(),
    };
    declared.into_iter().collect()
}
