//! What is generated, one file per shape of method.
//!
//! All names have the hygiene of `Span::mixed_site()`: user code cannot see them, and they cannot shadow its own. All
//! paths start at the root. Nothing is emitted beside an impl, which may stand anywhere, and no `#[allow]`, which `forbid`
//! would refuse.

pub(crate) mod asynchronous;
pub(crate) mod batch;
pub(crate) mod in_place;
pub(crate) mod kept;
pub(crate) mod probe;
pub(crate) mod redact;
pub(crate) mod register;
pub(crate) mod returned_future;
pub(crate) mod sample;
pub(crate) mod shared;
pub(crate) mod synchronous;

use proc_macro2::TokenStream;
use quote::quote;

use self::probe::Probe;
use crate::options::method::Returns;
use crate::shape::argument::Argument;
use crate::shape::method::Method;
use crate::shape::returned::Returned;

/// Writes the method with a probe around its body.
pub(crate) fn method(method: &Method, probe: &Probe<'_>, tokens: &mut TokenStream) {
    let declared = method.kind;
    let returned = match (probe.returns, declared) {
        (Some(Returns::Value), _) => Returned::Value,
        (Some(Returns::Future), Returned::Value | Returned::PerhapsFuture) => Returned::BoxedFuture,
        (_, declared) => declared,
    };
    let statements = match returned {
        _ if probe.is_known_at_the_end(declared) => batch::body(method, probe, returned),
        _ if method.is_async => asynchronous::body(method, probe, declared),
        Returned::OpaqueFuture | Returned::BoxedFuture => {
            returned_future::body(method, probe, returned)
        }
        _ if method.may_have("track_caller") => in_place::body(method, probe),
        _ => synchronous::body(method, probe, returned),
    };
    let mut arguments = TokenStream::new();
    for argument in &method.arguments {
        argument.in_signature(probe.is_message(argument), &mut arguments);
    }
    method.with(arguments, &method.body.holding(statements), tokens);
}

/// What makes an async block own the arguments in the order in which they drop. A message that is all there is to drop
/// is mentioned where its send begins.
fn captures_of_future(method: &Method, probe: &Probe<'_>) -> TokenStream {
    let mut mentioned = method
        .arguments
        .iter()
        .filter(|argument| !argument.capture().is_empty());
    match (mentioned.next(), mentioned.next()) {
        (Some(only), None) if probe.is_message(only) => TokenStream::new(),
        _ => captures(method),
    }
}

/// Mentions of all arguments, the last one first, so that they drop in the order in which those of a function do.
fn captures(method: &Method) -> TokenStream {
    let receivers = method
        .arguments
        .iter()
        .filter(|argument| argument.receiver().is_some());
    let others = method
        .arguments
        .iter()
        .rev()
        .filter(|argument| argument.receiver().is_none());
    let mentions = others.chain(receivers).map(|argument| argument.capture());
    quote!(#(#mentions)*)
}

/// The arguments under the names and patterns of the user.
///
/// What is bound afresh drops before what is captured, so all arguments behind one that must be are: a function drops its
/// arguments from the last to the first.
fn rebinds(method: &Method) -> TokenStream {
    let first = method.arguments.iter().position(Argument::must_be_rebound);
    let rebound = method.arguments.iter().skip(first.unwrap_or(usize::MAX));
    rebound.map(Argument::rebind).collect()
}
