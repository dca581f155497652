//! Edges and message types, and the small numbers that stand for them.
//!
//! An edge is (from actor, from port, to actor, to port), with the protocol and the compression that
//! the connector declares. Its identity is that content, never an address. A record holds its number
//! in a dictionary of the process, which only grows and is bounded: past [`EDGES_MAX`] edges or
//! [`TYPES_MAX`] types everything new is counted under one entry named [`OVERFLOW_NAME`].

mod dictionary;
mod handle;
mod name;

pub(crate) use dictionary::{Dictionary, EdgeNumber, OVERFLOW_EDGE, TypeNumber};
pub use dictionary::{EDGES_MAX, OVERFLOW_NAME, TYPES_MAX};
pub use handle::Edge;
pub(crate) use name::{BoundedName, fnv1a};
pub use name::{NAME_BYTES_MAX, bounded_name};

use std::sync::Arc;

/// What names an edge.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct EdgeNames {
    pub(crate) from_actor: Box<str>,
    pub(crate) from_port: Box<str>,
    pub(crate) to_actor: Box<str>,
    pub(crate) to_port: Box<str>,
    pub(crate) protocol: Box<str>,
    pub(crate) compression: Box<str>,
}

/// What a connector uses unless it says otherwise.
pub(crate) const DEFAULT_PROTOCOL: &str = "memory_channel";
/// What a connector uses unless it says otherwise.
pub(crate) const DEFAULT_COMPRESSION: &str = "none";

impl EdgeNames {
    /// Bounds each of the names; see [`bounded_name`].
    pub(crate) fn new(ends: [&str; 4], protocol: &str, compression: &str) -> Arc<Self> {
        let [from_actor, from_port, to_actor, to_port] = ends.map(|name| bounded_name(name).into());
        Arc::new(Self {
            from_actor,
            from_port,
            to_actor,
            to_port,
            protocol: bounded_name(protocol).into(),
            compression: bounded_name(compression).into(),
        })
    }

    pub(crate) fn ends(&self) -> [&str; 4] {
        [
            &self.from_actor,
            &self.from_port,
            &self.to_actor,
            &self.to_port,
        ]
    }
}
