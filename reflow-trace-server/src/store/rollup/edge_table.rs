//! Edges by number, while a segment is written or a batch is summed up.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};

use reflow_trace::wire::EdgeNames;

/// The six names of an edge, kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnedEdge {
    pub(crate) names: [Box<str>; 6],
}

impl OwnedEdge {
    fn new(edge: &EdgeNames<'_>) -> Self {
        Self {
            names: parts(edge).map(Box::from),
        }
    }

    fn is(&self, edge: &EdgeNames<'_>) -> bool {
        std::iter::zip(&self.names, parts(edge)).all(|(kept, name)| **kept == *name)
    }
}

const fn parts<'a>(edge: &EdgeNames<'a>) -> [&'a str; 6] {
    [
        edge.from_actor,
        edge.from_port,
        edge.to_actor,
        edge.to_port,
        edge.protocol,
        edge.compression,
    ]
}

/// Gives each edge a number, from 0 upwards. Looking one up that is known allocates nothing.
#[derive(Debug, Default)]
pub(crate) struct EdgeTable {
    edges: Vec<OwnedEdge>,
    /// From the keyed hash of the names.
    places: HashMap<u64, u32, BuildHasherDefault<AsItIs>>,
    hashing: RandomState,
}

impl EdgeTable {
    pub(crate) fn edges(&self) -> &[OwnedEdge] {
        &self.edges
    }

    pub(crate) fn number(&mut self, edge: &EdgeNames<'_>) -> u32 {
        let mut hash = self.hashing.hash_one(edge);
        loop {
            match self.places.get(&hash) {
                Some(&place) if self.edges[place as usize].is(edge) => return place,
                // Two edges with one hash of 64 bits: not in this world, but right nevertheless.
                Some(_) => hash = hash.wrapping_add(1),
                None => break,
            }
        }
        let place = self.edges.len() as u32;
        self.edges.push(OwnedEdge::new(edge));
        self.places.insert(hash, place);
        place
    }
}

/// For keys that are hashes already.
#[derive(Default)]
pub(crate) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}
