//! What events have in common, said once.

use crate::wire::format::FORM_NUMBERS;
use crate::wire::protobuf::put;

/// The numbers of a form in 128 bits, as they are in the process: how one is found again.
pub(super) type FormKey = (u64, u64);

const FREE: u32 = u32::MAX;
const PLACES_MIN: usize = 64;

/// A table of forms by key; at most half of it is full.
pub(super) struct Forms {
    places: Vec<(FormKey, u32)>,
    len: u32,
    written: Vec<u8>,
}

impl Default for Forms {
    fn default() -> Self {
        Self {
            places: vec![((0, 0), FREE); PLACES_MIN],
            len: 0,
            written: Vec::new(),
        }
    }
}

impl Forms {
    pub(super) fn clear(&mut self) {
        if self.len > 0 {
            self.places.fill(((0, 0), FREE));
        }
        self.len = 0;
        self.written.clear();
    }

    pub(super) fn len(&self) -> usize {
        self.len as usize
    }

    /// The form with this key; the caller adds one that is not there.
    #[inline]
    pub(super) fn find(&self, key: FormKey) -> Option<u32> {
        let mut at = self.first_place(key);
        loop {
            let (found, form) = self.places[at];
            if form == FREE {
                return None;
            }
            if found == key {
                return Some(form);
            }
            at = (at + 1) & (self.places.len() - 1);
        }
    }

    /// Adds a form that is not there.
    pub(super) fn add(&mut self, key: FormKey, numbers: [u64; FORM_NUMBERS]) -> u32 {
        if self.len as usize * 2 >= self.places.len() {
            let larger = vec![((0, 0), FREE); self.places.len() * 2];
            let old = std::mem::replace(&mut self.places, larger);
            for (key, form) in old.into_iter().filter(|&(_, form)| form != FREE) {
                self.put(key, form);
            }
        }
        let form = self.len;
        self.len += 1;
        self.put(key, form);
        for number in numbers {
            put(&mut self.written, number);
        }
        form
    }

    fn put(&mut self, key: FormKey, form: u32) {
        let mut at = self.first_place(key);
        while self.places[at].1 != FREE {
            at = (at + 1) & (self.places.len() - 1);
        }
        self.places[at] = (key, form);
    }

    /// Any spreading will do: the numbers are counted up, nobody chooses them.
    #[inline]
    fn first_place(&self, (low, high): FormKey) -> usize {
        let mixed = (low ^ high.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 40) as usize & (self.places.len() - 1)
    }

    /// The packed field.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.written
    }
}
