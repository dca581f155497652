//! The names of ends, and the edges between them.

use std::panic::Location;
use std::sync::Arc;

use crate::edge::{DEFAULT_COMPRESSION, DEFAULT_PROTOCOL, EdgeNames, EdgeNumber, bounded};
use crate::runtime::dictionary;

/// The name of an end: an actor and a port.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct EndName {
    actor: Box<str>,
    port: Box<str>,
}

impl EndName {
    pub(super) fn new(actor: &str, port: &str) -> Arc<Self> {
        Arc::new(Self {
            actor: bounded(actor).into(),
            port: bounded(port).into(),
        })
    }
}

/// The edge from a sender to a receiver; an end without a name is called after the place in the source
/// where the channel is made.
pub(super) fn edge_between(
    sender: Option<&EndName>,
    receiver: Option<&EndName>,
    site: &Location<'_>,
) -> EdgeNumber {
    let site = format!("{}:{}", site.file(), site.line());
    let [from_actor, from_port] = match sender {
        Some(name) => [&*name.actor, &*name.port],
        None => [site.as_str(), "out"],
    };
    let [to_actor, to_port] = match receiver {
        Some(name) => [&*name.actor, &*name.port],
        None => [site.as_str(), "in"],
    };
    number_of([from_actor, from_port, to_actor, to_port])
}

/// The edge from the sender of another edge.
pub(super) fn edge_to(edge: EdgeNumber, receiver: &EndName) -> EdgeNumber {
    let names = dictionary().edge_names(edge);
    number_of([
        &names.from_actor,
        &names.from_port,
        &receiver.actor,
        &receiver.port,
    ])
}

fn number_of(ends: [&str; 4]) -> EdgeNumber {
    dictionary().edge(EdgeNames::new(ends, DEFAULT_PROTOCOL, DEFAULT_COMPRESSION))
}
