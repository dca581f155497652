//! What lies in the original channel: the message and what travels beside it.

use std::fmt;
use std::ops::{Deref, DerefMut};

#[cfg(feature = "_waiting")]
use super::waiting::is_withdrawn;
use crate::context::Context;
use crate::probe::channel::{self, Policy, Slip};

/// A message inside a traced channel.
///
/// Whoever uses the original channel, by `as_inner()` or `into_inner()`, meets these. A parcel that is
/// dropped unopened is a message that was dropped: open it, or give it to `accept` of the receiver,
/// which knows its name and the policy.
///
/// It is 80 bytes larger than the message.
pub struct Parcel<M> {
    // Dropped first: the message's own destructor may use channels itself.
    label: Label,
    message: M,
}

impl<M> Parcel<M> {
    #[inline]
    pub(crate) fn new(slip: Option<Slip>, message: M) -> Self {
        Self {
            label: Label(slip),
            message,
        }
    }

    /// Takes the message out and records that it was received, under the name that the receiving end of
    /// the channel had when it was sent.
    pub fn open(self) -> M {
        let (slip, message) = self.take_apart();
        if let Some(slip) = slip {
            channel::received(slip, &message, &Policy::ANY, slip.edge());
        }
        message
    }

    /// The context that the message carries; [`Context::NONE`] when nobody recorded its send.
    pub fn context(&self) -> Context {
        self.label.0.as_ref().map_or(Context::NONE, Slip::context)
    }

    /// Whether a recording saw it go in.
    #[inline]
    pub(crate) fn is_seen(&self) -> bool {
        self.label.0.is_some()
    }

    /// The message that another one has pushed out: nobody will receive it.
    #[cfg(feature = "async-channel")]
    pub(super) fn drop_inside(self) -> M {
        let Self { label, message } = self;
        drop(label);
        message
    }

    /// The message goes back to the sender: it was never inside.
    #[inline]
    pub(crate) fn give_back(self) -> M {
        self.take_apart().1
    }

    #[inline]
    pub(crate) fn take_apart(self) -> (Option<Slip>, M) {
        let Self { label, message } = self;
        (label.take_off(), message)
    }
}

impl<M> From<M> for Parcel<M> {
    /// A parcel that nothing is recorded of.
    fn from(message: M) -> Self {
        Self::new(None, message)
    }
}

impl<M> Deref for Parcel<M> {
    type Target = M;

    fn deref(&self) -> &M {
        &self.message
    }
}

impl<M> DerefMut for Parcel<M> {
    fn deref_mut(&mut self) -> &mut M {
        &mut self.message
    }
}

impl<M: fmt::Debug> fmt::Debug for Parcel<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message.fmt(f)
    }
}

/// Tells when it is dropped that the message beside it was; nothing where nobody saw the message go in.
///
/// An `Option`, so that then a single byte is written: a slip that is written field by field and copied
/// whole right afterwards stalls the processor's forwarding of stores.
struct Label(Option<Slip>);

impl Label {
    #[inline]
    fn take_off(mut self) -> Option<Slip> {
        self.0.take()
    }
}

impl Drop for Label {
    #[inline]
    fn drop(&mut self) {
        if let Some(slip) = &self.0
            && !is_withdrawn()
        {
            channel::dropped(slip, slip.edge());
        }
    }
}

/// Without asynchronous sends a parcel is never dropped on its way in.
#[cfg(not(feature = "_waiting"))]
fn is_withdrawn() -> bool {
    false
}
