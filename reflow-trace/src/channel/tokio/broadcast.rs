//! `tokio::sync::broadcast`, traced.
//!
//! ```
//! use reflow_trace::channel::tokio::broadcast; // was: use tokio::sync::broadcast;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), broadcast::error::RecvError> {
//! let (sender, receiver) = broadcast::channel(16);
//! let sender = sender.named("bus", "out");
//! let mut first = receiver.named("first", "in");
//! let mut second = sender.subscribe().named("second", "in");
//! assert_eq!(sender.send(20.5).ok(), Some(2));
//! assert_eq!(first.recv().await?, 20.5);
//! assert_eq!(second.recv().await?, 20.5);
//! # Ok(())
//! # }
//! ```
//!
//! # What is recorded
//!
//! One event for each call of `send`, to the receiver that was named last, with the number of receivers
//! as the attribute `receivers`. Each receiver records what it receives under its own name. So the sum of
//! `receivers` is what was received, what was dropped and what is still inside, over all receivers.
//!
//! Messages that a receiver was too slow for are dropped messages of an unknown cause: the channel has
//! overwritten them. Messages that are left when a receiver is dropped are known one by one; for that the
//! channel must have been made by [`channel`], as [`Sender::new`] knows of no `Clone`.
//!
//! # Limits
//!
//! A message that is sent in the moment in which a receiver is dropped may be missing from the dropped
//! ones. Messages that were sent before recording began are counted when a receiver is too slow for
//! them. The queue depth is not known: to ask for it would lock the channel once more.

use std::cell::Cell;
use std::fmt;
use std::panic::Location;

use tokio::sync::broadcast as original;
pub use tokio::sync::broadcast::error;
use tokio::sync::broadcast::error::{RecvError, SendError, TryRecvError};

use crate::channel::ends::sending_end;
use crate::channel::link::{Inlet, Outlet, link};
use crate::event::Outcome;
use crate::message::Message;
use crate::probe::channel::{self, Slip};

/// A channel from which every receiver gets every message; see [`tokio::sync::broadcast::channel`].
///
/// # Panics
///
/// When `capacity` is 0 or more than tokio can count, as the original does.
#[track_caller]
pub fn channel<T: Clone>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let (outlet, inlet) = link(Location::caller());
    let (sender, receiver) = original::channel(capacity);
    let sender = Sender {
        inner: sender,
        outlet,
        look_through: Some(Receiver::look_through),
    };
    let receiver = Receiver {
        inner: receiver,
        inlet,
        look_through: sender.look_through,
    };
    (sender, receiver)
}

/// What lies in the original channel: the message and what travels beside it.
///
/// It is 88 bytes larger than the message, or less.
pub struct Issue<T> {
    slip: Slip,
    /// Not there in the copy of one who only looks what is left.
    message: Option<T>,
}

thread_local! {
    /// The copies that this thread makes are looked at, not received.
    static LOOKS_ONLY: Cell<bool> = const { Cell::new(false) };
}

impl<T: Clone> Clone for Issue<T> {
    fn clone(&self) -> Self {
        let looks_only = LOOKS_ONLY.try_with(Cell::get).unwrap_or(false);
        Self {
            slip: self.slip,
            message: if looks_only {
                None
            } else {
                self.message.clone()
            },
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Issue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message.fmt(f)
    }
}

/// The sending end; see [`tokio::sync::broadcast::Sender`].
pub struct Sender<T> {
    inner: original::Sender<Issue<T>>,
    outlet: Outlet<T>,
    look_through: Option<fn(&mut Receiver<T>)>,
}

sending_end!(Sender<T>, original::Sender<Issue<T>>);

impl<T> Sender<T> {
    /// See [`tokio::sync::broadcast::Sender::new`].
    ///
    /// # Panics
    ///
    /// When `capacity` is 0 or more than tokio can count, as the original does.
    #[track_caller]
    pub fn new(capacity: usize) -> Self {
        let (outlet, _) = link(Location::caller());
        Self {
            inner: original::Sender::new(capacity),
            outlet,
            look_through: None,
        }
    }

    /// See [`tokio::sync::broadcast::Sender::send`].
    ///
    /// # Errors
    ///
    /// When there is no receiver; the message comes back.
    pub fn send(&self, mut value: T) -> Result<usize, SendError<T>> {
        let sending = self.outlet.begin(&mut value, || None);
        let issue = Issue {
            slip: sending.as_ref().map_or(Slip::BLANK, channel::Sending::slip),
            message: Some(value),
        };
        let sent = self.inner.send(issue);
        if let Some(mut sending) = sending {
            if let Ok(receivers) = sent {
                sending.fan_out(receivers);
            }
            sending.end(Outcome::of_result(&sent));
        }
        sent.map_err(|SendError(issue)| SendError(whole(issue.message)))
    }

    /// See [`tokio::sync::broadcast::Sender::subscribe`].
    pub fn subscribe(&self) -> Receiver<T> {
        Receiver {
            inner: self.inner.subscribe(),
            inlet: Inlet::of_outlet(&self.outlet),
            look_through: self.look_through,
        }
    }

    /// See [`tokio::sync::broadcast::Sender::downgrade`].
    #[must_use = "the weak sender is what is returned"]
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender {
            inner: self.inner.downgrade(),
            outlet: self.outlet.clone(),
            look_through: self.look_through,
        }
    }

    /// See [`tokio::sync::broadcast::Sender::len`].
    pub fn len(&self) -> usize {
        self.inner.len()
    }

    /// See [`tokio::sync::broadcast::Sender::is_empty`].
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// See [`tokio::sync::broadcast::Sender::receiver_count`].
    pub fn receiver_count(&self) -> usize {
        self.inner.receiver_count()
    }

    /// See [`tokio::sync::broadcast::Sender::same_channel`].
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }

    /// See [`tokio::sync::broadcast::Sender::closed`].
    pub async fn closed(&self) {
        self.inner.closed().await;
    }

    /// See [`tokio::sync::broadcast::Sender::strong_count`].
    pub fn strong_count(&self) -> usize {
        self.inner.strong_count()
    }

    /// See [`tokio::sync::broadcast::Sender::weak_count`].
    pub fn weak_count(&self) -> usize {
        self.inner.weak_count()
    }
}

/// The message of an issue that was not made by one who only looks.
fn whole<T>(message: Option<T>) -> T {
    match message {
        Some(message) => message,
        None => unreachable!("only `look_through` makes copies without a message"),
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            outlet: self.outlet.clone(),
            look_through: self.look_through,
        }
    }
}

/// A sender that does not keep the channel open; see [`tokio::sync::broadcast::WeakSender`].
pub struct WeakSender<T> {
    inner: original::WeakSender<Issue<T>>,
    outlet: Outlet<T>,
    look_through: Option<fn(&mut Receiver<T>)>,
}

sending_end!(WeakSender<T>, original::WeakSender<Issue<T>>);

impl<T> WeakSender<T> {
    /// See [`tokio::sync::broadcast::WeakSender::upgrade`].
    #[must_use = "the sender is what is returned"]
    pub fn upgrade(&self) -> Option<Sender<T>> {
        self.inner.upgrade().map(|inner| Sender {
            inner,
            outlet: self.outlet.clone(),
            look_through: self.look_through,
        })
    }

    /// See [`tokio::sync::broadcast::WeakSender::strong_count`].
    pub fn strong_count(&self) -> usize {
        self.inner.strong_count()
    }

    /// See [`tokio::sync::broadcast::WeakSender::weak_count`].
    pub fn weak_count(&self) -> usize {
        self.inner.weak_count()
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            outlet: self.outlet.clone(),
            look_through: self.look_through,
        }
    }
}

/// The receiving end; see [`tokio::sync::broadcast::Receiver`].
pub struct Receiver<T> {
    inner: original::Receiver<Issue<T>>,
    inlet: Inlet<T>,
    look_through: Option<fn(&mut Receiver<T>)>,
}

impl<T> Receiver<T> {
    /// Names the actor that receives from this handle, and its port.
    ///
    /// Messages that are sent from now on go to this name, as the one that was given last.
    #[must_use = "the handle with the name is what is returned"]
    pub fn named(mut self, actor: impl AsRef<str>, port: impl AsRef<str>) -> Self {
        self.inlet.set_name(actor.as_ref(), port.as_ref());
        self
    }

    /// Lets the whole channel follow what the message type says of itself: the policy, the size and the
    /// fields that `#[sample(…)]` knows of. Without it every message is recorded, under the name of its
    /// Rust type.
    #[must_use = "the handle is what is returned"]
    pub fn with_policy(self) -> Self
    where
        T: Message,
    {
        self.inlet.use_policy();
        self
    }

    /// The original, which carries [`Issue`]s.
    pub fn as_inner(&self) -> &original::Receiver<Issue<T>> {
        &self.inner
    }

    /// The original; give what it receives to [`Issue::open`].
    pub fn into_inner(mut self) -> original::Receiver<Issue<T>> {
        // What drops in its stead is the end of an empty channel.
        let empty = original::Sender::new(1).subscribe();
        std::mem::replace(&mut self.inner, empty)
    }

    /// See [`tokio::sync::broadcast::Receiver::len`].
    pub fn len(&self) -> usize {
        self.inner.len()
    }

    /// See [`tokio::sync::broadcast::Receiver::is_empty`].
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// See [`tokio::sync::broadcast::Receiver::same_channel`].
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }

    /// See [`tokio::sync::broadcast::Receiver::sender_strong_count`].
    pub fn sender_strong_count(&self) -> usize {
        self.inner.sender_strong_count()
    }

    /// See [`tokio::sync::broadcast::Receiver::sender_weak_count`].
    pub fn sender_weak_count(&self) -> usize {
        self.inner.sender_weak_count()
    }

    /// See [`tokio::sync::broadcast::Receiver::is_closed`].
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    fn lagged(&self, count: u64) {
        if crate::probe::on() {
            channel::dropped_unseen::<T>(self.inlet.edge_of_last(), count);
        }
    }
}

impl<T: Clone> Receiver<T> {
    /// See [`tokio::sync::broadcast::Receiver::recv`].
    ///
    /// # Errors
    ///
    /// When the receiver was too slow, or the channel is empty and all senders are gone.
    pub async fn recv(&mut self) -> Result<T, RecvError> {
        let received = self.inner.recv().await;
        self.after_wait(received)
    }

    /// See [`tokio::sync::broadcast::Receiver::try_recv`].
    ///
    /// # Errors
    ///
    /// When the channel is empty, or the receiver was too slow.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        match self.inner.try_recv() {
            Ok(issue) => Ok(self.take(issue)),
            Err(error) => {
                if let TryRecvError::Lagged(count) = error {
                    self.lagged(count);
                }
                Err(error)
            }
        }
    }

    /// See [`tokio::sync::broadcast::Receiver::blocking_recv`].
    ///
    /// # Errors
    ///
    /// When the receiver was too slow, or the channel is empty and all senders are gone.
    ///
    /// # Panics
    ///
    /// Within an asynchronous context, as the original does.
    #[track_caller]
    pub fn blocking_recv(&mut self) -> Result<T, RecvError> {
        let received = self.inner.blocking_recv();
        self.after_wait(received)
    }

    /// See [`tokio::sync::broadcast::Receiver::resubscribe`].
    #[must_use = "the new receiver is what is returned"]
    pub fn resubscribe(&self) -> Self {
        Self {
            inner: self.inner.resubscribe(),
            inlet: self.inlet.clone(),
            look_through: self.look_through,
        }
    }

    fn after_wait(&self, received: Result<Issue<T>, RecvError>) -> Result<T, RecvError> {
        match received {
            Ok(issue) => Ok(self.take(issue)),
            Err(error) => {
                if let RecvError::Lagged(count) = error {
                    self.lagged(count);
                }
                Err(error)
            }
        }
    }

    fn take(&self, issue: Issue<T>) -> T {
        let message = whole(issue.message);
        if let Some(slip) = issue.slip.filled() {
            self.inlet.received(slip, &message);
        }
        message
    }

    /// Records what is left as dropped, without copying a single message.
    fn look_through(&mut self) {
        struct Looking(bool);
        impl Drop for Looking {
            fn drop(&mut self) {
                let _gone = LOOKS_ONLY.try_with(|cell| cell.set(self.0));
            }
        }
        let Ok(before) = LOOKS_ONLY.try_with(|cell| cell.replace(true)) else {
            return;
        };
        let _looking = Looking(before);
        // No more than is there now, however fast others send.
        for _ in 0..self.inner.len() {
            match self.inner.try_recv() {
                Ok(issue) => {
                    if let Some(slip) = issue.slip.filled() {
                        channel::dropped(slip, self.inlet.edge_of(slip));
                    }
                }
                Err(TryRecvError::Lagged(count)) => self.lagged(count),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
    }
}

impl<T> Issue<T> {
    /// Takes the message out and records that it was received, under the name that the receiving end of
    /// the channel had when it was sent.
    pub fn open(self) -> T {
        let message = whole(self.message);
        if let Some(slip) = self.slip.filled() {
            channel::received(slip, &message, None, slip.edge());
        }
        message
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if !crate::probe::on() || self.inner.is_empty() {
            return;
        }
        match self.look_through {
            Some(look_through) => look_through(self),
            None => self.lagged(self.inner.len() as u64),
        }
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}
