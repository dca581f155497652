//! The table of all types that have a policy: made once, then only read.
//!
//! Open addressing: a type has its place by the bits of its identity, which is a hash already, or the next free
//! place behind it. At least three places of four are free, so that a search ends soon and always.

use std::any::TypeId;
use std::hash::{Hash as _, Hasher};

use super::list::{Entered, entered};
use super::reach::{Reach, Reaches};
use super::standard::add_standard;

pub(super) struct Table {
    places: Box<[Option<Reach>]>,
    /// One less than there are places, which is a power of two.
    mask: usize,
    /// Full paths of generic types, without their arguments.
    generic: Box<[String]>,
}

impl Table {
    /// Of all that has been entered.
    pub(super) fn of_this_process() -> Self {
        Self::of(entered())
    }

    /// Of these, and the messages of the standard library.
    pub(super) fn of(entered: impl IntoIterator<Item = Entered>) -> Self {
        let mut reaches = Reaches::default();
        let mut generic = Vec::new();
        for entered in entered {
            match entered {
                Entered::Whole(add) => add(&mut reaches),
                Entered::Generic(here, name) => generic.push(path_beside(here(), name)),
            }
        }
        add_standard(&mut reaches);
        let Reaches { itself, pointed_to } = reaches;
        let capacity = ((itself.len() + pointed_to.len()) * 4).next_power_of_two();
        let mut table = Self {
            places: vec![None; capacity].into_boxed_slice(),
            mask: capacity - 1,
            generic: generic.into_boxed_slice(),
        };
        // What is sent most often chooses its place first.
        for reach in itself.into_iter().chain(pointed_to) {
            table.put(reach);
        }
        table
    }

    fn put(&mut self, reach: Reach) {
        let free = self
            .way(bits(reach.type_id()))
            .find(|&place| self.places[place].is_none());
        if let Some(place) = free {
            self.places[place] = Some(reach);
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn find(&self, wanted: TypeId) -> Option<&Reach> {
        let first = bits(wanted);
        match self.places.get(first & self.mask)? {
            Some(reach) if reach.type_id() == wanted => Some(reach),
            Some(_) => self.find_behind(first, wanted),
            None => None,
        }
    }

    #[inline(never)]
    fn find_behind(&self, first: usize, wanted: TypeId) -> Option<&Reach> {
        self.way(first)
            .map_while(|place| self.places[place].as_ref())
            .find(|reach| reach.type_id() == wanted)
    }

    /// All places, in the order in which a type is looked for.
    fn way(&self, first: usize) -> impl Iterator<Item = usize> + use<> {
        let mask = self.mask;
        (0..=mask).map(move |step| first.wrapping_add(step) & mask)
    }

    /// Whether the type of this path is one of the generic ones, or a pointer to one.
    pub(super) fn lacks_policy(&self, path: &str) -> bool {
        let target = behind_pointers(path);
        self.generic.iter().any(|generic| {
            target
                .strip_prefix(generic.as_str())
                // Older compilers leave out arguments that are lifetimes.
                .is_some_and(|arguments| arguments.is_empty() || arguments.starts_with(['<', '>']))
        })
    }
}

/// `app::part::_::Here` and `Envelope` make `app::part::Envelope`.
fn path_beside(here: &str, name: &str) -> String {
    let scope = here.rsplit_once("::_::").map_or("", |(scope, _)| scope);
    format!("{scope}::{name}")
}

fn behind_pointers(path: &str) -> &str {
    const POINTERS: [&str; 5] = [
        "alloc::boxed::Box<",
        "alloc::sync::Arc<",
        "alloc::rc::Rc<",
        "&mut ",
        "&",
    ];
    let mut target = path;
    while let Some(behind) = POINTERS
        .iter()
        .find_map(|pointer| target.strip_prefix(pointer))
    {
        target = behind;
    }
    target
}

/// The bits of an identity: all of it is as good as random.
#[cfg_attr(not(debug_assertions), inline(always))]
fn bits(type_id: TypeId) -> usize {
    let mut bits = Bits(0);
    type_id.hash(&mut bits);
    bits.0 as usize
}

/// Takes what it is given for the hash.
struct Bits(u64);

impl Hasher for Bits {
    #[inline(always)]
    fn write_u64(&mut self, bits: u64) {
        self.0 ^= bits;
    }

    /// Not how identities are hashed today.
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    #[inline(always)]
    fn finish(&self) -> u64 {
        self.0
    }
}
