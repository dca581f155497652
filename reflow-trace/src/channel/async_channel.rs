//! `async_channel`, traced.
//!
//! ```
//! use reflow_trace::channel::async_channel::bounded; // was: use async_channel::bounded;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), reflow_trace::channel::async_channel::SendError<f64>> {
//! let (sender, receiver) = bounded(16);
//! let sender = sender.named("reader", "out");
//! let receiver = receiver.named("store", "in");
//! sender.send(20.5).await?;
//! assert_eq!(receiver.recv().await, Ok(20.5));
//! # Ok(())
//! # }
//! ```
//!
//! # Limits
//!
//! The waiting time of a message whose sender had to wait for room counts from the begin of the send:
//! take its execution time off. A message that `force_send` pushes out is a dropped one, although the
//! sender gets it back. With several receivers under names of their own a send names the one that was
//! named last; each receive names the one that did.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use async_channel as original;
pub use async_channel::{Closed, RecvError, SendError, TryRecvError, TrySendError};
use futures_core::stream::{FusedStream, Stream};
use pin_project_lite::pin_project;

use super::ends::{receiving_end, sending_end};
use super::link::{Inlet, Outlet, link};
use super::parcel::Parcel;
use super::waiting::{NeverInside, Waiting};
use crate::event::Outcome;

/// A channel without a bound; see [`async_channel::unbounded`].
#[track_caller]
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    wrap(original::unbounded(), Location::caller())
}

/// A channel with a bound; see [`async_channel::bounded`].
///
/// # Panics
///
/// When `bound` is 0, as the original does.
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

/// The sending end; see [`async_channel::Sender`].
pub struct Sender<T> {
    inner: original::Sender<Parcel<T>>,
    outlet: Outlet<T>,
}

sending_end!(Sender<T>, original::Sender<Parcel<T>>);

impl<T> Sender<T> {
    /// See [`async_channel::Sender::send`].
    pub fn send(&self, message: T) -> Send<'_, T> {
        Send {
            sender: self,
            message: Some(message),
            waiting: None,
            inner: None,
        }
    }

    /// See [`async_channel::Sender::try_send`].
    ///
    /// # Errors
    ///
    /// When there is no room or the channel is closed; the message comes back.
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        let put = |parcel| self.inner.try_send(parcel);
        self.outlet
            .send(message, || self.depth(), put, Outcome::of_result)
            .map_err(|error| match error {
                TrySendError::Full(parcel) => TrySendError::Full(parcel.give_back()),
                TrySendError::Closed(parcel) => TrySendError::Closed(parcel.give_back()),
            })
    }

    /// See [`async_channel::Sender::send_blocking`].
    ///
    /// # Errors
    ///
    /// When the channel is closed; the message comes back.
    pub fn send_blocking(&self, message: T) -> Result<(), SendError<T>> {
        let put = |parcel| self.inner.send_blocking(parcel);
        self.outlet
            .send(message, || self.depth(), put, Outcome::of_result)
            .map_err(|SendError(parcel)| SendError(parcel.give_back()))
    }

    /// See [`async_channel::Sender::force_send`]. The message that is pushed out counts as dropped.
    ///
    /// # Errors
    ///
    /// When the channel is closed; the message comes back.
    pub fn force_send(&self, message: T) -> Result<Option<T>, SendError<T>> {
        let put = |parcel| self.inner.force_send(parcel);
        self.outlet
            .send(message, || self.depth(), put, Outcome::of_result)
            .map(|pushed_out| pushed_out.map(Parcel::drop_inside))
            .map_err(|SendError(parcel)| SendError(parcel.give_back()))
    }

    /// See [`async_channel::Sender::closed`].
    pub fn closed(&self) -> Closed<'_, Parcel<T>> {
        self.inner.closed()
    }

    /// See [`async_channel::Sender::downgrade`].
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender {
            inner: self.inner.downgrade(),
            outlet: self.outlet.clone(),
        }
    }

    fn depth(&self) -> Option<usize> {
        Some(self.inner.len())
    }
}

/// What both ends tell of the channel, and do to it.
macro_rules! tells_of_the_channel {
    ($end:ident) => {
        impl<T> $end<T> {
            #[doc = concat!("See [`async_channel::", stringify!($end), "::close`].")]
            pub fn close(&self) -> bool {
                self.inner.close()
            }

            #[doc = concat!("See [`async_channel::", stringify!($end), "::is_closed`].")]
            pub fn is_closed(&self) -> bool {
                self.inner.is_closed()
            }

            #[doc = concat!("See [`async_channel::", stringify!($end), "::is_empty`].")]
            pub fn is_empty(&self) -> bool {
                self.inner.is_empty()
            }

            #[doc = concat!("See [`async_channel::", stringify!($end), "::is_full`].")]
            pub fn is_full(&self) -> bool {
                self.inner.is_full()
            }

            #[doc = concat!("See [`async_channel::", stringify!($end), "::len`].")]
            pub fn len(&self) -> usize {
                self.inner.len()
            }

            #[doc = concat!("See [`async_channel::", stringify!($end), "::capacity`].")]
            pub fn capacity(&self) -> Option<usize> {
                self.inner.capacity()
            }

            #[doc = concat!("See [`async_channel::", stringify!($end), "::receiver_count`].")]
            pub fn receiver_count(&self) -> usize {
                self.inner.receiver_count()
            }

            #[doc = concat!("See [`async_channel::", stringify!($end), "::sender_count`].")]
            pub fn sender_count(&self) -> usize {
                self.inner.sender_count()
            }

            #[doc = concat!("See [`async_channel::", stringify!($end), "::same_channel`].")]
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

/// A sender that does not keep the channel open; see [`async_channel::WeakSender`].
pub struct WeakSender<T> {
    inner: original::WeakSender<Parcel<T>>,
    outlet: Outlet<T>,
}

sending_end!(WeakSender<T>, original::WeakSender<Parcel<T>>);

impl<T> WeakSender<T> {
    /// See [`async_channel::WeakSender::upgrade`].
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

pin_project! {
    /// A send that waits for room; see [`async_channel::Send`].
    #[must_use = "futures do nothing unless polled"]
    pub struct Send<'a, T> {
        sender: &'a Sender<T>,
        // Until the first poll.
        message: Option<T>,
        waiting: Option<Waiting>,
        #[pin]
        inner: Option<original::Send<'a, Parcel<T>>>,
    }

    impl<T> PinnedDrop for Send<'_, T> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            // The parcel stays with the future until it is inside.
            let never_inside = NeverInside::begin();
            this.inner.set(None);
            drop(never_inside);
        }
    }
}

impl<T> Future for Send<'_, T> {
    type Output = Result<(), SendError<T>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some(mut message) = this.message.take() {
            let sender = *this.sender;
            let waiting = sender.outlet.begin_waiting(&mut message, || sender.depth());
            let parcel = Parcel::new(waiting.slip(), message);
            this.inner.set(Some(sender.inner.send(parcel)));
            *this.waiting = Some(waiting);
        }
        let Some(send) = this.inner.as_mut().as_pin_mut() else {
            return Poll::Pending;
        };
        let Poll::Ready(sent) = send.poll(cx) else {
            return Poll::Pending;
        };
        if let Some(mut waiting) = this.waiting.take() {
            waiting.end(Outcome::of_result(&sent));
        }
        Poll::Ready(sent.map_err(|SendError(parcel)| SendError(parcel.give_back())))
    }
}

impl<T> fmt::Debug for Send<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Send").finish_non_exhaustive()
    }
}

pin_project! {
    /// The receiving end, a stream; see [`async_channel::Receiver`].
    pub struct Receiver<T> {
        #[pin]
        inner: original::Receiver<Parcel<T>>,
        inlet: Inlet<T>,
    }
}

impl<T> Receiver<T> {
    /// See [`async_channel::Receiver::recv`].
    pub fn recv(&self) -> Recv<'_, T> {
        Recv {
            inner: self.inner.recv(),
            inlet: &self.inlet,
        }
    }

    /// See [`async_channel::Receiver::try_recv`].
    ///
    /// # Errors
    ///
    /// When the channel is empty.
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.inner.try_recv().map(|parcel| self.take(parcel))
    }

    /// See [`async_channel::Receiver::recv_blocking`].
    ///
    /// # Errors
    ///
    /// When the channel is empty and closed.
    pub fn recv_blocking(&self) -> Result<T, RecvError> {
        self.inner.recv_blocking().map(|parcel| self.take(parcel))
    }

    /// See [`async_channel::Receiver::downgrade`].
    pub fn downgrade(&self) -> WeakReceiver<T> {
        WeakReceiver {
            inner: self.inner.downgrade(),
            inlet: self.inlet.clone(),
        }
    }

    #[inline]
    fn take(&self, parcel: Parcel<T>) -> T {
        self.inlet.accept(parcel)
    }
}

receiving_end!(Receiver<T>, original::Receiver<Parcel<T>>);

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            inlet: self.inlet.clone(),
        }
    }
}

impl<T> Stream for Receiver<T> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let this = self.project();
        let poll = this.inner.poll_next(cx);
        poll.map(|received| received.map(|parcel| this.inlet.accept(parcel)))
    }
}

impl<T> FusedStream for Receiver<T> {
    fn is_terminated(&self) -> bool {
        self.inner.is_terminated()
    }
}

/// A receiver that does not keep the channel open; see [`async_channel::WeakReceiver`].
pub struct WeakReceiver<T> {
    inner: original::WeakReceiver<Parcel<T>>,
    inlet: Inlet<T>,
}

impl<T> WeakReceiver<T> {
    /// See [`async_channel::WeakReceiver::upgrade`].
    pub fn upgrade(&self) -> Option<Receiver<T>> {
        self.inner.upgrade().map(|inner| Receiver {
            inner,
            inlet: self.inlet.clone(),
        })
    }
}

impl<T> Clone for WeakReceiver<T> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            inlet: self.inlet.clone(),
        }
    }
}

impl<T> fmt::Debug for WeakReceiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakReceiver").finish_non_exhaustive()
    }
}

pin_project! {
    /// A receive that waits for a message; see [`async_channel::Recv`].
    #[must_use = "futures do nothing unless polled"]
    pub struct Recv<'a, T> {
        #[pin]
        inner: original::Recv<'a, Parcel<T>>,
        inlet: &'a Inlet<T>,
    }
}

impl<T> Future for Recv<'_, T> {
    type Output = Result<T, RecvError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let poll = this.inner.poll(cx);
        poll.map(|received| received.map(|parcel| this.inlet.accept(parcel)))
    }
}

impl<T> fmt::Debug for Recv<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recv").finish_non_exhaustive()
    }
}
