//! Summaries of segments that were read lately, so that the next question finds them unpacked.
//!
//! A summary never changes and a number of a segment is never used twice, so that what is kept is right for
//! ever; what was not asked for longest goes when there is no room.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use reflow_trace::lineage::Numbers;

use super::catalogue::damaged_summary;
use crate::store::StoreError;
use crate::store::rollup::{Rollup, Summary};

/// Most bytes of each kind that are kept, nearly.
const KEPT_BYTES_MAX: usize = 64 << 20;

/// The two parts of summaries.
#[derive(Default)]
pub(crate) struct Summaries {
    rollups: Kept<u64, Rollup>,
    numbers: Kept<u64, Numbers>,
}

impl Summaries {
    /// The roll-up of a segment; `read` gives its summary where it is not known.
    pub(crate) fn rollup(
        &self,
        segment: u64,
        read: impl FnOnce() -> Result<Vec<u8>, StoreError>,
    ) -> Result<Arc<Rollup>, StoreError> {
        self.rollups.get(segment, || {
            let rollup =
                Summary::decode_rollup(&read()?).ok_or_else(|| damaged_summary(segment))?;
            let bytes = rollup.memory_bytes();
            Ok((rollup, bytes))
        })
    }

    /// The numbers of attempts in a segment; `read` gives its summary where they are not known.
    pub(crate) fn numbers(
        &self,
        segment: u64,
        read: impl FnOnce() -> Result<Vec<u8>, StoreError>,
    ) -> Result<Arc<Numbers>, StoreError> {
        self.numbers.get(segment, || {
            let numbers =
                Summary::decode_numbers(&read()?).ok_or_else(|| damaged_summary(segment))?;
            let by_hand = numbers.by_hand().map_or(0, |hashes| hashes.len());
            let bytes = numbers.runs().count() * 64 + by_hand * 16;
            Ok((numbers, bytes))
        })
    }
}

/// Values with their sizes and when each was last asked for.
struct Kept<K, V>(Mutex<State<K, V>>);

struct State<K, V> {
    values: HashMap<K, (Arc<V>, usize, u64)>,
    bytes: usize,
    asked: u64,
}

impl<K, V> Default for Kept<K, V> {
    fn default() -> Self {
        Self(Mutex::new(State {
            values: HashMap::new(),
            bytes: 0,
            asked: 0,
        }))
    }
}

impl<K: Hash + Eq + Copy, V> Kept<K, V> {
    fn get(
        &self,
        key: K,
        make: impl FnOnce() -> Result<(V, usize), StoreError>,
    ) -> Result<Arc<V>, StoreError> {
        let state = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        {
            let mut state = state();
            state.asked += 1;
            let asked = state.asked;
            if let Some((value, _, last)) = state.values.get_mut(&key) {
                *last = asked;
                return Ok(value.clone());
            }
        }
        // Two may make it at once; nobody waits for somebody else's disk.
        let (value, bytes) = make()?;
        let value = Arc::new(value);
        let bytes = bytes + size_of::<(K, V)>();
        if bytes > KEPT_BYTES_MAX {
            return Ok(value);
        }
        let mut state = state();
        let asked = state.asked;
        if let Some((_, before, _)) = state.values.insert(key, (value.clone(), bytes, asked)) {
            state.bytes -= before;
        }
        state.bytes += bytes;
        while state.bytes > KEPT_BYTES_MAX {
            let oldest = state.values.iter().min_by_key(|(_, (.., last))| *last);
            let Some(oldest) = oldest.map(|(&key, _)| key) else {
                break;
            };
            if let Some((_, bytes, _)) = state.values.remove(&oldest) {
                state.bytes -= bytes;
            }
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_asked_for_longest_goes_when_there_is_no_room() {
        let kept: Kept<u64, u64> = Kept::default();
        let third = KEPT_BYTES_MAX / 3;
        let get = |key: u64| {
            let mut made = false;
            let value = kept.get(key, || {
                made = true;
                Ok((key, third))
            });
            assert_eq!(value.ok().as_deref(), Some(&key));
            made
        };
        assert!(get(1));
        assert!(get(2));
        assert!(!get(1), "it is kept");
        assert!(get(3));
        assert!(!get(1));
        assert!(get(2), "it had to go");
        let refused = kept.get(9, || Err(StoreError::Closing));
        assert!(refused.is_err(), "what fails is not kept");
        assert!(get(9));
    }
}
