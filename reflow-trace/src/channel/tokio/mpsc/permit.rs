//! Places that are reserved, and the sends that use them.

use std::fmt;
use std::iter::FusedIterator;

use tokio::sync::mpsc as original;

use super::bounded::Sender;
use crate::channel::link::Outlet;
use crate::channel::parcel::Parcel;
use crate::event::Outcome;

/// A reserved place; see [`tokio::sync::mpsc::Permit`].
pub struct Permit<'a, T> {
    pub(super) inner: original::Permit<'a, Parcel<T>>,
    pub(super) sender: &'a Sender<T>,
}

impl<T> Permit<'_, T> {
    /// See [`tokio::sync::mpsc::Permit::send`].
    pub fn send(self, value: T) {
        let Self { inner, sender } = self;
        // The place of this message is not before it.
        let depth = || sender.depth().map(|taken| taken.saturating_sub(1));
        sender.outlet.send(
            value,
            depth,
            |parcel| inner.send(parcel),
            |()| Outcome::Delivered,
        );
    }
}

impl<T> fmt::Debug for Permit<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}

/// Several reserved places; see [`tokio::sync::mpsc::PermitIterator`].
pub struct PermitIterator<'a, T> {
    pub(super) inner: original::PermitIterator<'a, Parcel<T>>,
    pub(super) sender: &'a Sender<T>,
}

impl<'a, T> Iterator for PermitIterator<'a, T> {
    type Item = Permit<'a, T>;

    fn next(&mut self) -> Option<Permit<'a, T>> {
        self.inner.next().map(|inner| Permit {
            inner,
            sender: self.sender,
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

impl<T> ExactSizeIterator for PermitIterator<'_, T> {}
impl<T> FusedIterator for PermitIterator<'_, T> {}

impl<T> fmt::Debug for PermitIterator<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PermitIterator").finish_non_exhaustive()
    }
}

/// A reserved place that owns its sender; see [`tokio::sync::mpsc::OwnedPermit`].
pub struct OwnedPermit<T> {
    pub(super) inner: original::OwnedPermit<Parcel<T>>,
    pub(super) outlet: Outlet<T>,
}

impl<T> OwnedPermit<T> {
    /// See [`tokio::sync::mpsc::OwnedPermit::send`].
    pub fn send(self, value: T) -> Sender<T> {
        let Self { inner, outlet } = self;
        let inner = outlet.send(
            value,
            || None,
            |parcel| inner.send(parcel),
            |_| Outcome::Delivered,
        );
        Sender { inner, outlet }
    }

    /// See [`tokio::sync::mpsc::OwnedPermit::release`].
    pub fn release(self) -> Sender<T> {
        Sender {
            inner: self.inner.release(),
            outlet: self.outlet,
        }
    }

    /// See [`tokio::sync::mpsc::OwnedPermit::same_channel`].
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }

    /// See [`tokio::sync::mpsc::OwnedPermit::same_channel_as_sender`].
    pub fn same_channel_as_sender(&self, sender: &Sender<T>) -> bool {
        self.inner.same_channel_as_sender(&sender.inner)
    }
}

impl<T> fmt::Debug for OwnedPermit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedPermit").finish_non_exhaustive()
    }
}
