//! The form of the numbers of attempts in a summary.
//!
//! All numbers are LEB128 varints unless something else is said:
//!
//! * 1 where there was no room for some ring, else 0;
//! * the number of producers, and their numbers of 52 bits;
//! * the number of runs, and for each, by producer, ring and number: the place of its producer; the ring; the first
//!   number; how many follow it; the begin of the earliest as a zigzag difference to that of the run before, from 0;
//! * 0, or 1 and the number of events without a number and for each the 8 bytes of its hash, little end first;
//!   0 where there were too many.

use std::collections::BTreeSet;

use reflow_trace::event::ProducerId;
use reflow_trace::lineage::{Numbers, Run};

use super::encoding::{put, take, take_place, take_producer, unzigzag, zigzag};
use super::{BY_HAND_MAX, RUNS_MAX};

pub(super) fn put_numbers(numbers: &Numbers) -> Vec<u8> {
    let mut plain = Vec::new();
    put(&mut plain, u64::from(numbers.is_cut()));
    let producers: BTreeSet<ProducerId> = numbers.runs().map(|(producer, ..)| producer).collect();
    let producers: Vec<ProducerId> = producers.into_iter().collect();
    put(&mut plain, producers.len() as u64);
    for producer in &producers {
        put(&mut plain, producer.bits());
    }
    put(&mut plain, numbers.runs().count() as u64);
    let mut before_ns = 0;
    for (producer, ring, run) in numbers.runs() {
        let place = producers.partition_point(|&other| other < producer);
        put(&mut plain, place as u64);
        put(&mut plain, u64::from(ring));
        put(&mut plain, run.first);
        put(&mut plain, run.last - run.first);
        put(&mut plain, zigzag(run.earliest_ns.wrapping_sub(before_ns)));
        before_ns = run.earliest_ns;
    }
    match numbers.by_hand() {
        None => put(&mut plain, 0),
        Some(hashes) => {
            put(&mut plain, 1);
            put(&mut plain, hashes.len() as u64);
            for hash in hashes {
                plain.extend(hash.to_le_bytes());
            }
        }
    }
    plain
}

/// Reads what [`put_numbers`] has written; `None` when it is not that.
pub(super) fn take_numbers(plain: &[u8]) -> Option<Numbers> {
    let mut rest = plain;
    let mut numbers = Numbers::bounded(RUNS_MAX, BY_HAND_MAX);
    let is_cut = match take(&mut rest)? {
        0 => false,
        1 => true,
        _ => return None,
    };
    let mut producers = Vec::new();
    for _ in 0..take(&mut rest)? {
        producers.push(take_producer(&mut rest)?);
    }
    let mut before_ns = 0i64;
    for _ in 0..take(&mut rest)? {
        let place = take_place(&mut rest, producers.len())?;
        let ring = u32::try_from(take(&mut rest)?).ok()?;
        let first = take(&mut rest)?;
        let last = first.checked_add(take(&mut rest)?)?;
        before_ns = before_ns.wrapping_add(unzigzag(take(&mut rest)?));
        let run = Run {
            first,
            last,
            earliest_ns: before_ns,
        };
        numbers.add_run(producers[place as usize], ring, run);
    }
    let knows_by_hand = match take(&mut rest)? {
        0 => false,
        1 => {
            for _ in 0..take(&mut rest)? {
                let (hash, after) = rest.split_first_chunk::<8>()?;
                rest = after;
                numbers.add_by_hand(u64::from_le_bytes(*hash));
            }
            true
        }
        _ => return None,
    };
    numbers.leave_out(is_cut, !knows_by_hand);
    rest.is_empty().then_some(numbers)
}
