//! A `#[track_caller]` method: a closure around its body would make every caller look like the closure.
//!
//! So the body stays where it is, and a guard that lives beside it tells returning from panicking, no more: what was
//! returned is out of its sight.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

use super::probe::Probe;
use super::synchronous::Then;
use super::{rebinds, synchronous};
use crate::shape::method::Method;

pub(crate) fn body(method: &Method, probe: &Probe<'_>) -> TokenStream {
    let span = Span::mixed_site();
    let begin = synchronous::begin(probe, Then::Change);
    let (rebinds, body) = (rebinds(method), method.body.as_block());
    quote_spanned!(span=> #begin flow.deliver_on_drop(); #rebinds #body)
}
