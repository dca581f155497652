//! Finding the counters and the policy of a message in a few nanoseconds.
//!
//! A *flow* is an edge with a message type. A thread finds a flow by the addresses of the four names
//! in a table of 128 places and then compares the names themselves: addresses only say where to look.
//! What is not there is found by a hash of the contents, and what is new is looked up in the
//! dictionary of the process.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Counter, FlowCell, LaneShared};
use crate::edge::{
    BoundedName, Edge, EdgeNames, EdgeNumber, NAME_BYTES_MAX, OVERFLOW_EDGE, TypeNumber,
};
use crate::message::MessageKind;
use crate::probe::{Name, Site};
use crate::runtime::{Runtime, dictionary, thresholds};
use crate::sampling::{Threshold, Verdict};

/// What a flow is counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Purpose {
    Send,
    Receive,
    /// Out of a traced channel.
    Take,
    /// Dropped inside a traced channel.
    Loss,
    /// The life of an actor.
    Life,
}

/// The type of a message.
#[derive(Clone, Copy)]
pub(crate) enum KindRef {
    /// With a policy.
    Kind(&'static MessageKind),
    /// Without one: the full path of the Rust type.
    Path(&'static str),
    /// No message.
    None,
}

impl KindRef {
    /// Tells kinds apart. The addresses are those of statics, which stay what they are.
    #[inline(always)]
    fn key(&self) -> (usize, usize) {
        match self {
            Self::Kind(kind) => (std::ptr::from_ref::<MessageKind>(kind).addr(), 0),
            Self::Path(path) => (path.as_ptr().addr(), path.len() + 1),
            Self::None => (0, 0),
        }
    }

    fn number(&self) -> TypeNumber {
        match self {
            Self::Kind(kind) => kind.number(),
            Self::Path(path) => dictionary().message_type(short_type_name(path)),
            Self::None => 0,
        }
    }
}

/// `alloc::vec::Vec<u8>` becomes `Vec<u8>`: the path before the name goes, its arguments stay.
fn short_type_name(path: &str) -> &str {
    let end = path.find(['<', '(', '[', '&', ' ']).unwrap_or(path.len());
    path[..end].rfind("::").map_or(path, |at| &path[at + 2..])
}

/// What names a flow at a call site.
#[derive(Clone, Copy)]
pub(crate) enum FlowKey<'a> {
    /// The four names, as they are now. All of them text; others do not come this far.
    Names(&'a [Name<'a>; 4]),
    /// A handle.
    Handle(&'a Edge),
    /// An edge known by number, whose names are those in the dictionary.
    Number(EdgeNumber),
}

/// What is known of a flow on this thread.
pub(crate) struct FlowEntry {
    pub(crate) names: Arc<EdgeNames>,
    pub(crate) edge: EdgeNumber,
    pub(crate) message_type: TypeNumber,
    pub(crate) cell: Arc<FlowCell>,
    /// What the names of the ends say, in the type's policy and in the sampler.
    pub(crate) actors: Verdict,
    pub(crate) threshold: Threshold,
    /// Number of that threshold, and of the one that keeps everything.
    pub(crate) policy: u16,
    pub(crate) policy_always: u16,
    kind: (usize, usize),
    purpose: Purpose,
    site: usize,
    next_of_edge: u32,
}

const PLACES: usize = 128;
const NOWHERE: u32 = u32::MAX;

/// The flows that a lane has met.
pub(crate) struct FlowTable {
    entries: Vec<FlowEntry>,
    /// By the addresses of the names.
    places: Box<[u32; PLACES]>,
    /// By handle or number: the newest entry of each edge, from which the others are chained.
    of_edge: Vec<u32>,
    /// By content.
    of_content: HashMap<u64, Vec<u32>>,
    /// Those of edges that the dictionary had no room for: one for each kind and verdict, else the table
    /// would grow with every name.
    overflowed: Vec<u32>,
    cells: HashMap<(EdgeNumber, TypeNumber, Purpose), Arc<FlowCell>>,
}

impl FlowTable {
    pub(crate) fn new() -> Self {
        Self {
            entries: Vec::new(),
            places: Box::new([NOWHERE; PLACES]),
            of_edge: Vec::new(),
            of_content: HashMap::new(),
            overflowed: Vec::new(),
            cells: HashMap::new(),
        }
    }

    /// The flow, which is entered if it is new.
    ///
    /// `kind` comes by reference: copied whole right after it was written in parts, it would stall the
    /// processor's forwarding of stores.
    #[inline(always)]
    pub(crate) fn find(
        &mut self,
        key: FlowKey<'_>,
        kind: &KindRef,
        purpose: Purpose,
        site: &'static Site,
        lane: &LaneShared,
        runtime: &Runtime,
    ) -> &FlowEntry {
        let wanted = (kind.key(), purpose, std::ptr::from_ref(site).addr());
        let index = match key {
            FlowKey::Names(names) => {
                let place = place_of(names, wanted.0.0);
                let index = self.places[place];
                match self.entries.get(index as usize) {
                    Some(entry) if entry.is(wanted) && entry.has_ends(names) => index,
                    _ => {
                        let names = names.each_ref().map(text_of);
                        let index = self.find_by_content(names, kind, wanted, site, lane, runtime);
                        self.places[place] = index;
                        index
                    }
                }
            }
            FlowKey::Handle(edge) => {
                self.find_of_edge(edge.number(), kind, wanted, site, lane, runtime)
            }
            FlowKey::Number(edge) => self.find_of_edge(edge, kind, wanted, site, lane, runtime),
        };
        &self.entries[index as usize]
    }

    #[inline(always)]
    fn find_of_edge(
        &mut self,
        edge: EdgeNumber,
        kind: &KindRef,
        wanted: Wanted,
        site: &'static Site,
        lane: &LaneShared,
        runtime: &Runtime,
    ) -> u32 {
        let mut index = self.of_edge.get(edge as usize).copied().unwrap_or(NOWHERE);
        while let Some(entry) = self.entries.get(index as usize) {
            if entry.is(wanted) {
                return index;
            }
            index = entry.next_of_edge;
        }
        self.enter_of_edge(edge, kind, wanted, site, lane, runtime)
    }

    #[cold]
    fn enter_of_edge(
        &mut self,
        edge: EdgeNumber,
        kind: &KindRef,
        wanted: Wanted,
        site: &'static Site,
        lane: &LaneShared,
        runtime: &Runtime,
    ) -> u32 {
        let names = site.over(dictionary().edge_names(edge));
        let index = self.enter(names, kind, wanted, lane, runtime);
        if self.entries[index as usize].edge == OVERFLOW_EDGE {
            // It may stand for several edges, so it is in no chain.
            return index;
        }
        if self.of_edge.len() <= edge as usize {
            self.of_edge.resize(edge as usize + 1, NOWHERE);
        }
        self.entries[index as usize].next_of_edge = self.of_edge[edge as usize];
        self.of_edge[edge as usize] = index;
        index
    }

    #[cold]
    fn find_by_content(
        &mut self,
        names: [&str; 4],
        kind: &KindRef,
        wanted: Wanted,
        site: &'static Site,
        lane: &LaneShared,
        runtime: &Runtime,
    ) -> u32 {
        if names.iter().all(|name| name.len() <= NAME_BYTES_MAX) {
            return self.find_bounded(names, kind, wanted, site, lane, runtime);
        }
        // On the stack: this is the way of every message over an edge with so long a name.
        let mut bounded = names.map(BoundedName::of);
        let mut bounded = bounded.iter_mut();
        let names = names.map(|_| bounded.next().map_or("", BoundedName::finish));
        self.find_bounded(names, kind, wanted, site, lane, runtime)
    }

    fn find_bounded(
        &mut self,
        names: [&str; 4],
        kind: &KindRef,
        wanted: Wanted,
        site: &'static Site,
        lane: &LaneShared,
        runtime: &Runtime,
    ) -> u32 {
        let hash = content_hash(&names);
        let ends = names.map(Name::Text);
        // The site says what else belongs to the edge: the protocol and the compression.
        let known = self
            .of_content
            .get(&hash)
            .into_iter()
            .flatten()
            .copied()
            .find(|&index| {
                let entry = &self.entries[index as usize];
                entry.is(wanted) && entry.has_ends(&ends)
            });
        known.unwrap_or_else(|| {
            let names = EdgeNames::new(names, site.protocol_name(), site.compression_name());
            let index = self.enter(names, kind, wanted, lane, runtime);
            if self.entries[index as usize].edge != OVERFLOW_EDGE {
                self.of_content.entry(hash).or_default().push(index);
            }
            index
        })
    }

    fn enter(
        &mut self,
        names: Arc<EdgeNames>,
        kind: &KindRef,
        wanted: Wanted,
        lane: &LaneShared,
        runtime: &Runtime,
    ) -> u32 {
        let (kind_key, purpose, site) = wanted;
        let edge = dictionary().edge(Arc::clone(&names));
        let message_type = kind.number();
        let [from_actor, _, to_actor, _] = names.ends();
        let (by_type, threshold) = match kind {
            KindRef::Kind(kind) => (
                kind.verdict_of_actors(from_actor, to_actor),
                kind.threshold(),
            ),
            KindRef::Path(_) | KindRef::None => (Verdict::ByRate, Threshold::ALWAYS),
        };
        let (by_sampler, sampler_threshold) = match (purpose, runtime.sampler()) {
            // A life is no message, and one of it is worth more than a rate of it.
            (Purpose::Life, _) | (_, None) => (Verdict::ByRate, Threshold::ALWAYS),
            (_, Some(sampler)) => (
                sampler.verdict(from_actor, to_actor),
                Threshold::from_rate(sampler.sample_rate),
            ),
        };
        let actors = by_type.min(by_sampler);
        let is_overflow = edge == OVERFLOW_EDGE;
        if is_overflow
            && let Some(&index) = self.overflowed.iter().find(|&&index| {
                let entry = &self.entries[index as usize];
                entry.is(wanted) && entry.actors == actors
            })
        {
            return index;
        }
        let names = if is_overflow {
            self.overflowed.push(self.entries.len() as u32);
            dictionary().edge_names(edge)
        } else {
            names
        };
        // The rarer of the two rates: R that reaches the larger threshold reaches both.
        let threshold = threshold.max(sampler_threshold);
        let cell = self.cell(edge, message_type, purpose, lane);
        self.entries.push(FlowEntry {
            names,
            edge,
            message_type,
            cell,
            actors,
            threshold,
            policy: thresholds().number(threshold),
            policy_always: thresholds().number(Threshold::ALWAYS),
            kind: kind_key,
            purpose,
            site,
            next_of_edge: NOWHERE,
        });
        (self.entries.len() - 1) as u32
    }

    /// The counters of a flow.
    pub(crate) fn cell(
        &mut self,
        edge: EdgeNumber,
        message_type: TypeNumber,
        purpose: Purpose,
        lane: &LaneShared,
    ) -> Arc<FlowCell> {
        let cell = self
            .cells
            .entry((edge, message_type, purpose))
            .or_insert_with(|| {
                let cell = Arc::new(FlowCell {
                    edge,
                    message_type,
                    purpose,
                    messages: Counter::default(),
                    bytes: Counter::default(),
                    failures: Counter::default(),
                    not_sampled: Counter::default(),
                });
                lane.add_cell(Arc::clone(&cell));
                cell
            });
        Arc::clone(cell)
    }
}

type Wanted = ((usize, usize), Purpose, usize);

impl FlowEntry {
    #[inline(always)]
    fn is(&self, (kind, purpose, site): Wanted) -> bool {
        self.kind == kind && self.purpose == purpose && self.site == site
    }

    #[inline]
    fn has_ends(&self, [from_actor, from_port, to_actor, to_port]: &[Name<'_>; 4]) -> bool {
        same(&self.names.from_actor, text_of(from_actor))
            && same(&self.names.from_port, text_of(from_port))
            && same(&self.names.to_actor, text_of(to_actor))
            && same(&self.names.to_port, text_of(to_port))
    }
}

/// The text of a name; what is not text was formatted before.
#[inline]
fn text_of<'a>(name: &Name<'a>) -> &'a str {
    match name {
        Name::Text(text) => text,
        Name::Shown(_) => "",
    }
}

#[inline]
fn place_of(names: &[Name<'_>; 4], kind: usize) -> usize {
    let mut hash = kind as u64;
    for name in names {
        hash = hash.rotate_left(21) ^ text_of(name).as_ptr().addr() as u64;
    }
    (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - PLACES.trailing_zeros())) as usize
}

fn content_hash(ends: &[&str; 4]) -> u64 {
    ends.iter().fold(0, |hash, end| {
        crate::edge::fnv1a(end.as_bytes()) ^ hash.rotate_left(7)
    })
}

/// Compares two names; names are short, and a call to `memcmp` costs more than a few words.
#[inline]
fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    match one.len() {
        // The first and the last bytes overlap where the name is shorter than both together.
        8..=16 => ends_of::<8>(one) == ends_of::<8>(other),
        4..=7 => ends_of::<4>(one) == ends_of::<4>(other),
        1..=3 => {
            one[0] == other[0]
                && ends_of::<1>(one) == ends_of::<1>(other)
                && one[one.len() / 2] == other[other.len() / 2]
        }
        0 => true,
        _ => one == other,
    }
}

#[inline]
fn ends_of<const N: usize>(bytes: &[u8]) -> (Option<[u8; N]>, Option<[u8; N]>) {
    (bytes.first_chunk().copied(), bytes.last_chunk().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_whole() {
        let text = "abcdefghijklmnopqrstuvwxyz";
        for length in 0..text.len() {
            let one = &text[..length];
            assert!(same(one, &String::from(one)));
            assert!(!same(one, &text[..=length]));
            for at in 0..length {
                let mut other = one.as_bytes().to_vec();
                other[at] = b'_';
                let other = String::from_utf8(other).expect("ASCII");
                assert!(!same(one, &other), "{one} {other}");
            }
        }
    }

    #[test]
    fn type_names_lose_their_path_and_keep_their_arguments() {
        for (path, name) in [
            ("u8", "u8"),
            ("my::Reading", "Reading"),
            ("alloc::vec::Vec<my::Reading>", "Vec<my::Reading>"),
            ("&str", "&str"),
            ("(a::B, c::D)", "(a::B, c::D)"),
            ("[a::B; 3]", "[a::B; 3]"),
        ] {
            assert_eq!(short_type_name(path), name);
        }
    }
}
