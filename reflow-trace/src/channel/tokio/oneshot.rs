//! `tokio::sync::oneshot`, traced.
//!
//! ```
//! use reflow_trace::channel::tokio::oneshot; // was: use tokio::sync::oneshot;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), oneshot::error::RecvError> {
//! let (sender, receiver) = oneshot::channel();
//! let sender = sender.named("store", "reply");
//! let receiver = receiver.named("reader", "in");
//! sender.send(20.5).map_err(drop).expect("the receiver is there");
//! assert_eq!(receiver.await?, 20.5);
//! # Ok(())
//! # }
//! ```
//!
//! A new channel for each request is a new lookup of its edge: give the ends names that repeat, or none.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot as original;
pub use tokio::sync::oneshot::error;
use tokio::sync::oneshot::error::{RecvError, TryRecvError};

use crate::channel::ends::{receiving_end, sending_end};
use crate::channel::link::{Inlet, Outlet, link};
use crate::channel::parcel::Parcel;
use crate::event::Outcome;

/// A channel for one message; see [`tokio::sync::oneshot::channel`].
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (outlet, inlet) = link(Location::caller());
    let (sender, receiver) = original::channel();
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

/// The sending end; see [`tokio::sync::oneshot::Sender`].
pub struct Sender<T> {
    inner: original::Sender<Parcel<T>>,
    outlet: Outlet<T>,
}

sending_end!(Sender<T>, original::Sender<Parcel<T>>);

impl<T> Sender<T> {
    /// See [`tokio::sync::oneshot::Sender::send`].
    ///
    /// # Errors
    ///
    /// When the receiver is gone or closed; the message comes back.
    pub fn send(self, message: T) -> Result<(), T> {
        let Self { inner, outlet } = self;
        outlet
            .send(
                message,
                || Some(0),
                |parcel| inner.send(parcel),
                Outcome::of_result,
            )
            .map_err(Parcel::give_back)
    }

    /// See [`tokio::sync::oneshot::Sender::closed`].
    pub async fn closed(&mut self) {
        self.inner.closed().await;
    }

    /// See [`tokio::sync::oneshot::Sender::is_closed`].
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    /// See [`tokio::sync::oneshot::Sender::poll_closed`].
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.inner.poll_closed(cx)
    }
}

/// The receiving end, a future; see [`tokio::sync::oneshot::Receiver`].
pub struct Receiver<T> {
    inner: original::Receiver<Parcel<T>>,
    inlet: Inlet<T>,
}

receiving_end!(Receiver<T>, original::Receiver<Parcel<T>>);

impl<T> Receiver<T> {
    /// See [`tokio::sync::oneshot::Receiver::close`].
    pub fn close(&mut self) {
        self.inner.close();
    }

    /// See [`tokio::sync::oneshot::Receiver::is_terminated`].
    pub fn is_terminated(&self) -> bool {
        self.inner.is_terminated()
    }

    /// See [`tokio::sync::oneshot::Receiver::is_empty`].
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// See [`tokio::sync::oneshot::Receiver::try_recv`].
    ///
    /// # Errors
    ///
    /// When nothing is there yet, or never will be.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.inner.try_recv().map(|parcel| self.take(parcel))
    }

    /// See [`tokio::sync::oneshot::Receiver::blocking_recv`].
    ///
    /// # Errors
    ///
    /// When the sender is gone without a message.
    ///
    /// # Panics
    ///
    /// Within an asynchronous context, as the original does.
    #[track_caller]
    pub fn blocking_recv(self) -> Result<T, RecvError> {
        let Self { inner, inlet } = self;
        let parcel = inner.blocking_recv()?;
        Ok(inlet.accept(parcel))
    }

    #[inline]
    fn take(&self, parcel: Parcel<T>) -> T {
        self.inlet.accept(parcel)
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, RecvError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let poll = Pin::new(&mut self.inner).poll(cx);
        poll.map(|received| received.map(|parcel| self.take(parcel)))
    }
}
