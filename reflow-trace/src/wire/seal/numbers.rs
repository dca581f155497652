//! Numbers of the process as numbers of one batch, in the order in which they come up.

use std::collections::HashMap;

/// Numbers below are looked up by their place. The dictionaries of a process have no higher ones, and
/// only a process of very many threads has such rings.
const DIRECT_MAX: usize = 1 << 16;
const NONE: u32 = u32::MAX;

/// Gives numbers from 0 upwards, the same to the same.
#[derive(Default)]
pub(super) struct Numbers {
    direct: Vec<u32>,
    /// Which places of `direct` are taken.
    taken: Vec<u32>,
    far: HashMap<u32, u32>,
}

impl Numbers {
    pub(super) fn clear(&mut self) {
        for place in self.taken.drain(..) {
            self.direct[place as usize] = NONE;
        }
        self.far.clear();
    }

    /// The number that was given for this one.
    #[inline]
    pub(super) fn get(&self, number: u32) -> Option<u32> {
        let near = self.direct.get(number as usize).copied();
        near.filter(|&given| given != NONE)
            .or_else(|| self.far.get(&number).copied())
    }

    /// Notes which number was given for one that had none.
    pub(super) fn set(&mut self, number: u32, given: u32) {
        let place = number as usize;
        if place >= DIRECT_MAX {
            self.far.insert(number, given);
            return;
        }
        if place >= self.direct.len() {
            self.direct.resize(place + 1, NONE);
        }
        self.direct[place] = given;
        self.taken.push(number);
    }
}
