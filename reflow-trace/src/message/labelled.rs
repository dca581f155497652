//! A policy for a message of another crate, which cannot be annotated.

use super::{Message, MessageKind};

/// A message with a kind that is not its own; made by [`MessageKind::label`].
///
/// The function form of the probe takes messages that say what they are. One of another crate is labelled on the way in
/// and taken out again on the way:
///
/// ```
/// use reflow_trace::{Edge, MessageKind};
///
/// static DATAGRAM: MessageKind = MessageKind::new("Datagram").rate(0.5);
///
/// let edge = Edge::new("reader", "out", "store", "in");
/// let (outbox, inbox) = std::sync::mpsc::channel();
/// let datagram: Box<[u8]> = Box::new([1, 2, 3]);
/// reflow_trace::send(&edge, DATAGRAM.label(datagram), |labelled| outbox.send(labelled.into_inner()))?;
/// assert_eq!(inbox.recv()?.len(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Labelled<M> {
    kind: KindOf,
    message: M,
}

/// Equal to every other: what a message is called is no part of it.
#[derive(Clone, Copy, Debug)]
struct KindOf(&'static MessageKind);

impl PartialEq for KindOf {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for KindOf {}

impl MessageKind {
    /// Gives a message of another crate this name and policy. Its size is that of the value alone.
    pub const fn label<M>(&'static self, message: M) -> Labelled<M> {
        Labelled {
            kind: KindOf(self),
            message,
        }
    }
}

impl<M> Labelled<M> {
    /// The message.
    pub fn into_inner(self) -> M {
        self.message
    }
}

impl<M> Message for Labelled<M> {
    #[inline]
    fn kind(&self) -> &'static MessageKind {
        self.kind.0
    }

    #[inline]
    fn size(&self) -> super::Size {
        super::Size::shallow(size_of::<M>())
    }
}
