//! Sets of actors, each kept once: a network has few of them, however many its events are.

use std::collections::{BTreeSet, HashMap};

/// Most different sets of actors that are kept while lineages are followed; beyond them nothing more
/// is observed.
const SETS_MAX: usize = 1 << 16;
/// The set of nobody.
pub(super) const EMPTY: u32 = 0;

/// The sets, by number.
pub(super) struct Sets {
    sets: Vec<Vec<usize>>,
    numbers: HashMap<Vec<usize>, u32>,
    unions: HashMap<(u32, u32), u32>,
    with: HashMap<(u32, usize), u32>,
}

impl Default for Sets {
    fn default() -> Self {
        Self {
            sets: vec![Vec::new()],
            numbers: HashMap::from([(Vec::new(), EMPTY)]),
            unions: HashMap::new(),
            with: HashMap::new(),
        }
    }
}

impl Sets {
    pub(super) fn members(&self, set: u32) -> &[usize] {
        &self.sets[set as usize]
    }

    pub(super) fn union(&mut self, a: u32, b: u32) -> u32 {
        if a == b || b == EMPTY {
            return a;
        }
        if a == EMPTY {
            return b;
        }
        let key = (a.min(b), a.max(b));
        if let Some(&known) = self.unions.get(&key) {
            return known;
        }
        let all: BTreeSet<usize> = [a, b]
            .iter()
            .flat_map(|&set| self.members(set).iter().copied())
            .collect();
        let union = self.number(all.into_iter().collect(), a);
        if self.unions.len() < SETS_MAX {
            self.unions.insert(key, union);
        }
        union
    }

    pub(super) fn with(&mut self, set: u32, actor: usize) -> u32 {
        if let Some(&known) = self.with.get(&(set, actor)) {
            return known;
        }
        let mut all = self.members(set).to_vec();
        if let Err(place) = all.binary_search(&actor) {
            all.insert(place, actor);
        }
        let with = self.number(all, set);
        if self.with.len() < SETS_MAX {
            self.with.insert((set, actor), with);
        }
        with
    }

    /// The number of a set; `otherwise` when there are too many.
    fn number(&mut self, members: Vec<usize>, otherwise: u32) -> u32 {
        if let Some(&known) = self.numbers.get(&members) {
            return known;
        }
        if self.sets.len() >= SETS_MAX {
            return otherwise;
        }
        let number = self.sets.len() as u32;
        self.sets.push(members.clone());
        self.numbers.insert(members, number);
        number
    }
}
