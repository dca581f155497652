//! The unbounded channel: a send never waits.

use std::future::poll_fn;
use std::panic::Location;
use std::task::{Context, Poll};

use tokio::sync::mpsc as original;
use tokio::sync::mpsc::error::{SendError, TryRecvError};

use crate::channel::ends::{receiving_end, sending_end};
use crate::channel::link::{Inlet, Outlet, link};
use crate::channel::parcel::Parcel;
use crate::channel::spare::Spare;
use crate::event::Outcome;

/// A channel without a bound; see [`tokio::sync::mpsc::unbounded_channel`].
#[track_caller]
pub fn unbounded_channel<T>() -> (UnboundedSender<T>, UnboundedReceiver<T>) {
    let (outlet, inlet) = link(Location::caller());
    let (sender, receiver) = original::unbounded_channel();
    let sender = UnboundedSender {
        inner: sender,
        outlet,
    };
    let receiver = UnboundedReceiver {
        inner: receiver,
        inlet,
        spare: Spare::new(),
    };
    (sender, receiver)
}

/// The sending end; see [`tokio::sync::mpsc::UnboundedSender`].
pub struct UnboundedSender<T> {
    inner: original::UnboundedSender<Parcel<T>>,
    outlet: Outlet<T>,
}

sending_end!(UnboundedSender<T>, original::UnboundedSender<Parcel<T>>);

impl<T> UnboundedSender<T> {
    /// See [`tokio::sync::mpsc::UnboundedSender::send`].
    ///
    /// # Errors
    ///
    /// When the receiver is gone or closed; the message comes back.
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        let depth = || Some(self.outlet.counted_inside());
        let put = |parcel| self.inner.send(parcel);
        let outcome = |result: &Result<_, _>| {
            if result.is_ok() {
                self.outlet.count_in();
            }
            Outcome::of_result(result)
        };
        self.outlet
            .send(message, depth, put, outcome)
            .map_err(|SendError(parcel)| SendError(parcel.give_back()))
    }

    /// See [`tokio::sync::mpsc::UnboundedSender::closed`].
    pub async fn closed(&self) {
        self.inner.closed().await;
    }

    /// See [`tokio::sync::mpsc::UnboundedSender::is_closed`].
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    /// See [`tokio::sync::mpsc::UnboundedSender::same_channel`].
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }

    /// See [`tokio::sync::mpsc::UnboundedSender::downgrade`].
    pub fn downgrade(&self) -> WeakUnboundedSender<T> {
        WeakUnboundedSender {
            inner: self.inner.downgrade(),
            outlet: self.outlet.clone(),
        }
    }

    /// See [`tokio::sync::mpsc::UnboundedSender::strong_count`].
    pub fn strong_count(&self) -> usize {
        self.inner.strong_count()
    }

    /// See [`tokio::sync::mpsc::UnboundedSender::weak_count`].
    pub fn weak_count(&self) -> usize {
        self.inner.weak_count()
    }
}

impl<T> Clone for UnboundedSender<T> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            outlet: self.outlet.clone(),
        }
    }
}

/// A sender that does not keep the channel open; see [`tokio::sync::mpsc::WeakUnboundedSender`].
pub struct WeakUnboundedSender<T> {
    inner: original::WeakUnboundedSender<Parcel<T>>,
    outlet: Outlet<T>,
}

sending_end!(
    WeakUnboundedSender<T>,
    original::WeakUnboundedSender<Parcel<T>>
);

impl<T> WeakUnboundedSender<T> {
    /// See [`tokio::sync::mpsc::WeakUnboundedSender::upgrade`].
    pub fn upgrade(&self) -> Option<UnboundedSender<T>> {
        self.inner.upgrade().map(|inner| UnboundedSender {
            inner,
            outlet: self.outlet.clone(),
        })
    }

    /// See [`tokio::sync::mpsc::WeakUnboundedSender::strong_count`].
    pub fn strong_count(&self) -> usize {
        self.inner.strong_count()
    }

    /// See [`tokio::sync::mpsc::WeakUnboundedSender::weak_count`].
    pub fn weak_count(&self) -> usize {
        self.inner.weak_count()
    }
}

impl<T> Clone for WeakUnboundedSender<T> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            outlet: self.outlet.clone(),
        }
    }
}

/// The receiving end; see [`tokio::sync::mpsc::UnboundedReceiver`].
pub struct UnboundedReceiver<T> {
    inner: original::UnboundedReceiver<Parcel<T>>,
    inlet: Inlet<T>,
    spare: Spare<T>,
}

receiving_end!(UnboundedReceiver<T>, original::UnboundedReceiver<Parcel<T>>);

impl<T> UnboundedReceiver<T> {
    /// See [`tokio::sync::mpsc::UnboundedReceiver::recv`].
    pub async fn recv(&mut self) -> Option<T> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// See [`tokio::sync::mpsc::UnboundedReceiver::recv_many`].
    pub async fn recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
        poll_fn(|cx| self.poll_recv_many(cx, buffer, limit)).await
    }

    /// See [`tokio::sync::mpsc::UnboundedReceiver::try_recv`].
    ///
    /// # Errors
    ///
    /// When the channel is empty.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.inner.try_recv().map(|parcel| self.take(parcel))
    }

    /// See [`tokio::sync::mpsc::UnboundedReceiver::blocking_recv`].
    ///
    /// # Panics
    ///
    /// Within an asynchronous context, as the original does.
    #[track_caller]
    pub fn blocking_recv(&mut self) -> Option<T> {
        let parcel = self.inner.blocking_recv()?;
        Some(self.take(parcel))
    }

    /// See [`tokio::sync::mpsc::UnboundedReceiver::blocking_recv_many`].
    ///
    /// # Panics
    ///
    /// Within an asynchronous context, as the original does.
    #[track_caller]
    pub fn blocking_recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
        let count = self.inner.blocking_recv_many(self.spare.room(), limit);
        self.hand_over(buffer);
        count
    }

    /// See [`tokio::sync::mpsc::UnboundedReceiver::close`].
    pub fn close(&mut self) {
        self.inner.close();
    }

    /// See [`tokio::sync::mpsc::UnboundedReceiver::is_closed`].
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    /// See [`tokio::sync::mpsc::UnboundedReceiver::is_empty`].
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// See [`tokio::sync::mpsc::UnboundedReceiver::len`].
    pub fn len(&self) -> usize {
        self.inner.len()
    }

    /// See [`tokio::sync::mpsc::UnboundedReceiver::poll_recv`].
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.inner
            .poll_recv(cx)
            .map(|parcel| parcel.map(|parcel| self.take(parcel)))
    }

    /// See [`tokio::sync::mpsc::UnboundedReceiver::poll_recv_many`].
    pub fn poll_recv_many(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut Vec<T>,
        limit: usize,
    ) -> Poll<usize> {
        let count = self.inner.poll_recv_many(cx, self.spare.room(), limit);
        self.hand_over(buffer);
        count
    }

    /// See [`tokio::sync::mpsc::UnboundedReceiver::sender_strong_count`].
    pub fn sender_strong_count(&self) -> usize {
        self.inner.sender_strong_count()
    }

    /// See [`tokio::sync::mpsc::UnboundedReceiver::sender_weak_count`].
    pub fn sender_weak_count(&self) -> usize {
        self.inner.sender_weak_count()
    }

    fn hand_over(&mut self, buffer: &mut Vec<T>) {
        let inlet = &self.inlet;
        self.spare
            .move_to(buffer, |parcel| inlet.accept_counted(parcel));
    }

    #[inline]
    fn take(&self, parcel: Parcel<T>) -> T {
        self.inlet.accept_counted(parcel)
    }
}
