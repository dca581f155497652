//! An `async fn`: its body becomes an async block inside one wrapper future.
//!
//! The attempt begins inside the first poll, so a future that is never polled records nothing and nothing is borrowed
//! from the outer function. The probe is found through the wrapper and not captured, so that whether the future is
//! `Send` stays the user's business.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

use super::probe::{Hold, Probe};
use super::{captures_of_future, rebinds, synchronous};
use crate::select::Role;
use crate::shape::method::Method;
use crate::shape::returned::Returned;
use crate::shape::tokens::Trees;

pub(crate) fn body(method: &Method, probe: &Probe<'_>, returned: Returned) -> TokenStream {
    let span = Span::mixed_site();
    let p = &probe.private;
    let captures = captures_of_future(method, probe);
    let (rebinds, body) = (rebinds(method), method.body.as_block());
    let details = probe.details();
    let declared = synchronous::declared(method, returned);
    let leave = leave(probe, returned, &declared);
    // One branch begins the attempt and tells the type: the attempt never asks to leave.
    let begin = match probe.begun() {
        Some(begun) if details.is_empty() => {
            quote_spanned!(span=> if #p::begins_here() && #begun.stay() { #leave })
        }
        begun => {
            let flow = match details.is_empty() {
                true => quote_spanned!(span=> flow),
                false => quote_spanned!(span=> mut flow),
            };
            let begun = match (begun, probe.begun_here()) {
                (Some(begun), _) => quote_spanned!(span=> let #flow = #begun;),
                (None, Some(begun)) => quote_spanned!(span=> let #flow = { #begun };),
                (None, None) => {
                    let begin = probe.begin(&quote_spanned!(span=> &mut flow));
                    quote_spanned!(span=> let mut flow = #p::Flow::idle(); #begin)
                }
            };
            quote_spanned! {span=>
                if #p::begins_here() {
                    #begun
                    #details
                    if flow.stay() { #leave }
                }
            }
        }
    };
    let future = quote_spanned! {span=>
        #p::instrumented(async move {
            #captures
            #begin
            #rebinds
            #body
        })
    };
    // A life is a task: what it receives causes what it sends.
    let future = match probe.role {
        Role::Life => quote_spanned!(span=> #p::in_task(#future)),
        _ => future,
    };
    if returned == Returned::Never {
        return quote_spanned!(span=> match #future.await.0 {});
    }
    let known = (!method.is_opaque).then_some(&declared);
    match (probe.closing(returned, known), known) {
        (Some(closing), Some(_)) => {
            return quote_spanned!(span=> #closing.end_both(#future.await));
        }
        (Some(closing), None) => {
            return quote_spanned!(span=> let (out, flow) = #future.await; #closing.end(flow, out));
        }
        (None, _) => {}
    }
    let finish = probe.finish(Hold::Values);
    quote_spanned! {span=>
        let (out, mut flow) = #future.await;
        #finish
        out
    }
}

/// A return that never happens and tells the async block its type, which nothing around the block can.
pub(super) fn hint(method: &Method, probe: &Probe<'_>, returned: Returned) -> TokenStream {
    let leave = leave(probe, returned, &synchronous::declared(method, returned));
    quote_spanned!(Span::mixed_site()=> if false { #leave })
}

fn leave(probe: &Probe<'_>, returned: Returned, declared: &Trees) -> TokenStream {
    let span = Span::mixed_site();
    let p = &probe.private;
    match returned {
        Returned::Unit => quote_spanned!(span=> return;),
        _ => quote_spanned!(span=> return #p::declared::<#declared>();),
    }
}
