//! Methods of which only their end tells what happened: a batch, and a send that is polled.
//!
//! The shapes are those of a send. But the begin only looks at the messages, because the body of a batch may send each of
//! them through another recorded method, and a poll may be pending: the end records one send per message, or nothing.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

use super::probe::{Hold, Probe};
use super::{asynchronous, captures_of_future, rebinds, synchronous};
use crate::select::Role;
use crate::shape::argument::Argument;
use crate::shape::method::Method;
use crate::shape::returned::Returned;

impl Probe<'_> {
    /// Whether the end decides what there was.
    pub(super) fn is_known_at_the_end(&self, declared: Returned) -> bool {
        let is_polled = declared == Returned::Poll;
        self.role == Role::Batch || (is_polled && self.role.sends())
    }
}

pub(crate) fn body(method: &Method, probe: &Probe<'_>, returned: Returned) -> TokenStream {
    match returned {
        _ if method.is_async => in_a_future(method, probe, returned),
        Returned::OpaqueFuture | Returned::BoxedFuture => returned_future(method, probe, returned),
        _ if method.may_have("track_caller") => in_place(method, probe),
        _ => in_a_call(method, probe, returned),
    }
}

fn in_a_call(method: &Method, probe: &Probe<'_>, returned: Returned) -> TokenStream {
    let span = Span::mixed_site();
    let begin = declare(probe, &TokenStream::new());
    if returned == Returned::Never {
        let call = synchronous::call(method, probe, returned);
        return quote_spanned!(span=> #begin match #call {});
    }
    let finish = finish(probe, returned, Hold::Values);
    let run = synchronous::run(&quote_spanned!(span=> out), method, probe, returned);
    quote_spanned!(span=> #begin #run #finish out)
}

fn in_place(method: &Method, probe: &Probe<'_>) -> TokenStream {
    let span = Span::mixed_site();
    let begin = declare(probe, &quote_spanned!(span=> flow.deliver_on_drop();));
    let (rebinds, body) = (rebinds(method), method.body.as_block());
    quote_spanned!(span=> #begin #rebinds #body)
}

fn in_a_future(method: &Method, probe: &Probe<'_>, returned: Returned) -> TokenStream {
    let span = Span::mixed_site();
    let p = &probe.private;
    let captures = captures_of_future(method, probe);
    let (rebinds, body) = (rebinds(method), method.body.as_block());
    let begin = begin(probe, &quote_spanned!(span=> flow));
    let details = probe.details();
    let hint = asynchronous::hint(method, probe, returned);
    let finish = match returned {
        Returned::Never => {
            quote_spanned!(span=> |_: &mut ::core::convert::Infallible, _: &mut #p::Batch| {})
        }
        _ => {
            let finish = finish(probe, returned, Hold::References);
            quote_spanned!(span=> |out: &mut _, flow: &mut #p::Batch| { #finish })
        }
    };
    let future = quote_spanned! {span=>
        #p::instrumented_batch(
            async move {
                #captures
                #p::begin_batch_in(|flow: &mut #p::Batch| { #begin #details });
                #hint
                #rebinds
                #body
            },
            #finish,
        ).await
    };
    match returned {
        Returned::Never => quote_spanned!(span=> match #future {}),
        _ => future,
    }
}

fn returned_future(method: &Method, probe: &Probe<'_>, returned: Returned) -> TokenStream {
    let span = Span::mixed_site();
    let p = &probe.private;
    let begin = declare(probe, &TokenStream::new());
    let run = synchronous::run(&quote_spanned!(span=> future), method, probe, returned);
    let finish = finish(probe, returned, Hold::References);
    let wrapped = quote_spanned! {span=>
        #p::deferred_batch(flow, future, |out: &mut _, flow: &mut #p::Batch| { #finish })
    };
    let result = match returned {
        Returned::BoxedFuture => quote_spanned! {span=>
            if flow.is_active() { ::std::boxed::Box::pin(#wrapped) } else { future }
        },
        _ => wrapped,
    };
    quote_spanned!(span=> #begin #run flow.defer(); #result)
}

/// Declares `flow` and looks at the messages if recording is on.
fn declare(probe: &Probe<'_>, then: &TokenStream) -> TokenStream {
    let span = Span::mixed_site();
    let p = &probe.private;
    let begin = begin(probe, &quote_spanned!(span=> &mut flow));
    let details = probe.details();
    quote_spanned! {span=>
        let mut flow = #p::Batch::idle();
        if #p::on() {
            #begin
            #details
            #then
        }
    }
}

/// Statements that look at the messages. `flow` evaluates to a `&mut Batch`.
fn begin(probe: &Probe<'_>, flow: &TokenStream) -> TokenStream {
    let span = Span::mixed_site();
    let p = &probe.private;
    let Some(message) = probe.message.and_then(Argument::name) else {
        // Selection reported the missing message, and nothing is expanded after an error.
        return TokenStream::new();
    };
    let messages = match probe.role {
        Role::Batch => quote_spanned!(span=> &mut #message),
        _ => quote_spanned!(span=> &mut #p::One(&mut #message)),
    };
    let ((located, ends, depth), site) = (probe.located(), probe.site());
    let size = probe
        .size()
        .map(|size| quote_spanned!(span=> flow.measured(#size);));
    let keep = probe.keep();
    quote_spanned! {span=>
        #keep
        #located
        use #p::BeginBatch as _;
        (&mut &mut &mut #p::BatchOf(#messages)).begin_batch(#flow, #ends, #depth, #site);
        #size
    }
}

/// Statements that end it, where `flow` and `out` are both values or both `&mut` to them.
fn finish(probe: &Probe<'_>, returned: Returned, hold: Hold) -> TokenStream {
    let span = Span::mixed_site();
    let p = &probe.private;
    let end = probe.finish(hold);
    if returned != Returned::Poll {
        return end;
    }
    let out = match hold {
        Hold::Values => quote_spanned!(span=> &out),
        Hold::References => quote_spanned!(span=> &*out),
    };
    quote_spanned! {span=>
        if { use #p::MayPend as _; (&#p::Polled(#out)).is_pending() } {
            flow.discard();
        } else {
            #end
        }
    }
}
