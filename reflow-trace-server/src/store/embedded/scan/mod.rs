//! Answers of a query, in the order of their places or against it, from segments and the tail at once.
//!
//! A segment or a batch is looked at when the time has come at which its first answer can be. In each,
//! [`plan`] says by the query which pages and which rows can be answers; what is left is asked exactly, without making
//! events of it; and only answers that are taken become events.

mod behind;
mod plan;
mod segment;
mod tail;

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;

use reflow_trace::api::Cursor;

use super::segment::Segment;
use super::tail::TailBatch;
use super::view::View;
use crate::store::{Effort, Found, Scan, StoreError, Watch};
use plan::Plan;
use segment::SegmentSource;
use tail::TailSource;

/// The answers, as they are asked for.
pub(super) struct Answers<'a> {
    view: &'a View,
    watch: &'a dyn Watch,
    plan: Plan<'a>,
    /// What may have answers and was not looked at; the last comes first.
    unopened: Vec<Unopened>,
    open: Vec<Source>,
    next: BinaryHeap<Next>,
    has_ended: bool,
}

struct Unopened {
    /// The time of its first answer at the earliest, in the order that is asked for.
    time_ns: i64,
    what: What,
}

enum What {
    Segment(Arc<Segment>),
    Tail(TailBatch),
}

enum Source {
    Segment(Box<SegmentSource>),
    Tail(Box<TailSource>),
    /// Nothing more.
    Empty,
}

/// The next answer of a source.
#[derive(PartialEq, Eq)]
struct Next {
    place: Cursor,
    source: usize,
    newest_first: bool,
}

impl Ord for Next {
    /// The greatest comes first out of a heap.
    fn cmp(&self, other: &Self) -> Ordering {
        let order = self.place.cmp(&other.place);
        let order = if self.newest_first {
            order
        } else {
            order.reverse()
        };
        order.then(other.source.cmp(&self.source))
    }
}

impl PartialOrd for Next {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<'a> Answers<'a> {
    pub(super) fn new(view: &'a View, scan: &'a Scan, watch: &'a dyn Watch) -> Self {
        let plan = Plan::new(scan);
        watch.spend(Effort {
            segments: view.segments().len() as u64,
            ..Effort::default()
        });
        let mut unopened = Vec::new();
        let mut add = |(first_ns, last_ns), what| {
            if !plan.is_empty && plan.range.touches(first_ns, last_ns) {
                let time_ns = if scan.newest_first { last_ns } else { first_ns };
                unopened.push(Unopened { time_ns, what });
            }
        };
        for segment in view.segments() {
            let times = (segment.entry.first_ns, segment.entry.last_ns);
            add(times, What::Segment(segment.clone()));
        }
        for tail in view.tail().iter() {
            if let Some(times) = tail.batch().and_then(|batch| batch.time_range()) {
                add(times, What::Tail(tail.clone()));
            }
        }
        unopened.sort_by(|one, other| {
            let order = one.time_ns.cmp(&other.time_ns);
            if scan.newest_first {
                order
            } else {
                order.reverse()
            }
        });
        Self {
            view,
            watch,
            plan,
            unopened,
            open: Vec::new(),
            next: BinaryHeap::new(),
            has_ended: false,
        }
    }

    /// The next answer, or, where nobody wants to see it, only that there is one.
    fn step(&mut self, is_wanted: bool) -> Result<Option<Option<Found>>, StoreError> {
        let newest_first = self.plan.scan.newest_first;
        while let Some(unopened) = self.unopened.pop_if(|unopened| {
            self.next.peek().is_none_or(|next| {
                if newest_first {
                    unopened.time_ns >= next.place.time_ns
                } else {
                    unopened.time_ns <= next.place.time_ns
                }
            })
        }) {
            self.watch.go_on()?;
            let shared = self.view.shared();
            let source = match unopened.what {
                What::Segment(segment) => {
                    let reader = shared.open(&segment)?;
                    let source = SegmentSource::new(reader, &self.plan, self.watch)?;
                    Source::Segment(Box::new(source))
                }
                What::Tail(tail) => {
                    let source = TailSource::new(shared, &tail, &self.plan, self.watch)?;
                    source.map_or(Source::Empty, |source| Source::Tail(Box::new(source)))
                }
            };
            self.open.push(source);
            self.push_next(self.open.len() - 1)?;
        }
        let Some(next) = self.next.pop() else {
            return Ok(None);
        };
        let found = match &mut self.open[next.source] {
            Source::Segment(source) if is_wanted => Some(source.take(self.watch)?),
            Source::Tail(source) if is_wanted => Some(source.take(self.watch)?),
            Source::Segment(source) => source.pass(),
            Source::Tail(source) => source.pass(),
            Source::Empty => return Err(StoreError::damaged("a source", "it has no event")),
        };
        self.push_next(next.source)?;
        Ok(Some(found))
    }

    /// Finds the next answer of a source.
    fn push_next(&mut self, source: usize) -> Result<(), StoreError> {
        let place = match &mut self.open[source] {
            Source::Segment(source) => source.next_place(&self.plan, self.watch)?,
            Source::Tail(source) => source.next_place(),
            Source::Empty => None,
        };
        match place {
            Some(place) => self.next.push(Next {
                place,
                source,
                newest_first: self.plan.scan.newest_first,
            }),
            // Lets go of the file.
            None => self.open[source] = Source::Empty,
        }
        Ok(())
    }
}

impl Iterator for Answers<'_> {
    type Item = Result<Found, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_ended {
            return None;
        }
        let step = self.step(true).map(Option::flatten);
        self.has_ended = !matches!(step, Ok(Some(_)));
        step.transpose()
    }

    /// No event is made of what is passed over.
    fn nth(&mut self, passed: usize) -> Option<Self::Item> {
        for _ in 0..passed {
            if self.has_ended {
                return None;
            }
            let step = self.step(false);
            self.has_ended = !matches!(step, Ok(Some(_)));
            if let Err(error) = step {
                return Some(Err(error));
            }
        }
        self.next()
    }
}
