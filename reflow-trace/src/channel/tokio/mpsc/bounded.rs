//! The bounded channel: a send reserves a place, then puts the message in.

use std::future::poll_fn;
use std::panic::Location;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::mpsc as original;
use tokio::sync::mpsc::error::{SendError, SendTimeoutError, TryRecvError, TrySendError};

use super::permit::{OwnedPermit, Permit, PermitIterator};
use crate::channel::ends::{receiving_end, sending_end};
use crate::channel::link::{Inlet, Outlet, link};
use crate::channel::parcel::Parcel;
use crate::channel::spare::Spare;
use crate::channel::waiting::NeverInside;
use crate::event::Outcome;
use crate::probe::channel::{Sending, Slip};

/// A channel with a bound; see [`tokio::sync::mpsc::channel`].
///
/// # Panics
///
/// When `buffer` is 0 or more than tokio can count, as the original does.
#[track_caller]
pub fn channel<T>(buffer: usize) -> (Sender<T>, Receiver<T>) {
    let (outlet, inlet) = link(Location::caller());
    let (sender, receiver) = original::channel(buffer);
    let sender = Sender {
        inner: sender,
        outlet,
    };
    let receiver = Receiver {
        inner: receiver,
        inlet,
        spare: Spare::new(),
    };
    (sender, receiver)
}

/// The sending end; see [`tokio::sync::mpsc::Sender`].
pub struct Sender<T> {
    pub(super) inner: original::Sender<Parcel<T>>,
    pub(super) outlet: Outlet<T>,
}

sending_end!(Sender<T>, original::Sender<Parcel<T>>);

impl<T> Sender<T> {
    /// See [`tokio::sync::mpsc::Sender::send`].
    ///
    /// # Errors
    ///
    /// When the receiver is gone or closed; the message comes back.
    pub async fn send(&self, mut value: T) -> Result<(), SendError<T>> {
        let mut waiting = self.outlet.begin_waiting(&mut value, || self.depth());
        match self.inner.reserve().await {
            Ok(permit) => {
                permit.send(waiting.pack(value));
                waiting.end(Outcome::Delivered);
                Ok(())
            }
            Err(SendError(())) => {
                waiting.end(Outcome::Failed);
                Err(SendError(value))
            }
        }
    }

    /// See [`tokio::sync::mpsc::Sender::send_timeout`].
    ///
    /// # Errors
    ///
    /// When there was no room in time, or the receiver is gone or closed; the message comes back.
    ///
    /// # Panics
    ///
    /// Outside of a runtime of tokio with its time driver, as the original does.
    pub async fn send_timeout(
        &self,
        mut value: T,
        timeout: Duration,
    ) -> Result<(), SendTimeoutError<T>> {
        let mut waiting = self.outlet.begin_waiting(&mut value, || self.depth());
        match tokio::time::timeout(timeout, self.inner.reserve()).await {
            Ok(Ok(permit)) => {
                permit.send(waiting.pack(value));
                waiting.end(Outcome::Delivered);
                Ok(())
            }
            Ok(Err(SendError(()))) => {
                waiting.end(Outcome::Failed);
                Err(SendTimeoutError::Closed(value))
            }
            Err(_elapsed) => {
                waiting.end(Outcome::TimedOut);
                Err(SendTimeoutError::Timeout(value))
            }
        }
    }

    /// See [`tokio::sync::mpsc::Sender::try_send`].
    ///
    /// # Errors
    ///
    /// When there is no room, or the receiver is gone or closed; the message comes back.
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        let put = |parcel| self.inner.try_send(parcel);
        self.outlet
            .send(message, || self.depth(), put, Outcome::of_result)
            .map_err(|error| match error {
                TrySendError::Full(parcel) => TrySendError::Full(parcel.give_back()),
                TrySendError::Closed(parcel) => TrySendError::Closed(parcel.give_back()),
            })
    }

    /// See [`tokio::sync::mpsc::Sender::blocking_send`].
    ///
    /// # Errors
    ///
    /// When the receiver is gone or closed; the message comes back.
    ///
    /// # Panics
    ///
    /// Within an asynchronous context, as the original does.
    #[track_caller]
    pub fn blocking_send(&self, mut value: T) -> Result<(), SendError<T>> {
        let sending = self.outlet.begin(&mut value, || self.depth());
        let slip = sending.as_ref().map_or(Slip::BLANK, Sending::slip);
        // A panic drops the parcel.
        let never_inside = NeverInside::begin();
        let sent = self.inner.blocking_send(Parcel::new(slip, value));
        drop(never_inside);
        if let Some(sending) = sending {
            sending.end(Outcome::of_result(&sent));
        }
        sent.map_err(|SendError(parcel)| SendError(parcel.give_back()))
    }

    /// See [`tokio::sync::mpsc::Sender::reserve`].
    ///
    /// # Errors
    ///
    /// When the receiver is gone or closed.
    pub async fn reserve(&self) -> Result<Permit<'_, T>, SendError<()>> {
        let inner = self.inner.reserve().await?;
        Ok(Permit {
            inner,
            sender: self,
        })
    }

    /// See [`tokio::sync::mpsc::Sender::reserve_many`].
    ///
    /// # Errors
    ///
    /// When the receiver is gone or closed, or the channel can never hold as many.
    pub async fn reserve_many(&self, n: usize) -> Result<PermitIterator<'_, T>, SendError<()>> {
        let inner = self.inner.reserve_many(n).await?;
        Ok(PermitIterator {
            inner,
            sender: self,
        })
    }

    /// See [`tokio::sync::mpsc::Sender::reserve_owned`].
    ///
    /// # Errors
    ///
    /// When the receiver is gone or closed.
    pub async fn reserve_owned(self) -> Result<OwnedPermit<T>, SendError<()>> {
        let Self { inner, outlet } = self;
        let inner = inner.reserve_owned().await?;
        Ok(OwnedPermit { inner, outlet })
    }

    /// See [`tokio::sync::mpsc::Sender::try_reserve`].
    ///
    /// # Errors
    ///
    /// When there is no room, or the receiver is gone or closed.
    pub fn try_reserve(&self) -> Result<Permit<'_, T>, TrySendError<()>> {
        let inner = self.inner.try_reserve()?;
        Ok(Permit {
            inner,
            sender: self,
        })
    }

    /// See [`tokio::sync::mpsc::Sender::try_reserve_many`].
    ///
    /// # Errors
    ///
    /// When there is not enough room, or the receiver is gone or closed.
    pub fn try_reserve_many(&self, n: usize) -> Result<PermitIterator<'_, T>, TrySendError<()>> {
        let inner = self.inner.try_reserve_many(n)?;
        Ok(PermitIterator {
            inner,
            sender: self,
        })
    }

    /// See [`tokio::sync::mpsc::Sender::try_reserve_owned`].
    ///
    /// # Errors
    ///
    /// When there is no room, or the receiver is gone or closed; the sender comes back.
    pub fn try_reserve_owned(self) -> Result<OwnedPermit<T>, TrySendError<Self>> {
        let Self { inner, outlet } = self;
        match inner.try_reserve_owned() {
            Ok(inner) => Ok(OwnedPermit { inner, outlet }),
            Err(TrySendError::Full(inner)) => Err(TrySendError::Full(Self { inner, outlet })),
            Err(TrySendError::Closed(inner)) => Err(TrySendError::Closed(Self { inner, outlet })),
        }
    }

    /// See [`tokio::sync::mpsc::Sender::closed`].
    pub async fn closed(&self) {
        self.inner.closed().await;
    }

    /// See [`tokio::sync::mpsc::Sender::is_closed`].
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    /// See [`tokio::sync::mpsc::Sender::same_channel`].
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }

    /// See [`tokio::sync::mpsc::Sender::capacity`].
    pub fn capacity(&self) -> usize {
        self.inner.capacity()
    }

    /// See [`tokio::sync::mpsc::Sender::max_capacity`].
    pub fn max_capacity(&self) -> usize {
        self.inner.max_capacity()
    }

    /// See [`tokio::sync::mpsc::Sender::downgrade`].
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender {
            inner: self.inner.downgrade(),
            outlet: self.outlet.clone(),
        }
    }

    /// See [`tokio::sync::mpsc::Sender::strong_count`].
    pub fn strong_count(&self) -> usize {
        self.inner.strong_count()
    }

    /// See [`tokio::sync::mpsc::Sender::weak_count`].
    pub fn weak_count(&self) -> usize {
        self.inner.weak_count()
    }

    /// Places that are taken.
    #[inline]
    pub(super) fn depth(&self) -> Option<usize> {
        let taken = self
            .inner
            .max_capacity()
            .saturating_sub(self.inner.capacity());
        Some(taken)
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

/// A sender that does not keep the channel open; see [`tokio::sync::mpsc::WeakSender`].
pub struct WeakSender<T> {
    inner: original::WeakSender<Parcel<T>>,
    outlet: Outlet<T>,
}

sending_end!(WeakSender<T>, original::WeakSender<Parcel<T>>);

impl<T> WeakSender<T> {
    /// See [`tokio::sync::mpsc::WeakSender::upgrade`].
    pub fn upgrade(&self) -> Option<Sender<T>> {
        self.inner.upgrade().map(|inner| Sender {
            inner,
            outlet: self.outlet.clone(),
        })
    }

    /// See [`tokio::sync::mpsc::WeakSender::strong_count`].
    pub fn strong_count(&self) -> usize {
        self.inner.strong_count()
    }

    /// See [`tokio::sync::mpsc::WeakSender::weak_count`].
    pub fn weak_count(&self) -> usize {
        self.inner.weak_count()
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

/// The receiving end; see [`tokio::sync::mpsc::Receiver`].
pub struct Receiver<T> {
    inner: original::Receiver<Parcel<T>>,
    inlet: Inlet<T>,
    spare: Spare<T>,
}

receiving_end!(Receiver<T>, original::Receiver<Parcel<T>>);

impl<T> Receiver<T> {
    /// See [`tokio::sync::mpsc::Receiver::recv`].
    pub async fn recv(&mut self) -> Option<T> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// See [`tokio::sync::mpsc::Receiver::recv_many`].
    pub async fn recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
        poll_fn(|cx| self.poll_recv_many(cx, buffer, limit)).await
    }

    /// See [`tokio::sync::mpsc::Receiver::try_recv`].
    ///
    /// # Errors
    ///
    /// When the channel is empty.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.inner.try_recv().map(|parcel| self.take(parcel))
    }

    /// See [`tokio::sync::mpsc::Receiver::blocking_recv`].
    ///
    /// # Panics
    ///
    /// Within an asynchronous context, as the original does.
    #[track_caller]
    pub fn blocking_recv(&mut self) -> Option<T> {
        let parcel = self.inner.blocking_recv()?;
        Some(self.take(parcel))
    }

    /// See [`tokio::sync::mpsc::Receiver::blocking_recv_many`].
    ///
    /// # Panics
    ///
    /// Within an asynchronous context, as the original does.
    #[track_caller]
    pub fn blocking_recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
        let count = self.inner.blocking_recv_many(self.spare.room(), limit);
        self.spare
            .move_to(buffer, |parcel| self.inlet.accept(parcel));
        count
    }

    /// See [`tokio::sync::mpsc::Receiver::close`].
    pub fn close(&mut self) {
        self.inner.close();
    }

    /// See [`tokio::sync::mpsc::Receiver::is_closed`].
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    /// See [`tokio::sync::mpsc::Receiver::is_empty`].
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// See [`tokio::sync::mpsc::Receiver::len`].
    pub fn len(&self) -> usize {
        self.inner.len()
    }

    /// See [`tokio::sync::mpsc::Receiver::capacity`].
    pub fn capacity(&self) -> usize {
        self.inner.capacity()
    }

    /// See [`tokio::sync::mpsc::Receiver::max_capacity`].
    pub fn max_capacity(&self) -> usize {
        self.inner.max_capacity()
    }

    /// See [`tokio::sync::mpsc::Receiver::poll_recv`].
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.inner
            .poll_recv(cx)
            .map(|parcel| parcel.map(|parcel| self.take(parcel)))
    }

    /// See [`tokio::sync::mpsc::Receiver::poll_recv_many`].
    pub fn poll_recv_many(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut Vec<T>,
        limit: usize,
    ) -> Poll<usize> {
        let count = self.inner.poll_recv_many(cx, self.spare.room(), limit);
        self.spare
            .move_to(buffer, |parcel| self.inlet.accept(parcel));
        count
    }

    /// See [`tokio::sync::mpsc::Receiver::sender_strong_count`].
    pub fn sender_strong_count(&self) -> usize {
        self.inner.sender_strong_count()
    }

    /// See [`tokio::sync::mpsc::Receiver::sender_weak_count`].
    pub fn sender_weak_count(&self) -> usize {
        self.inner.sender_weak_count()
    }

    #[inline]
    fn take(&self, parcel: Parcel<T>) -> T {
        self.inlet.accept(parcel)
    }
}
