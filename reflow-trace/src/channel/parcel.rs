//! What lies in the original channel: the message and what travels beside it.

use std::fmt;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};

#[cfg(feature = "_waiting")]
use super::waiting::is_withdrawn;
use crate::context::Context;
use crate::probe::channel::{self, Slip};

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
    pub(crate) fn new(slip: Slip, message: M) -> Self {
        Self {
            label: Label(slip),
            message,
        }
    }

    /// Takes the message out and records that it was received, under the name that the receiving end of
    /// the channel had when it was sent.
    pub fn open(self) -> M {
        self.open_as(|slip, message| channel::received(slip, message, None, slip.edge()))
    }

    /// The context that the message carries; [`Context::NONE`] when nobody recorded its send.
    pub fn context(&self) -> Context {
        self.label.0.filled().map_or(Context::NONE, Slip::context)
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
        self.open_as(|_, _| {})
    }

    /// Takes the message out; `received` is told of it where a recording saw it go in.
    #[inline(always)]
    pub(crate) fn open_as(self, received: impl FnOnce(&Slip, &M)) -> M {
        let Self { label, message } = self;
        // The message is out, whatever becomes of it: `received` may run the user's code, which may panic.
        let label = ManuallyDrop::new(label);
        if let Some(slip) = label.0.filled() {
            received(slip, &message);
        }
        message
    }

    /// What a send fills in, and the message that it asks.
    #[inline]
    pub(crate) fn parts(&mut self) -> (&mut Slip, &mut M) {
        (&mut self.label.0, &mut self.message)
    }
}

impl<M> From<M> for Parcel<M> {
    /// A parcel that nothing is recorded of.
    fn from(message: M) -> Self {
        Self::new(Slip::BLANK, message)
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
struct Label(Slip);

impl Drop for Label {
    #[inline]
    fn drop(&mut self) {
        if let Some(slip) = self.0.filled()
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
