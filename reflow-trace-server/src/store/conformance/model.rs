//! Random sequences of everything that can be done with a store, beside the model.

use std::sync::Arc;

use super::batches::{Batches, NOON_NS};
use super::compare::{assert_equal, assert_same_view};
use super::{Make, Subject, block_on};
use crate::store::memory::MemoryStore;
use crate::store::{Snapshot, Store};

/// How many seeds are run; this variable asks for others.
const SEEDS: u64 = 8;
const SEEDS_VARIABLE: &str = "REFLOW_TRACE_STORE_SEEDS";
/// The first seed; this variable asks for another, so that one that has failed can be run alone.
const FIRST_VARIABLE: &str = "REFLOW_TRACE_STORE_FIRST_SEED";

const STEPS: usize = 30;
const STREAMS: u64 = 4;

/// From many seeds. The one that fails is printed.
pub fn random_sequences_do_as_the_model_does(make: Make<'_>) {
    let number = |variable, default| {
        let given = std::env::var(variable).ok();
        given
            .and_then(|given| given.parse().ok())
            .unwrap_or(default)
    };
    let first = number(FIRST_VARIABLE, 0);
    for seed in first..first + number(SEEDS_VARIABLE, SEEDS) {
        Run::new(seed, make()).run();
    }
}

struct Run {
    seed: u64,
    subject: Box<dyn Subject>,
    store: Arc<dyn Store>,
    model: MemoryStore,
    batches: Batches,
    /// The highest number of each stream.
    lasts: [u64; STREAMS as usize],
    now_ns: i64,
    held: Vec<(Arc<dyn Snapshot>, Arc<dyn Snapshot>)>,
}

impl Run {
    fn new(seed: u64, mut subject: Box<dyn Subject>) -> Self {
        Self {
            seed,
            store: subject.open(),
            subject,
            model: MemoryStore::new(),
            batches: Batches::new(seed),
            lasts: [0; STREAMS as usize],
            now_ns: NOON_NS,
            held: Vec::new(),
        }
    }

    fn run(mut self) {
        for step in 0..STEPS {
            let context = format!("seed {}, step {step}", self.seed);
            match self.batches.random.u8(0..20) {
                0..10 => self.commit(&context),
                10..14 => self.maintain(&context),
                14..16 => self.hold(),
                16 => self.held.clear(),
                17 => assert_equal(&*self.store, &self.model, &context),
                _ => self.open_again(),
            }
        }
        let context = format!("seed {}, at the end", self.seed);
        assert_equal(&*self.store, &self.model, &context);
        for (place, (ours, theirs)) in self.held.iter().enumerate() {
            assert_same_view(&**ours, &**theirs, &format!("{context}, held {place}"));
        }
        for (stream, &last) in (1..).zip(&self.lasts) {
            let found = block_on(self.store.last(stream)).expect("it can be asked");
            assert_eq!(found, last, "{context}, stream {stream}");
        }
    }

    fn commit(&mut self, context: &str) {
        let mut group = Vec::new();
        for _ in 0..self.batches.random.usize(0..6) {
            let stream = self.batches.random.u64(0..STREAMS);
            let last = &mut self.lasts[stream as usize];
            let number = match self.batches.random.u8(0..10) {
                // What was sent before, or was skipped.
                0..2 if *last > 0 => self.batches.random.u64(1..=*last),
                2 => *last + self.batches.random.u64(1..5),
                _ => *last + 1,
            };
            *last = number.max(*last);
            group.push(self.batches.batch(stream + 1, number, 30));
        }
        let ours = block_on(self.store.commit(group.clone())).expect("there is room");
        let theirs = block_on(self.model.commit(group)).expect("the model has room");
        assert_eq!(ours, theirs, "{context}");
    }

    fn maintain(&mut self, context: &str) {
        // Also backwards: clocks are put back.
        self.now_ns += self.batches.random.i64(-10..100) * 60_000_000_000;
        let report = block_on(self.store.maintain(self.now_ns));
        report.unwrap_or_else(|error| panic!("{context}: {error}"));
    }

    fn hold(&mut self) {
        self.held.push((
            block_on(self.store.snapshot()).expect("a snapshot is given"),
            block_on(self.model.snapshot()).expect("a snapshot is given"),
        ));
    }

    fn open_again(&mut self) {
        if self.subject.is_durable() {
            self.held.clear();
            // The one before has to be gone when the next is opened.
            self.store = Arc::new(MemoryStore::new());
            self.store = self.subject.open();
        }
    }
}
