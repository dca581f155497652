//! The names of ends, and the edges between them.
//!
//! A sender keeps the number of its edge, so that names are looked up once for most channels. A channel
//! that is made for a single message looks them up for that message: each thread remembers some edges by
//! the content of their names, so that this neither locks nor allocates.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::panic::Location;
use std::sync::Arc;

use crate::edge::{
    BoundedName, DEFAULT_COMPRESSION, DEFAULT_PROTOCOL, EdgeNames, EdgeNumber, bounded_name, fnv1a,
};
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
            actor: bounded_name(actor).into(),
            port: bounded_name(port).into(),
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
    let mut place = BoundedName::default();
    // A buffer takes whatever it is given.
    let _fits = write!(place, "{}:{}", site.file(), site.line());
    let place = place.finish();
    let [from_actor, from_port] = match sender {
        Some(name) => [&*name.actor, &*name.port],
        None => [place, "out"],
    };
    let [to_actor, to_port] = match receiver {
        Some(name) => [&*name.actor, &*name.port],
        None => [place, "in"],
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

const PLACES: usize = 64;

type Remembered = Option<(Arc<EdgeNames>, EdgeNumber)>;

thread_local! {
    static EDGES: RefCell<[Remembered; PLACES]> = const { RefCell::new([const { None }; PLACES]) };
}

fn number_of(ends: [&str; 4]) -> EdgeNumber {
    let hash = ends.iter().fold(0, |hash: u64, end| {
        fnv1a(end.as_bytes()) ^ hash.rotate_left(7)
    });
    let found = EDGES.try_with(|edges| {
        let mut edges = edges.borrow_mut();
        let place = &mut edges[hash as usize % PLACES];
        match place {
            Some((names, number)) if names.ends() == ends => *number,
            _ => {
                let (names, number) = look_up(ends);
                *place = Some((names, number));
                number
            }
        }
    });
    // On a thread that is exiting nothing is remembered.
    found.unwrap_or_else(|_| look_up(ends).1)
}

#[cold]
fn look_up(ends: [&str; 4]) -> (Arc<EdgeNames>, EdgeNumber) {
    let names = EdgeNames::new(ends, DEFAULT_PROTOCOL, DEFAULT_COMPRESSION);
    let number = dictionary().edge(Arc::clone(&names));
    (names, number)
}
