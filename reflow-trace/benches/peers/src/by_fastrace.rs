//! Rows of fastrace: a span for each message.
//!
//! A message that goes to another thread needs a span of its own there, a `Span`; spans that never
//! leave the thread of their parent can be `LocalSpan`s, which are cheaper and delivered together.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use fastrace::collector::{Config, Reporter};
use fastrace::prelude::{LocalSpan, Span, SpanContext, SpanRecord};

use crate::Connector;
use crate::resident::{self, report};
use crate::shared::rows::{BARE, Expect, FLOOR, Row, timed};
use crate::shared::work::{Full, Load, Messages};
use crate::shared::{BURST, Failure};

const NAME: &str = "send";

/// Of thousands, most of the time would go into growing the list of them.
const SENDS_OF_A_PARENT: u64 = 100;

/// Counts the sends and throws them away.
struct Discard(Arc<AtomicU64>);

impl Reporter for Discard {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        let sends = spans.iter().filter(|span| span.name == NAME).count();
        self.0.fetch_add(sends as u64, Ordering::Release);
    }
}

/// How many sends have arrived.
pub(crate) struct Arrived(Arc<AtomicU64>);

impl Arrived {
    pub(crate) fn drain(&self) -> u64 {
        fastrace::flush();
        self.0.load(Ordering::Acquire)
    }
}

pub(crate) fn start() -> Arrived {
    let arrived = Arc::new(AtomicU64::new(0));
    fastrace::set_reporter(Discard(Arc::clone(&arrived)), Config::default());
    Arrived(arrived)
}

impl Connector {
    fn fields(&self) -> [(&'static str, String); 5] {
        [
            ("from_actor", self.from_actor.clone()),
            ("from_port", self.from_port.clone()),
            ("to_actor", self.to_actor.clone()),
            ("to_port", self.to_port.clone()),
            ("message_type", "Load".to_owned()),
        ]
    }

    #[inline(never)]
    fn send_in_span(&self, message: Load) -> Result<(), Full> {
        let _span = Span::root(NAME, SpanContext::random());
        self.put(message)
    }

    #[inline(never)]
    fn send_in_span_with_fields(&self, message: Load) -> Result<(), Full> {
        let _span = Span::root(NAME, SpanContext::random()).with_properties(|| self.fields());
        self.put(message)
    }

    #[inline(never)]
    fn send_in_local_span(&self, message: Load) -> Result<(), Full> {
        let _span = LocalSpan::enter_with_local_parent(NAME);
        self.put(message)
    }

    #[inline(never)]
    fn send_in_local_span_with_fields(&self, message: Load) -> Result<(), Full> {
        let _span = LocalSpan::enter_with_local_parent(NAME).with_properties(|| self.fields());
        self.put(message)
    }
}

type Traced = fn(&Connector, Load) -> Result<(), Full>;

pub(crate) fn rows() -> Vec<Row<'static>> {
    vec![
        local("fastrace LocalSpan", Connector::send_in_local_span),
        local(
            "fastrace LocalSpan, five fields",
            Connector::send_in_local_span_with_fields,
        ),
        root("fastrace Span", Connector::send_in_span),
        root(
            "fastrace Span, five fields",
            Connector::send_in_span_with_fields,
        ),
    ]
}

fn root(name: &'static str, send: Traced) -> Row<'static> {
    let (connector, messages) = (Connector::new(), Messages::new());
    Row::new(name, Expect::Recorded, move |number| {
        let _sent = black_box(send(&connector, messages.nth(number)));
    })
}

/// Some sends have one parent, whose end hands them over; that is part of the cost.
fn local(name: &'static str, send: Traced) -> Row<'static> {
    let (connector, messages) = (Connector::new(), Messages::new());
    Row {
        name,
        bare: BARE,
        floor: FLOOR,
        bare_of_floor: BARE,
        expect: Expect::Recorded,
        sends: BURST,
        threads: 1,
        events: 1,
        burst: Box::new(move || {
            let start = Instant::now();
            for _ in 0..BURST / SENDS_OF_A_PARENT {
                let parent = Span::root("parent", SpanContext::random());
                let _local = parent.set_local_parent();
                timed(SENDS_OF_A_PARENT, |number| {
                    let _sent = black_box(send(&connector, messages.nth(number)));
                });
            }
            start.elapsed()
        }),
    }
}

/// Takes spans and never comes back.
struct Stall(Receiver<()>);

impl Reporter for Stall {
    fn report(&mut self, _spans: Vec<SpanRecord>) {
        let _released = self.0.recv();
    }
}

/// The memory of the process while nothing leaves it; ends before the machine suffers.
pub(crate) fn stalled() -> Result<(), Failure> {
    const SENDS: u64 = 5_000_000;
    const STEP: u64 = 50_000;
    const ENOUGH_BYTES: u64 = 2 << 30;
    let (release, stall) = channel();
    let before = resident::bytes()?;
    fastrace::set_reporter(Stall(stall), Config::default());
    let (connector, messages) = (Connector::new(), Messages::new());
    let mut sent = 0;
    let mut resident = before;
    while sent < SENDS && resident < ENOUGH_BYTES {
        for number in 0..STEP {
            let _sent = black_box(connector.send_in_span_with_fields(messages.nth(number)));
        }
        sent += STEP;
        resident = resident::bytes()?;
    }
    let note = if sent < SENDS {
        format!("stopped after {sent} sends, it goes on growing")
    } else {
        format!("{sent} sends")
    };
    report("fastrace stalled, resident before", before as f64, "");
    report("fastrace stalled, resident after", resident as f64, &note);
    drop(release);
    Ok(())
}
