//! What both ends of a traced channel share, and what each end knows of itself.
//!
//! The edge of a message is the name of the sending handle and the name of the receiving end. A sender
//! keeps the number of its edge beside the version of the receiver's name that it was made with, in one
//! word, so that a send finds it with two relaxed loads. A new name is a new version, and the next
//! message makes a new edge.
//!
//! The message carries its edge. A receiving handle that has another name than the one by which the
//! message was sent (several receivers, or a new name while messages were inside) counts it under an
//! edge from the same sender to itself.

use std::panic::Location;
use std::sync::atomic::{AtomicIsize, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use super::name::{EndName, edge_between, edge_to};
use super::parcel::Parcel;
use crate::event::Outcome;
use crate::message::Message;
use crate::probe::Depth;
#[cfg(feature = "_waiting")]
use crate::probe::channel::Sending;
use crate::probe::channel::{self, Policy, Slip, Way};

/// What both ends share.
pub(super) struct Link<M> {
    /// Where the channel was made: the name of ends that have none.
    site: &'static Location<'static>,
    receiver: RwLock<Option<Arc<EndName>>>,
    /// Counts the names of the receiving end, from 1.
    version: AtomicU32,
    policy: OnceLock<Policy<M>>,
    /// Messages inside, for originals that do not tell. Behind by those that are just going in, and
    /// below zero when one of them has come out first.
    inside: AtomicIsize,
    /// The way that a sender looked up last, for messages of which nothing else is left.
    #[cfg(feature = "tokio")]
    last_way: AtomicU64,
}

impl<M> Link<M> {
    #[inline]
    fn policy(&self) -> Option<&Policy<M>> {
        self.policy.get()
    }

    fn name_receiver(&self, name: &Arc<EndName>) -> u32 {
        let mut receiver = self
            .receiver
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *receiver = Some(Arc::clone(name));
        self.version.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }
}

/// Both ends of a new channel.
pub(super) fn link<M>(site: &'static Location<'static>) -> (Outlet<M>, Inlet<M>) {
    let link = Arc::new(Link {
        site,
        receiver: RwLock::new(None),
        version: AtomicU32::new(1),
        policy: OnceLock::new(),
        inside: AtomicIsize::new(0),
        #[cfg(feature = "tokio")]
        last_way: AtomicU64::new(0),
    });
    (Outlet::of(Arc::clone(&link)), Inlet::of(link))
}

/// What a sending handle knows of itself.
pub(super) struct Outlet<M> {
    link: Arc<Link<M>>,
    name: Option<Arc<EndName>>,
    /// The version of the receiver's name, and the number of the edge; 0: not looked up yet.
    edge: AtomicU64,
}

impl<M> Clone for Outlet<M> {
    fn clone(&self) -> Self {
        Self {
            link: Arc::clone(&self.link),
            name: self.name.clone(),
            edge: AtomicU64::new(self.edge.load(Ordering::Relaxed)),
        }
    }
}

impl<M> Outlet<M> {
    fn of(link: Arc<Link<M>>) -> Self {
        Self {
            link,
            name: None,
            edge: AtomicU64::new(0),
        }
    }

    pub(super) fn set_name(&mut self, actor: &str, port: &str) {
        self.name = Some(EndName::new(actor, port));
        self.edge = AtomicU64::new(0);
    }

    pub(super) fn use_policy(&self)
    where
        M: Message,
    {
        // Once is enough: there is one policy for a type.
        let _known = self.link.policy.set(Policy::OF_TYPE);
    }

    #[inline]
    fn way(&self) -> Way {
        let receiver = self.link.version.load(Ordering::Relaxed);
        let known = self.edge.load(Ordering::Relaxed);
        if (known >> 32) as u32 == receiver {
            return Way {
                edge: known as u32,
                receiver,
            };
        }
        self.look_up(receiver)
    }

    #[cold]
    fn look_up(&self, receiver: u32) -> Way {
        let edge = {
            let name = self
                .link
                .receiver
                .read()
                .unwrap_or_else(PoisonError::into_inner);
            edge_between(self.name.as_deref(), name.as_deref(), self.link.site)
        };
        let known = (u64::from(receiver) << 32) | u64::from(edge);
        self.edge.store(known, Ordering::Relaxed);
        #[cfg(feature = "tokio")]
        self.link.last_way.store(known, Ordering::Relaxed);
        Way { edge, receiver }
    }

    /// Begins a send; `None` when nothing is being recorded.
    #[cfg(feature = "_waiting")]
    #[inline]
    pub(super) fn begin(
        &self,
        message: &mut M,
        depth: impl FnOnce() -> Option<usize>,
    ) -> Option<Sending> {
        if !crate::probe::on() {
            return None;
        }
        let depth = Depth::of(depth());
        let way = self.way();
        Some(channel::begin_send(message, self.link.policy(), way, depth))
    }

    /// Sends by a call: `put` hands the parcel to the original and says what became of it.
    #[inline]
    pub(super) fn send<R>(
        &self,
        message: M,
        depth: impl FnOnce() -> Option<usize>,
        put: impl FnOnce(Parcel<M>) -> R,
        outcome: impl FnOnce(&R) -> Outcome,
    ) -> R {
        if !crate::probe::on() {
            return put(Parcel::new(Slip::BLANK, message));
        }
        // The slip is filled in where it lies: it is copied as seldom as the message.
        let mut parcel = Parcel::new(Slip::BLANK, message);
        let mut flow = {
            let depth = Depth::of(depth());
            let (slip, message) = parcel.parts();
            channel::begin_beside(message, slip, self.link.policy(), self.way(), depth)
        };
        let result = put(parcel);
        flow.end(outcome(&result));
        result
    }

    /// How many messages are inside, as counted by [`Self::count_in`] and [`Inlet::accept_counted`].
    #[inline]
    pub(super) fn counted_inside(&self) -> usize {
        self.link.inside.load(Ordering::Relaxed).max(0) as usize
    }

    /// A message went in.
    #[inline]
    pub(super) fn count_in(&self) {
        self.link.inside.fetch_add(1, Ordering::Relaxed);
    }
}

/// What a receiving handle knows of itself.
pub(super) struct Inlet<M> {
    link: Arc<Link<M>>,
    name: Option<Arc<EndName>>,
    /// The version of this handle's own name; 0: it has none.
    version: u32,
    /// The last edge that a message came by, and the one from the same sender to this handle.
    edge: AtomicU64,
}

impl<M> Clone for Inlet<M> {
    fn clone(&self) -> Self {
        Self {
            name: self.name.clone(),
            version: self.version,
            ..Self::of(Arc::clone(&self.link))
        }
    }
}

impl<M> Inlet<M> {
    fn of(link: Arc<Link<M>>) -> Self {
        Self {
            link,
            name: None,
            version: 0,
            edge: AtomicU64::new(0),
        }
    }

    #[cfg(feature = "tokio")]
    /// A receiving handle of the same channel, without a name of its own.
    pub(super) fn of_outlet(outlet: &Outlet<M>) -> Self {
        Self::of(Arc::clone(&outlet.link))
    }

    pub(super) fn set_name(&mut self, actor: &str, port: &str) {
        let name = EndName::new(actor, port);
        self.version = self.link.name_receiver(&name);
        self.name = Some(name);
        self.edge = AtomicU64::new(0);
    }

    pub(super) fn use_policy(&self)
    where
        M: Message,
    {
        let _known = self.link.policy.set(Policy::OF_TYPE);
    }

    /// The edge under which this handle counts a message.
    #[inline]
    pub(super) fn edge_of(&self, slip: &Slip) -> u32 {
        if self.version == 0 || self.version == slip.receiver() {
            return slip.edge();
        }
        let known = self.edge.load(Ordering::Relaxed);
        if (known >> 32) as u32 == slip.edge() && known != 0 {
            return known as u32;
        }
        self.look_up(slip.edge())
    }

    #[cold]
    fn look_up(&self, came_by: u32) -> u32 {
        let Some(name) = self.name.as_deref() else {
            return came_by;
        };
        let edge = edge_to(came_by, name);
        let known = (u64::from(came_by) << 32) | u64::from(edge);
        self.edge.store(known, Ordering::Relaxed);
        edge
    }

    /// The edge of messages that are gone before anybody knows who sent them.
    #[cfg(feature = "tokio")]
    pub(super) fn edge_of_last(&self) -> u32 {
        let last = self.link.last_way.load(Ordering::Relaxed);
        let (receiver, edge) = ((last >> 32) as u32, last as u32);
        if receiver == 0 {
            edge_between(None, self.name.as_deref(), self.link.site)
        } else if self.version == 0 || self.version == receiver {
            edge
        } else {
            self.look_up(edge)
        }
    }

    /// Takes the message out of a parcel that was received.
    #[cfg(any(feature = "crossbeam", feature = "_waiting"))]
    #[inline]
    pub(super) fn accept(&self, parcel: Parcel<M>) -> M {
        parcel.open_as(|slip, message| self.received(slip, message))
    }

    /// The same, where the sender counts what is inside.
    #[inline]
    pub(super) fn accept_counted(&self, parcel: Parcel<M>) -> M {
        parcel.open_as(|slip, message| {
            self.link.inside.fetch_sub(1, Ordering::Relaxed);
            self.received(slip, message);
        })
    }

    /// Records that a message was received.
    #[inline]
    pub(super) fn received(&self, slip: &Slip, message: &M) {
        channel::received(slip, message, self.link.policy(), self.edge_of(slip));
    }
}
