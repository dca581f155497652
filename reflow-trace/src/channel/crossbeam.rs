//! `crossbeam_channel`, traced.
//!
//! ```
//! use reflow_trace::channel::crossbeam::bounded; // was: use crossbeam_channel::bounded;
//!
//! let (sender, receiver) = bounded(16);
//! let sender = sender.named("reader", "out");
//! let receiver = receiver.named("store", "in");
//! sender.send(20.5)?;
//! assert_eq!(receiver.recv(), Ok(20.5));
//! # Ok::<(), reflow_trace::channel::crossbeam::SendError<f64>>(())
//! ```
//!
//! # Limits
//!
//! `select!` and `Select` take the original: receive from `receiver.as_inner()` and give what came to
//! [`Receiver::accept`]. A message that `select!` sends into `sender.as_inner()` is not recorded.
//!
//! A bounded channel of crossbeam keeps its messages when the receivers are gone, until the last sender is
//! dropped: they are recorded as dropped then.
//!
//! ```
//! use crossbeam_channel::select;
//! use reflow_trace::channel::crossbeam::{after, unbounded};
//!
//! let (sender, receiver) = unbounded();
//! sender.send("now")?;
//! let timeout = after(std::time::Duration::from_secs(60));
//! select! {
//!     recv(receiver.as_inner()) -> parcel => assert_eq!(parcel.map(|parcel| receiver.accept(parcel)), Ok("now")),
//!     recv(timeout) -> _ => unreachable!("a minute is long"),
//! }
//! # Ok::<(), reflow_trace::channel::crossbeam::SendError<&str>>(())
//! ```
//!
//! [`after`], [`at`], [`never()`] and [`tick`] are those of the original: nobody sends there.
//!
//! With several receivers under names of their own a send names the one that was named last, since
//! nobody knows who will take the message; each receive names the one that did. The waiting time of a
//! message whose sender had to wait for room counts from the begin of the send: take its execution time
//! off.

use std::iter::FusedIterator;
use std::panic::Location;
use std::time::{Duration, Instant};

use crossbeam_channel as original;
pub use crossbeam_channel::{
    RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError, after,
    at, never, tick,
};

use super::ends::{receiving_end, sending_end};
use super::link::{Inlet, Outlet, link};
use super::parcel::Parcel;
use crate::event::Outcome;

/// A channel without a bound; see [`crossbeam_channel::unbounded`].
#[track_caller]
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    wrap(original::unbounded(), Location::caller())
}

/// A channel with a bound, which may be 0; see [`crossbeam_channel::bounded`].
#[track_caller]
pub fn bounded<T>(bound: usize) -> (Sender<T>, Receiver<T>) {
    wrap(original::bounded(bound), Location::caller())
}

fn wrap<T>(
    (sender, receiver): (original::Sender<Parcel<T>>, original::Receiver<Parcel<T>>),
    site: &'static Location<'static>,
) -> (Sender<T>, Receiver<T>) {
    let (outlet, inlet) = link(site);
    let sender = Sender {
        inner: sender,
        outlet,
    };
    let receiver = Receiver {
        inner: receiver,
        inlet,
    };
    (sender, receiver)
}

/// The sending end; see [`crossbeam_channel::Sender`].
pub struct Sender<T> {
    inner: original::Sender<Parcel<T>>,
    outlet: Outlet<T>,
}

sending_end!(Sender<T>, original::Sender<Parcel<T>>);

impl<T> Sender<T> {
    /// See [`crossbeam_channel::Sender::send`].
    ///
    /// # Errors
    ///
    /// When all receivers are gone; the message comes back.
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        self.put(
            message,
            |parcel| self.inner.send(parcel),
            |_: &_| Outcome::Failed,
        )
        .map_err(|SendError(parcel)| SendError(parcel.give_back()))
    }

    /// See [`crossbeam_channel::Sender::try_send`].
    ///
    /// # Errors
    ///
    /// When there is no room or all receivers are gone; the message comes back.
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        self.put(
            message,
            |parcel| self.inner.try_send(parcel),
            |_: &_| Outcome::Failed,
        )
        .map_err(|error| match error {
            TrySendError::Full(parcel) => TrySendError::Full(parcel.give_back()),
            TrySendError::Disconnected(parcel) => TrySendError::Disconnected(parcel.give_back()),
        })
    }

    /// See [`crossbeam_channel::Sender::send_timeout`].
    ///
    /// # Errors
    ///
    /// When there was no room in time or all receivers are gone; the message comes back.
    pub fn send_timeout(&self, message: T, timeout: Duration) -> Result<(), SendTimeoutError<T>> {
        let put = |parcel| self.inner.send_timeout(parcel, timeout);
        self.put(message, put, timed_out).map_err(give_back)
    }

    /// See [`crossbeam_channel::Sender::send_deadline`].
    ///
    /// # Errors
    ///
    /// When there was no room in time or all receivers are gone; the message comes back.
    pub fn send_deadline(&self, message: T, deadline: Instant) -> Result<(), SendTimeoutError<T>> {
        let put = |parcel| self.inner.send_deadline(parcel, deadline);
        self.put(message, put, timed_out).map_err(give_back)
    }

    /// See [`crossbeam_channel::Sender::is_empty`].
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// See [`crossbeam_channel::Sender::is_full`].
    pub fn is_full(&self) -> bool {
        self.inner.is_full()
    }

    /// See [`crossbeam_channel::Sender::len`].
    pub fn len(&self) -> usize {
        self.inner.len()
    }

    /// See [`crossbeam_channel::Sender::capacity`].
    pub fn capacity(&self) -> Option<usize> {
        self.inner.capacity()
    }

    /// See [`crossbeam_channel::Sender::same_channel`].
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }

    #[inline]
    fn put<E>(
        &self,
        message: T,
        put: impl FnOnce(Parcel<T>) -> Result<(), E>,
        outcome_of: impl FnOnce(&E) -> Outcome,
    ) -> Result<(), E> {
        let depth = || Some(self.inner.len());
        self.outlet
            .send(message, depth, put, |result| match result {
                Ok(()) => Outcome::Delivered,
                Err(error) => outcome_of(error),
            })
    }
}

fn timed_out<T>(error: &SendTimeoutError<T>) -> Outcome {
    match error {
        SendTimeoutError::Timeout(_) => Outcome::TimedOut,
        SendTimeoutError::Disconnected(_) => Outcome::Failed,
    }
}

fn give_back<T>(error: SendTimeoutError<Parcel<T>>) -> SendTimeoutError<T> {
    match error {
        SendTimeoutError::Timeout(parcel) => SendTimeoutError::Timeout(parcel.give_back()),
        SendTimeoutError::Disconnected(parcel) => {
            SendTimeoutError::Disconnected(parcel.give_back())
        }
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            outlet: self.outlet.clone(),
        }
    }
}

/// The receiving end; see [`crossbeam_channel::Receiver`].
pub struct Receiver<T> {
    inner: original::Receiver<Parcel<T>>,
    inlet: Inlet<T>,
}

receiving_end!(Receiver<T>, original::Receiver<Parcel<T>>);

impl<T> Receiver<T> {
    /// See [`crossbeam_channel::Receiver::recv`].
    ///
    /// # Errors
    ///
    /// When the channel is empty and all senders are gone.
    pub fn recv(&self) -> Result<T, RecvError> {
        self.inner.recv().map(|parcel| self.take(parcel))
    }

    /// See [`crossbeam_channel::Receiver::try_recv`].
    ///
    /// # Errors
    ///
    /// When the channel is empty.
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.inner.try_recv().map(|parcel| self.take(parcel))
    }

    /// See [`crossbeam_channel::Receiver::recv_timeout`].
    ///
    /// # Errors
    ///
    /// When nothing came in time, or the channel is empty and all senders are gone.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        self.inner
            .recv_timeout(timeout)
            .map(|parcel| self.take(parcel))
    }

    /// See [`crossbeam_channel::Receiver::recv_deadline`].
    ///
    /// # Errors
    ///
    /// When nothing came in time, or the channel is empty and all senders are gone.
    pub fn recv_deadline(&self, deadline: Instant) -> Result<T, RecvTimeoutError> {
        self.inner
            .recv_deadline(deadline)
            .map(|parcel| self.take(parcel))
    }

    /// See [`crossbeam_channel::Receiver::is_empty`].
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// See [`crossbeam_channel::Receiver::is_full`].
    pub fn is_full(&self) -> bool {
        self.inner.is_full()
    }

    /// See [`crossbeam_channel::Receiver::len`].
    pub fn len(&self) -> usize {
        self.inner.len()
    }

    /// See [`crossbeam_channel::Receiver::capacity`].
    pub fn capacity(&self) -> Option<usize> {
        self.inner.capacity()
    }

    /// See [`crossbeam_channel::Receiver::same_channel`].
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }

    /// See [`crossbeam_channel::Receiver::iter`].
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { receiver: self }
    }

    /// See [`crossbeam_channel::Receiver::try_iter`].
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter { receiver: self }
    }

    #[inline]
    fn take(&self, parcel: Parcel<T>) -> T {
        self.inlet.accept(parcel)
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            inlet: self.inlet.clone(),
        }
    }
}

/// Messages as they come; see [`crossbeam_channel::Iter`].
#[derive(Debug)]
pub struct Iter<'a, T> {
    receiver: &'a Receiver<T>,
}

impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.recv().ok()
    }
}

impl<T> FusedIterator for Iter<'_, T> {}

/// Messages that are there; see [`crossbeam_channel::TryIter`].
#[derive(Debug)]
pub struct TryIter<'a, T> {
    receiver: &'a Receiver<T>,
}

impl<T> Iterator for TryIter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.try_recv().ok()
    }
}

/// Messages as they come, with their receiver; see [`crossbeam_channel::IntoIter`].
#[derive(Debug)]
pub struct IntoIter<T> {
    receiver: Receiver<T>,
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.recv().ok()
    }
}

impl<T> FusedIterator for IntoIter<T> {}

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter { receiver: self }
    }
}
