//! `flume`, traced.
//!
//! ```
//! use reflow_trace::channel::flume; // was: use flume;
//!
//! let (sender, receiver) = flume::bounded(16);
//! let sender = sender.named("reader", "out");
//! let receiver = receiver.named("store", "in");
//! sender.send(20.5)?;
//! assert_eq!(receiver.recv(), Ok(20.5));
//! # Ok::<(), flume::SendError<f64>>(())
//! ```
//!
//! # Limits
//!
//! `Selector`, `Sender::sink` and `Sender::into_sink` take the original. The futures and the stream have
//! none of the original's inherent methods. The waiting time of a message whose sender had to wait for
//! room counts from the begin of the send: take its execution time off. With several receivers under
//! names of their own a send names the one that was named last; each receive names the one that did.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use flume as original;
pub use flume::{
    RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError,
};
use futures_core::future::FusedFuture;
use futures_core::stream::{FusedStream, Stream};

use super::ends::{receiving_end, sending_end};
use super::link::{Inlet, Outlet, link};
use super::parcel::Parcel;
use super::waiting::{NeverInside, Waiting};
use crate::event::Outcome;

/// A channel without a bound; see [`flume::unbounded`].
#[track_caller]
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    wrap(original::unbounded(), Location::caller())
}

/// A channel with a bound, which may be 0; see [`flume::bounded`].
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

/// The sending end; see [`flume::Sender`].
pub struct Sender<T> {
    inner: original::Sender<Parcel<T>>,
    outlet: Outlet<T>,
}

sending_end!(Sender<T>, original::Sender<Parcel<T>>);

impl<T> Sender<T> {
    /// See [`flume::Sender::send`].
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

    /// See [`flume::Sender::try_send`].
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

    /// See [`flume::Sender::send_timeout`].
    ///
    /// # Errors
    ///
    /// When there was no room in time or all receivers are gone; the message comes back.
    pub fn send_timeout(&self, message: T, timeout: Duration) -> Result<(), SendTimeoutError<T>> {
        let put = |parcel| self.inner.send_timeout(parcel, timeout);
        self.put(message, put, timed_out).map_err(give_back)
    }

    /// See [`flume::Sender::send_deadline`].
    ///
    /// # Errors
    ///
    /// When there was no room in time or all receivers are gone; the message comes back.
    pub fn send_deadline(&self, message: T, deadline: Instant) -> Result<(), SendTimeoutError<T>> {
        let put = |parcel| self.inner.send_deadline(parcel, deadline);
        self.put(message, put, timed_out).map_err(give_back)
    }

    /// See [`flume::Sender::send_async`].
    pub fn send_async(&self, message: T) -> SendFut<'_, T> {
        SendFut(State::Fresh(Origin::Borrowed(self), message))
    }

    /// See [`flume::Sender::into_send_async`].
    pub fn into_send_async<'a>(self, message: T) -> SendFut<'a, T> {
        SendFut(State::Fresh(Origin::Owned(self), message))
    }

    /// See [`flume::Sender::downgrade`].
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender {
            inner: self.inner.downgrade(),
            outlet: self.outlet.clone(),
        }
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

/// What both ends tell of the channel.
macro_rules! tells_of_the_channel {
    ($end:ident) => {
        impl<T> $end<T> {
            #[doc = concat!("See [`flume::", stringify!($end), "::is_disconnected`].")]
            pub fn is_disconnected(&self) -> bool {
                self.inner.is_disconnected()
            }

            #[doc = concat!("See [`flume::", stringify!($end), "::is_empty`].")]
            pub fn is_empty(&self) -> bool {
                self.inner.is_empty()
            }

            #[doc = concat!("See [`flume::", stringify!($end), "::is_full`].")]
            pub fn is_full(&self) -> bool {
                self.inner.is_full()
            }

            #[doc = concat!("See [`flume::", stringify!($end), "::len`].")]
            pub fn len(&self) -> usize {
                self.inner.len()
            }

            #[doc = concat!("See [`flume::", stringify!($end), "::capacity`].")]
            pub fn capacity(&self) -> Option<usize> {
                self.inner.capacity()
            }

            #[doc = concat!("See [`flume::", stringify!($end), "::sender_count`].")]
            pub fn sender_count(&self) -> usize {
                self.inner.sender_count()
            }

            #[doc = concat!("See [`flume::", stringify!($end), "::receiver_count`].")]
            pub fn receiver_count(&self) -> usize {
                self.inner.receiver_count()
            }

            #[doc = concat!("See [`flume::", stringify!($end), "::same_channel`].")]
            pub fn same_channel(&self, other: &Self) -> bool {
                self.inner.same_channel(&other.inner)
            }
        }
    };
}

tells_of_the_channel!(Sender);
tells_of_the_channel!(Receiver);

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            outlet: self.outlet.clone(),
        }
    }
}

/// A sender that does not keep the channel open; see [`flume::WeakSender`].
pub struct WeakSender<T> {
    inner: original::WeakSender<Parcel<T>>,
    outlet: Outlet<T>,
}

sending_end!(WeakSender<T>, original::WeakSender<Parcel<T>>);

impl<T> WeakSender<T> {
    /// See [`flume::WeakSender::upgrade`].
    pub fn upgrade(&self) -> Option<Sender<T>> {
        self.inner.upgrade().map(|inner| Sender {
            inner,
            outlet: self.outlet.clone(),
        })
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            outlet: self.outlet.clone(),
        }
    }
}

/// A send that waits for room; see `flume::r#async::SendFut`.
#[must_use = "futures do nothing unless polled"]
pub struct SendFut<'a, T>(State<'a, T>);

enum Origin<'a, T> {
    Borrowed(&'a Sender<T>),
    Owned(Sender<T>),
}

#[expect(
    clippy::large_enum_variant,
    reason = "a box would be an allocation for each send"
)]
enum State<'a, T> {
    /// Never polled.
    Fresh(Origin<'a, T>, T),
    /// Polled. A receiver may have taken the parcel since.
    Going(original::r#async::SendFut<'a, Parcel<T>>, Waiting),
    /// Ready.
    Done,
}

/// Nothing in it is pinned.
impl<T> Unpin for SendFut<'_, T> {}

impl<'a, T> State<'a, T> {
    /// What it is after a poll, if it was not polled before.
    fn begun(self) -> Self {
        let Self::Fresh(origin, mut message) = self else {
            return self;
        };
        let sender = match &origin {
            Origin::Borrowed(sender) => *sender,
            Origin::Owned(sender) => sender,
        };
        let depth = || Some(sender.inner.len());
        let waiting = sender.outlet.begin_waiting(&mut message, depth);
        let parcel = Parcel::new(waiting.slip(), message);
        let send = match origin {
            Origin::Borrowed(sender) => sender.inner.send_async(parcel),
            Origin::Owned(sender) => sender.inner.into_send_async(parcel),
        };
        Self::Going(send, waiting)
    }
}

impl<T> Future for SendFut<'_, T> {
    type Output = Result<(), SendError<T>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if matches!(self.0, State::Fresh(..)) {
            self.0 = std::mem::replace(&mut self.0, State::Done).begun();
        }
        let State::Going(send, waiting) = &mut self.0 else {
            return Poll::Ready(Ok(()));
        };
        let Poll::Ready(sent) = Pin::new(send).poll(cx) else {
            return Poll::Pending;
        };
        waiting.end(Outcome::of_result(&sent));
        self.0 = State::Done;
        Poll::Ready(sent.map_err(|SendError(parcel)| SendError(parcel.give_back())))
    }
}

impl<T> FusedFuture for SendFut<'_, T> {
    fn is_terminated(&self) -> bool {
        match &self.0 {
            State::Fresh(Origin::Borrowed(sender), _) => sender.is_disconnected(),
            State::Fresh(Origin::Owned(sender), _) => sender.is_disconnected(),
            State::Going(send, _) => send.is_terminated(),
            State::Done => true,
        }
    }
}

impl<T> Drop for SendFut<'_, T> {
    fn drop(&mut self) {
        if let State::Going(send, mut waiting) = std::mem::replace(&mut self.0, State::Done) {
            let never_inside = NeverInside::begin();
            drop(send);
            let is_withdrawn = never_inside.end();
            waiting.end(if is_withdrawn {
                Outcome::Cancelled
            } else {
                Outcome::Delivered
            });
        }
    }
}

impl<T> fmt::Debug for SendFut<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendFut").finish_non_exhaustive()
    }
}

/// The receiving end; see [`flume::Receiver`].
pub struct Receiver<T> {
    inner: original::Receiver<Parcel<T>>,
    inlet: Inlet<T>,
}

receiving_end!(Receiver<T>, original::Receiver<Parcel<T>>);

impl<T> Receiver<T> {
    /// See [`flume::Receiver::recv`].
    ///
    /// # Errors
    ///
    /// When the channel is empty and all senders are gone.
    pub fn recv(&self) -> Result<T, RecvError> {
        self.inner.recv().map(|parcel| self.take(parcel))
    }

    /// See [`flume::Receiver::try_recv`].
    ///
    /// # Errors
    ///
    /// When the channel is empty.
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.inner.try_recv().map(|parcel| self.take(parcel))
    }

    /// See [`flume::Receiver::recv_timeout`].
    ///
    /// # Errors
    ///
    /// When nothing came in time, or the channel is empty and all senders are gone.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        self.inner
            .recv_timeout(timeout)
            .map(|parcel| self.take(parcel))
    }

    /// See [`flume::Receiver::recv_deadline`].
    ///
    /// # Errors
    ///
    /// When nothing came in time, or the channel is empty and all senders are gone.
    pub fn recv_deadline(&self, deadline: Instant) -> Result<T, RecvTimeoutError> {
        self.inner
            .recv_deadline(deadline)
            .map(|parcel| self.take(parcel))
    }

    /// See [`flume::Receiver::recv_async`].
    pub fn recv_async(&self) -> RecvFut<'_, T> {
        RecvFut {
            inner: self.inner.recv_async(),
            inlet: MaybeOwned::Borrowed(&self.inlet),
        }
    }

    /// See [`flume::Receiver::into_recv_async`].
    pub fn into_recv_async<'a>(self) -> RecvFut<'a, T> {
        RecvFut {
            inner: self.inner.into_recv_async(),
            inlet: MaybeOwned::Owned(self.inlet),
        }
    }

    /// See [`flume::Receiver::stream`].
    pub fn stream(&self) -> RecvStream<'_, T> {
        RecvStream {
            inner: self.inner.stream(),
            inlet: MaybeOwned::Borrowed(&self.inlet),
        }
    }

    /// See [`flume::Receiver::into_stream`].
    pub fn into_stream<'a>(self) -> RecvStream<'a, T> {
        RecvStream {
            inner: self.inner.into_stream(),
            inlet: MaybeOwned::Owned(self.inlet),
        }
    }

    /// See [`flume::Receiver::iter`].
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { receiver: self }
    }

    /// See [`flume::Receiver::try_iter`].
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter { receiver: self }
    }

    /// See [`flume::Receiver::drain`].
    pub fn drain(&self) -> Drain<'_, T> {
        Drain {
            inner: self.inner.drain(),
            inlet: &self.inlet,
        }
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

enum MaybeOwned<'a, T> {
    Borrowed(&'a Inlet<T>),
    Owned(Inlet<T>),
}

impl<T> Clone for MaybeOwned<'_, T> {
    fn clone(&self) -> Self {
        match self {
            Self::Borrowed(inlet) => Self::Borrowed(inlet),
            Self::Owned(inlet) => Self::Owned(inlet.clone()),
        }
    }
}

impl<T> MaybeOwned<'_, T> {
    fn accept(&self, parcel: Parcel<T>) -> T {
        match self {
            Self::Borrowed(inlet) => inlet.accept(parcel),
            Self::Owned(inlet) => inlet.accept(parcel),
        }
    }
}

/// A receive that waits for a message; see `flume::r#async::RecvFut`.
#[must_use = "futures do nothing unless polled"]
pub struct RecvFut<'a, T> {
    inner: original::r#async::RecvFut<'a, Parcel<T>>,
    inlet: MaybeOwned<'a, T>,
}

impl<T> Future for RecvFut<'_, T> {
    type Output = Result<T, RecvError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let poll = Pin::new(&mut self.inner).poll(cx);
        poll.map(|received| received.map(|parcel| self.inlet.accept(parcel)))
    }
}

impl<T> FusedFuture for RecvFut<'_, T> {
    fn is_terminated(&self) -> bool {
        self.inner.is_terminated()
    }
}

impl<T> fmt::Debug for RecvFut<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvFut").finish_non_exhaustive()
    }
}

/// Messages as they come; see `flume::r#async::RecvStream`.
#[must_use = "streams do nothing unless polled"]
pub struct RecvStream<'a, T> {
    inner: original::r#async::RecvStream<'a, Parcel<T>>,
    inlet: MaybeOwned<'a, T>,
}

impl<T> Clone for RecvStream<'_, T> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            inlet: self.inlet.clone(),
        }
    }
}

impl<T> Stream for RecvStream<'_, T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let poll = Pin::new(&mut self.inner).poll_next(cx);
        poll.map(|received| received.map(|parcel| self.inlet.accept(parcel)))
    }
}

impl<T> FusedStream for RecvStream<'_, T> {
    fn is_terminated(&self) -> bool {
        self.inner.is_terminated()
    }
}

impl<T> fmt::Debug for RecvStream<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvStream").finish_non_exhaustive()
    }
}

/// Messages as they come; see [`flume::Iter`].
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

/// Messages that are there; see [`flume::TryIter`].
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

/// Messages that were there; those that are left are dropped with it. See [`flume::Drain`].
pub struct Drain<'a, T> {
    inner: original::Drain<'a, Parcel<T>>,
    inlet: &'a Inlet<T>,
}

impl<T> Iterator for Drain<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.inner.next().map(|parcel| self.inlet.accept(parcel))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.inner.len();
        (left, Some(left))
    }
}

impl<T> ExactSizeIterator for Drain<'_, T> {}

impl<T> fmt::Debug for Drain<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drain").finish_non_exhaustive()
    }
}

/// Messages as they come, with their receiver; see [`flume::IntoIter`].
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
