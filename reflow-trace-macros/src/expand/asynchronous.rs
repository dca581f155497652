//! An `async fn`: its body becomes an async block inside one wrapper future.
//!
//! The attempt begins inside the first poll, so a future that is never polled records nothing and nothing is borrowed
//! from the outer function. The probe is found through the wrapper and not captured, so that whether the future is
//! `Send` stays the user's business.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

use super::probe::{Hold, Probe};
use super::{captures_of_future, rebinds};
use crate::select::Role;
use crate::shape::method::Method;
use crate::shape::returned::{Returned, inside_a_body};

pub(crate) fn body(method: &Method, probe: &Probe<'_>, returned: Returned) -> TokenStream {
    let span = Span::mixed_site();
    let p = &probe.private;
    let captures = captures_of_future(method, probe);
    let (rebinds, body) = (rebinds(method), method.body.as_block());
    let details = probe.details();
    let begin = match probe.begun() {
        Some(begun) if details.is_empty() => quote_spanned!(span=> #begun.stay();),
        Some(begun) => quote_spanned!(span=> let mut flow = #begun; #details flow.stay();),
        None => {
            let begin = probe.begin(&quote_spanned!(span=> &mut flow));
            quote_spanned!(span=> let mut flow = #p::Flow::idle(); #begin #details flow.stay();)
        }
    };
    let hint = hint(method, probe, returned);
    let future = quote_spanned! {span=>
        #p::instrumented(async move {
            #captures
            if #p::begins_here() {
                #begin
            }
            #hint
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
    let finish = probe.finish(Hold::Values, returned);
    quote_spanned! {span=>
        let (out, mut flow) = #future.await;
        #finish
        out
    }
}

/// A return that never happens and tells the async block its type, which nothing around the block can.
pub(super) fn hint(method: &Method, probe: &Probe<'_>, returned: Returned) -> TokenStream {
    let span = Span::mixed_site();
    let p = &probe.private;
    let declared = match (returned, &method.returned) {
        (Returned::Never, _) => quote_spanned!(span=> ::core::convert::Infallible),
        (Returned::Unit, _) | (_, None) => return quote_spanned!(span=> if false { return; }),
        (_, Some(declared)) => inside_a_body(declared),
    };
    quote_spanned!(span=> if false { return #p::declared::<#declared>(); })
}
