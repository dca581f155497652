//! Finding the counters and the policy of a message in a few nanoseconds.
//!
//! A *flow* is an edge with a message type. A thread finds a flow by the addresses of the four names
//! in a table of 128 places and then compares the names themselves: addresses only say where to look.
//! What is not there is found by a hash of the contents, and what is new is looked up in the
//! dictionary of the process.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::flow_entry::{FlowEntry, FlowId, Purpose};
use super::{FlowCell, LaneShared};
use crate::edge::{
    BoundedName, Edge, EdgeNames, EdgeNumber, NAME_BYTES_MAX, OVERFLOW_EDGE, TypeNumber,
};
use crate::message::MessageKind;
use crate::probe::Site;
use crate::registry::lacks_policy;
use crate::runtime::{Runtime, dictionary};

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
    /// The four names, as they are now.
    Names(&'a [&'a str; 4]),
    /// A handle.
    Handle(&'a Edge),
    /// An edge known by number, whose names are those in the dictionary.
    Number(EdgeNumber),
}

impl<'a> From<&'a Edge> for FlowKey<'a> {
    #[inline(always)]
    fn from(edge: &'a Edge) -> Self {
        Self::Handle(edge)
    }
}

impl<'a> From<&'a [&'a str; 4]> for FlowKey<'a> {
    #[inline(always)]
    fn from(names: &'a [&'a str; 4]) -> Self {
        Self::Names(names)
    }
}

/// Who asks for a flow, and what happens when it is new.
#[derive(Clone, Copy)]
pub(crate) struct Asking<'a> {
    pub(crate) kind: KindRef,
    pub(crate) purpose: Purpose,
    /// Where it says what protocol the edge has.
    pub(crate) site: Option<&'static Site>,
    pub(crate) lane: &'a LaneShared,
    pub(crate) runtime: &'a Runtime,
}

impl Asking<'_> {
    fn id(&self) -> FlowId {
        FlowId::new(self.kind.key(), self.purpose, self.site)
    }
}

const PLACES: usize = 128;
const NOWHERE: u32 = u32::MAX;

/// The flows that a lane has met.
pub(crate) struct FlowTable {
    entries: Vec<FlowEntry>,
    /// By the addresses of the names.
    places: Box<[u32; PLACES]>,
    /// By the number of the edge and the address of the kind.
    places_by_number: Box<[u32; PLACES]>,
    /// By number: the newest entry of each edge, from which the others are chained.
    of_edge: Vec<u32>,
    /// By content.
    of_content: HashMap<u64, Vec<u32>>,
    /// Those of edges that the dictionary had no room for: one for each kind and verdict, else the table
    /// would grow with every name.
    overflowed: Vec<u32>,
    cells: HashMap<(EdgeNumber, TypeNumber, Purpose), Arc<FlowCell>>,
    /// The counters of what is sent over an edge, whatever its type.
    sent: HashMap<EdgeNumber, Vec<Arc<FlowCell>>>,
}

impl FlowTable {
    pub(crate) fn new() -> Self {
        Self {
            entries: Vec::new(),
            places: Box::new([NOWHERE; PLACES]),
            places_by_number: Box::new([NOWHERE; PLACES]),
            of_edge: Vec::new(),
            of_content: HashMap::new(),
            overflowed: Vec::new(),
            cells: HashMap::new(),
            sent: HashMap::new(),
        }
    }

    /// The flow, which is entered if it is new.
    pub(crate) fn find(&mut self, key: FlowKey<'_>, asking: Asking<'_>) -> &FlowEntry {
        let Asking {
            kind,
            purpose,
            site,
            ..
        } = asking;
        if self.known(key, kind, purpose, site).is_none() {
            return self.entered(key, &asking);
        }
        // The borrow checker does not accept the first answer as this one.
        self.known(key, kind, purpose, site)
            .unwrap_or(&self.entries[0])
    }

    /// The flow, if this thread has met it where it is looked for first.
    #[inline(always)]
    pub(crate) fn known(
        &self,
        key: FlowKey<'_>,
        kind: KindRef,
        purpose: Purpose,
        site: Option<&'static Site>,
    ) -> Option<&FlowEntry> {
        let wanted = FlowId::new(kind.key(), purpose, site);
        match key {
            FlowKey::Names(names) => {
                let index = self.places[place_of(names, wanted.kind)];
                let entry = self.entries.get(index as usize)?;
                (entry.id == wanted && entry.has_ends(names)).then_some(entry)
            }
            FlowKey::Handle(edge) => self.known_of_edge(edge.number(), wanted),
            FlowKey::Number(edge) => self.known_of_edge(edge, wanted),
        }
    }

    #[inline(always)]
    fn known_of_edge(&self, edge: EdgeNumber, wanted: FlowId) -> Option<&FlowEntry> {
        let place = place_of_number(edge, wanted.kind, wanted.purpose());
        let index = self.places_by_number[place];
        let entry = self.entries.get(index as usize)?;
        (entry.edge == edge && entry.id == wanted).then_some(entry)
    }

    /// The flow of sends of this kind, if this thread has met it and nothing about it is unusual.
    #[inline(always)]
    pub(crate) fn usual(&self, key: FlowKey<'_>, kind: &'static MessageKind) -> Option<&FlowEntry> {
        let address = std::ptr::from_ref(kind).addr();
        match key {
            FlowKey::Names(names) => {
                let index = self.places[place_of(names, address)];
                let entry = self.entries.get(index as usize)?;
                (entry.quick_kind == address && entry.has_ends(names)).then_some(entry)
            }
            FlowKey::Handle(edge) => {
                let edge = edge.number();
                let place = place_of_number(edge, address, Purpose::Send);
                let index = self.places_by_number[place];
                let entry = self.entries.get(index as usize)?;
                (entry.edge == edge && entry.quick_kind == address).then_some(entry)
            }
            FlowKey::Number(_) => None,
        }
    }

    /// The flow, looked for everywhere and entered if it is new.
    #[cold]
    #[inline(never)]
    pub(crate) fn entered(&mut self, key: FlowKey<'_>, asking: &Asking<'_>) -> &FlowEntry {
        let index = match key {
            FlowKey::Names(names) => {
                let index = self.find_by_content(names, asking);
                self.places[place_of(names, asking.id().kind)] = index;
                index
            }
            FlowKey::Handle(edge) => self.find_of_edge(edge.number(), asking),
            FlowKey::Number(edge) => self.find_of_edge(edge, asking),
        };
        &self.entries[index as usize]
    }

    fn find_of_edge(&mut self, edge: EdgeNumber, asking: &Asking<'_>) -> u32 {
        let wanted = asking.id();
        let mut index = self.of_edge.get(edge as usize).copied().unwrap_or(NOWHERE);
        while let Some(entry) = self.entries.get(index as usize)
            && entry.id != wanted
        {
            index = entry.next_of_edge;
        }
        if index == NOWHERE {
            index = self.enter_of_edge(edge, asking);
        }
        // One that stands for many edges is not found by their number.
        if self.entries[index as usize].edge != OVERFLOW_EDGE {
            let place = place_of_number(edge, wanted.kind, asking.purpose);
            self.places_by_number[place] = index;
        }
        index
    }

    fn enter_of_edge(&mut self, edge: EdgeNumber, asking: &Asking<'_>) -> u32 {
        let names = Site::or_plain(asking.site).over(dictionary().edge_names(edge));
        let index = self.enter(names, asking);
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

    fn find_by_content(&mut self, names: &[&str; 4], asking: &Asking<'_>) -> u32 {
        if names.iter().all(|name| name.len() <= NAME_BYTES_MAX) {
            return self.find_bounded(*names, asking);
        }
        // On the stack: this is the way of every message over an edge with so long a name.
        let mut bounded = names.map(BoundedName::of);
        let mut bounded = bounded.iter_mut();
        let names = names.map(|_| bounded.next().map_or("", BoundedName::finish));
        self.find_bounded(names, asking)
    }

    fn find_bounded(&mut self, names: [&str; 4], asking: &Asking<'_>) -> u32 {
        let hash = content_hash(&names);
        let wanted = asking.id();
        // The site says what else belongs to the edge: the protocol and the compression.
        let known = self
            .of_content
            .get(&hash)
            .into_iter()
            .flatten()
            .copied()
            .find(|&index| {
                let entry = &self.entries[index as usize];
                entry.id == wanted && entry.has_ends(&names)
            });
        known.unwrap_or_else(|| {
            let site = Site::or_plain(asking.site);
            let names = EdgeNames::new(names, site.protocol_name(), site.compression_name());
            let index = self.enter(names, asking);
            if self.entries[index as usize].edge != OVERFLOW_EDGE {
                self.of_content.entry(hash).or_default().push(index);
            }
            index
        })
    }

    fn enter(&mut self, names: Arc<EdgeNames>, asking: &Asking<'_>) -> u32 {
        let edge = dictionary().edge(Arc::clone(&names));
        let message_type = asking.kind.number();
        let cell = self.cell(edge, message_type, asking.purpose, asking.lane);
        if let KindRef::Path(path) = asking.kind
            && lacks_policy(path)
        {
            cell.lacks_policy.store(true, Ordering::Relaxed);
        }
        let mut entry = FlowEntry::new(asking.id(), names, edge, message_type, asking.kind, cell);
        entry.judge(asking.runtime);
        if edge == OVERFLOW_EDGE {
            if let Some(&index) = self.overflowed.iter().find(|&&index| {
                let known = &self.entries[index as usize];
                known.id == entry.id && known.actors() == entry.actors()
            }) {
                // The policy may have changed since.
                self.entries[index as usize].judge_like(&entry);
                return index;
            }
            self.overflowed.push(self.entries.len() as u32);
            entry.stand_for_all(dictionary().edge_names(edge));
        }
        self.entries.push(entry);
        (self.entries.len() - 1) as u32
    }

    /// The policy of the recording has changed.
    pub(crate) fn judge_again(&mut self, runtime: &Runtime) {
        for entry in &mut self.entries {
            // One that stands for many edges is judged with each message.
            if entry.edge != OVERFLOW_EDGE {
                entry.judge(runtime);
            }
        }
    }

    /// How many messages were sent over an edge on this lane.
    pub(crate) fn sent_over(&self, edge: EdgeNumber) -> u64 {
        let cells = self.sent.get(&edge).into_iter().flatten();
        cells.map(|cell| cell.messages.get()).sum()
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
                let cell = Arc::new(FlowCell::new(edge, message_type, purpose));
                lane.add_cell(Arc::clone(&cell));
                if purpose == Purpose::Send {
                    self.sent.entry(edge).or_default().push(Arc::clone(&cell));
                }
                cell
            });
        Arc::clone(cell)
    }
}

#[inline(always)]
fn place_of(names: &[&str; 4], kind: usize) -> usize {
    let mut hash = kind as u64;
    for name in names {
        hash = hash.rotate_left(21) ^ name.as_ptr().addr() as u64;
    }
    (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - PLACES.trailing_zeros())) as usize
}

#[inline(always)]
fn place_of_number(edge: EdgeNumber, kind: usize, purpose: Purpose) -> usize {
    // Kinds are statics of a cache line or so. A thread that sends to itself, by a traced channel, has two
    // flows of one edge and kind.
    (edge as usize ^ (kind >> 6) ^ ((purpose as usize) << 4)) % PLACES
}

fn content_hash(ends: &[&str; 4]) -> u64 {
    ends.iter().fold(0, |hash, end| {
        crate::edge::fnv1a(end.as_bytes()) ^ hash.rotate_left(7)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
