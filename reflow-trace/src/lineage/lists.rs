//! Many short lists of places in a few long vectors: a million events have a million causes and need no
//! million allocations for them.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

use super::index::{NOWHERE, Place};

/// A list for each place, one after the other.
#[derive(Default)]
pub(super) struct Lists {
    /// Where each list ends.
    ends: Vec<usize>,
    pub(super) items: Vec<Place>,
}

impl Lists {
    pub(super) fn end_list(&mut self) {
        self.ends.push(self.items.len());
    }

    pub(super) fn start(&self, place: Place) -> usize {
        match place {
            0 => 0,
            _ => self.ends[place as usize - 1],
        }
    }

    pub(super) fn end(&self, place: Place) -> usize {
        self.ends[place as usize]
    }

    pub(super) fn list(&self, place: Place) -> &[Place] {
        &self.items[self.start(place)..self.end(place)]
    }

    /// Lists of whose lists each place is in.
    pub(super) fn inverted(&self) -> Self {
        let mut ends = vec![0; self.ends.len()];
        for &item in &self.items {
            ends[item as usize] += 1;
        }
        let mut end = 0;
        for count in &mut ends {
            end += *count;
            *count = end;
        }
        // Filled from the back, so that what were ends become starts, and members keep their order.
        let mut starts = ends.clone();
        let mut items = vec![0; self.items.len()];
        for place in (0..self.ends.len() as Place).rev() {
            for &item in self.list(place).iter().rev() {
                starts[item as usize] -= 1;
                items[starts[item as usize]] = place;
            }
        }
        Self { ends, items }
    }
}

/// Places by a key that several may share.
pub(super) struct Chains<K> {
    /// The first and the last place of each key.
    pub(super) ends: HashMap<K, (Place, Place)>,
    next: Vec<Place>,
}

impl<K> Default for Chains<K> {
    fn default() -> Self {
        Self {
            ends: HashMap::new(),
            next: Vec::new(),
        }
    }
}

impl<K: Hash + Eq> Chains<K> {
    /// Takes places in ascending order.
    pub(super) fn push(&mut self, key: Option<K>, place: Place) {
        self.next.push(NOWHERE);
        let Some(key) = key else { return };
        let (_, last) = self.ends.entry(key).or_insert((place, place));
        if *last != place {
            self.next[*last as usize] = place;
            *last = place;
        }
    }

    pub(super) fn of<'s, Q>(&'s self, key: &Q) -> impl Iterator<Item = Place> + use<'s, K, Q>
    where
        K: Borrow<Q>,
        Q: Hash + Eq,
    {
        let first = self.ends.get(key).map(|&(first, _)| first);
        std::iter::successors(first, |&place| {
            let next = self.next[place as usize];
            (next != NOWHERE).then_some(next)
        })
    }
}
