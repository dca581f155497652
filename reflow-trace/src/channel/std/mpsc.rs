//! `std::sync::mpsc`, traced.
//!
//! ```
//! use reflow_trace::channel::std::mpsc; // was: use std::sync::mpsc;
//!
//! let (sender, receiver) = mpsc::channel();
//! let sender = sender.named("reader", "out");
//! let receiver = receiver.named("store", "in");
//! sender.send(20.5)?;
//! assert_eq!(receiver.recv(), Ok(20.5));
//! # Ok::<(), mpsc::SendError<f64>>(())
//! ```
//!
//! # Limits
//!
//! The queue depth counts the messages that were sent while recording was on. The waiting time of a
//! message whose sender had to wait for room counts from the begin of the send: take its execution
//! time off.

use std::panic::Location;
use std::sync::mpsc as original;
pub use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};
use std::time::Duration;

use crate::channel::ends::{receiving_end, sending_end};
use crate::channel::link::{Inlet, Outlet, link};
use crate::channel::parcel::Parcel;
use crate::event::Outcome;

/// A channel without a bound; see [`std::sync::mpsc::channel`].
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (outlet, inlet) = link(Location::caller());
    let (sender, receiver) = original::channel();
    let sender = Sender {
        inner: sender,
        outlet,
    };
    (
        sender,
        Receiver {
            inner: receiver,
            inlet,
        },
    )
}

/// A channel with a bound, which may be 0; see [`std::sync::mpsc::sync_channel`].
#[track_caller]
pub fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {
    let (outlet, inlet) = link(Location::caller());
    let (sender, receiver) = original::sync_channel(bound);
    let sender = SyncSender {
        inner: sender,
        outlet,
    };
    (
        sender,
        Receiver {
            inner: receiver,
            inlet,
        },
    )
}

/// The sending end of [`channel`]; see [`std::sync::mpsc::Sender`].
pub struct Sender<T> {
    inner: original::Sender<Parcel<T>>,
    outlet: Outlet<T>,
}

sending_end!(Sender<T>, original::Sender<Parcel<T>>);

impl<T> Sender<T> {
    /// See [`std::sync::mpsc::Sender::send`].
    ///
    /// # Errors
    ///
    /// When the receiver is gone; the message comes back.
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        let put = |parcel| self.inner.send(parcel);
        send(&self.outlet, message, put).map_err(|SendError(parcel)| SendError(parcel.give_back()))
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

/// The sending end of [`sync_channel`]; see [`std::sync::mpsc::SyncSender`].
pub struct SyncSender<T> {
    inner: original::SyncSender<Parcel<T>>,
    outlet: Outlet<T>,
}

sending_end!(SyncSender<T>, original::SyncSender<Parcel<T>>);

impl<T> SyncSender<T> {
    /// See [`std::sync::mpsc::SyncSender::send`].
    ///
    /// # Errors
    ///
    /// When the receiver is gone; the message comes back.
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        let put = |parcel| self.inner.send(parcel);
        send(&self.outlet, message, put).map_err(|SendError(parcel)| SendError(parcel.give_back()))
    }

    /// See [`std::sync::mpsc::SyncSender::try_send`].
    ///
    /// # Errors
    ///
    /// When there is no room or the receiver is gone; the message comes back.
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        let put = |parcel| self.inner.try_send(parcel);
        send(&self.outlet, message, put).map_err(|error| match error {
            TrySendError::Full(parcel) => TrySendError::Full(parcel.give_back()),
            TrySendError::Disconnected(parcel) => TrySendError::Disconnected(parcel.give_back()),
        })
    }
}

impl<T> Clone for SyncSender<T> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            outlet: self.outlet.clone(),
        }
    }
}

#[inline]
fn send<T, E>(
    outlet: &Outlet<T>,
    message: T,
    put: impl FnOnce(Parcel<T>) -> Result<(), E>,
) -> Result<(), E> {
    let depth = || Some(outlet.counted_inside());
    outlet.send(message, depth, put, |result| {
        if result.is_ok() {
            outlet.count_in();
        }
        Outcome::of_result(result)
    })
}

/// The receiving end; see [`std::sync::mpsc::Receiver`].
pub struct Receiver<T> {
    inner: original::Receiver<Parcel<T>>,
    inlet: Inlet<T>,
}

receiving_end!(Receiver<T>, original::Receiver<Parcel<T>>);

impl<T> Receiver<T> {
    /// See [`std::sync::mpsc::Receiver::recv`].
    ///
    /// # Errors
    ///
    /// When the channel is empty and all senders are gone.
    pub fn recv(&self) -> Result<T, RecvError> {
        self.inner.recv().map(|parcel| self.take(parcel))
    }

    /// See [`std::sync::mpsc::Receiver::try_recv`].
    ///
    /// # Errors
    ///
    /// When the channel is empty.
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.inner.try_recv().map(|parcel| self.take(parcel))
    }

    /// See [`std::sync::mpsc::Receiver::recv_timeout`].
    ///
    /// # Errors
    ///
    /// When nothing came in time, or the channel is empty and all senders are gone.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        self.inner
            .recv_timeout(timeout)
            .map(|parcel| self.take(parcel))
    }

    /// See [`std::sync::mpsc::Receiver::iter`].
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { receiver: self }
    }

    /// See [`std::sync::mpsc::Receiver::try_iter`].
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter { receiver: self }
    }

    #[inline]
    fn take(&self, parcel: Parcel<T>) -> T {
        self.inlet.accept_counted(parcel)
    }
}

/// Messages as they come; see [`std::sync::mpsc::Iter`].
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

/// Messages that are there; see [`std::sync::mpsc::TryIter`].
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

/// Messages as they come, with their receiver; see [`std::sync::mpsc::IntoIter`].
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
