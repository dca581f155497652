//! The ring against a model, between real threads, and (with `--cfg loom`) over all interleavings.

use super::*;

/// A record whose every word follows from its number, so that a torn one shows.
fn record(number: u64, more: usize) -> (Words, Vec<u64>) {
    let word = |index: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (index << 20);
    let mut first: Words = std::array::from_fn(|index| word(index as u64));
    first[0] = (number << 16) | more as u64;
    let rest = (0..more * SLOT_WORDS)
        .map(|index| word(8 + index as u64))
        .collect();
    (first, rest)
}

/// Checks that `words` is one whole record and gives its number.
fn number_of(words: &[u64]) -> u64 {
    let number = words[0] >> 16;
    let (first, rest) = record(number, continuation_slots(words[0]));
    assert_eq!(words[..SLOT_WORDS], first, "record {number} is torn");
    assert_eq!(words[SLOT_WORDS..], rest, "record {number} is torn");
    number
}

#[cfg(not(loom))]
mod one_thread {
    use std::collections::VecDeque;

    use super::*;

    /// Drives ring and model with the same random steps; both must agree at each.
    fn agree(seed: u64, steps: u32, overwriting: bool) {
        let mut random = seed;
        let mut next = move || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random
        };
        let capacity = 8;
        let (mut writer, mut reader) = Ring::with_capacity(capacity);
        let mut model: VecDeque<(u64, usize)> = VecDeque::new();
        let mut used = 0;
        let mut written = 0;
        let mut missed = 0;
        // What the overwriting writer still holds, read or not.
        let mut held: VecDeque<(u64, usize)> = VecDeque::new();
        let mut held_slots = 0;
        for step in 0..steps {
            if next() % 5 < 3 {
                let more = if next() % 4 == 0 {
                    (next() % 4) as usize
                } else {
                    0
                };
                let (first, rest) = record(written, more);
                if overwriting {
                    writer
                        .push_overwriting(&first, &rest)
                        .expect("shorter than the ring");
                    held.push_back((written, more + 1));
                    held_slots += more + 1;
                    while held_slots > capacity {
                        let (number, slots) = held.pop_front().expect("not empty");
                        held_slots -= slots;
                        if model.front().is_some_and(|&(front, _)| front == number) {
                            model.pop_front();
                            missed += 1;
                        }
                    }
                    model.push_back((written, more + 1));
                } else {
                    let fits = used + more < capacity;
                    assert_eq!(
                        writer.push(&first, &rest).is_ok(),
                        fits,
                        "seed {seed}, step {step}"
                    );
                    if !fits {
                        continue;
                    }
                    used += more + 1;
                    model.push_back((written, more + 1));
                }
                written += 1;
            } else {
                let mut words = Vec::new();
                let expected = model.pop_front();
                assert_eq!(
                    reader.pop(&mut words),
                    expected.is_some(),
                    "seed {seed}, step {step}"
                );
                if let Some((number, slots)) = expected {
                    assert_eq!(number_of(&words), number, "seed {seed}, step {step}");
                    used = used.wrapping_sub(if overwriting { 0 } else { slots });
                }
                assert_eq!(reader.overwritten(), missed, "seed {seed}, step {step}");
            }
        }
    }

    #[test]
    fn the_ring_agrees_with_a_queue() {
        let (seeds, steps) = if cfg!(miri) { (4, 60) } else { (200, 500) };
        for seed in 1..=seeds {
            agree(seed, steps, false);
        }
    }

    #[test]
    fn overwriting_keeps_the_newest_and_counts_the_rest() {
        let (seeds, steps) = if cfg!(miri) { (4, 60) } else { (200, 500) };
        for seed in 1..=seeds {
            agree(seed, steps, true);
        }
    }

    #[test]
    fn a_record_longer_than_the_ring_is_refused() {
        let (mut writer, _reader) = Ring::with_capacity(4);
        let (first, rest) = record(0, 4);
        assert_eq!(writer.push(&first, &rest), Err(RingFull));
        assert_eq!(writer.push_overwriting(&first, &rest), Err(RingFull));
    }
}

#[cfg(not(loom))]
mod two_threads {
    use super::*;

    fn records() -> u64 {
        if cfg!(miri) { 200 } else { 300_000 }
    }

    #[test]
    fn everything_arrives_once_and_in_order() {
        let (mut writer, mut reader) = Ring::with_capacity(16);
        let thread = std::thread::spawn(move || {
            for number in 0..records() {
                let (first, rest) = record(number, (number % 3) as usize);
                while writer.push(&first, &rest).is_err() {
                    std::thread::yield_now();
                }
            }
        });
        let mut words = Vec::new();
        for expected in 0..records() {
            words.clear();
            while !reader.pop(&mut words) {
                std::thread::yield_now();
            }
            assert_eq!(number_of(&words), expected);
        }
        thread.join().expect("the writer does not panic");
    }

    #[test]
    fn an_overwritten_record_is_never_seen_torn() {
        let (mut writer, mut reader) = Ring::with_capacity(8);
        let thread = std::thread::spawn(move || {
            for number in 0..records() {
                let (first, rest) = record(number, (number % 3) as usize);
                writer
                    .push_overwriting(&first, &rest)
                    .expect("shorter than the ring");
            }
        });
        let (mut last, mut seen) = (None, 0);
        let mut look = || {
            let mut words = Vec::new();
            if !reader.pop(&mut words) {
                return false;
            }
            let number = number_of(&words);
            assert!(
                last.is_none_or(|last| last < number),
                "{number} after {last:?}"
            );
            assert_eq!(
                seen + reader.overwritten(),
                number,
                "what is missing is counted"
            );
            last = Some(number);
            seen += 1;
            true
        };
        while !thread.is_finished() {
            look();
        }
        // Only the join says that what the thread wrote is visible here.
        thread.join().expect("the writer does not panic");
        while look() {}
        assert_eq!(
            last,
            Some(records() - 1),
            "the newest record is always there"
        );
        assert_eq!(seen + reader.overwritten(), records());
    }
}

#[cfg(loom)]
mod interleavings {
    use super::*;

    #[test]
    fn a_reader_sees_whole_records_in_order() {
        loom::model(|| {
            let (mut writer, mut reader) = Ring::with_capacity(2);
            let thread = loom::thread::spawn(move || {
                let mut pushed = 0;
                for number in 0..3 {
                    let (first, rest) = record(number, 0);
                    if writer.push(&first, &rest).is_ok() {
                        pushed += 1;
                    }
                }
                pushed
            });
            let mut words = Vec::new();
            let mut numbers = Vec::new();
            for _ in 0..2 {
                words.clear();
                if reader.pop(&mut words) {
                    numbers.push(number_of(&words));
                }
            }
            let pushed = thread.join().expect("the writer does not panic");
            words.clear();
            while reader.pop(&mut words) {
                numbers.push(number_of(&words));
                words.clear();
            }
            assert_eq!(numbers.len(), pushed);
            assert!(numbers.is_sorted());
        });
    }

    #[test]
    fn a_reader_that_is_overtaken_sees_no_torn_record() {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(|| {
            let (mut writer, mut reader) = Ring::with_capacity(2);
            let thread = loom::thread::spawn(move || {
                for number in 0..3 {
                    let (first, rest) = record(number, 0);
                    writer
                        .push_overwriting(&first, &rest)
                        .expect("shorter than the ring");
                }
            });
            let mut words = Vec::new();
            let mut seen = 0;
            if reader.pop(&mut words) {
                let number = number_of(&words);
                assert_eq!(seen + reader.overwritten(), number);
                seen += 1;
            }
            thread.join().expect("the writer does not panic");
            loop {
                words.clear();
                if !reader.pop(&mut words) {
                    break;
                }
                number_of(&words);
                seen += 1;
            }
            assert_eq!(seen + reader.overwritten(), 3, "nothing is lost uncounted");
        });
    }
}
