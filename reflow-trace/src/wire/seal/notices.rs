//! Notices as messages of their own.

use super::dictionary::BatchDictionary;
use crate::edge::NAME_BYTES_MAX;
use crate::event::TraceEvent;
use crate::ledger::{CounterSnapshot, Coverage};
use crate::wire::format::{field, notice_field};
use crate::wire::notice::Notice;
use crate::wire::protobuf::{put, put_bytes, put_number, zigzag};

/// Appends the notice that `event` is, and gives how many lines of counters it has. `None`: it is none,
/// or has names that are longer than names are.
pub(super) fn put_notice(
    event: &TraceEvent,
    dictionary: &mut BatchDictionary,
    notices: &mut Vec<u8>,
) -> Option<u64> {
    // Most events are none, and this is cheaper to see.
    if event.actor_id != crate::ledger::TRACING_ACTOR {
        return None;
    }
    let notice = Notice::of(event)?;
    if !notice.counters.as_ref().is_none_or(has_short_names) {
        return None;
    }
    let mut message = Vec::new();
    put_bytes(
        &mut message,
        notice_field::EVENT_ID,
        notice.event_id.as_uuid().as_bytes(),
    );
    put_number(
        &mut message,
        notice_field::SECONDS,
        zigzag(notice.timestamp.timestamp() as u64),
    );
    put_number(
        &mut message,
        notice_field::NANOSECONDS,
        u64::from(notice.timestamp.timestamp_subsec_nanos()),
    );
    if let Some(loss) = notice.loss {
        put_bytes(
            &mut message,
            notice_field::LOSS_REASON,
            loss.reason.name().as_bytes(),
        );
        put_number(&mut message, notice_field::LOSS_COUNT, loss.count);
    }
    let mut lines = 0;
    if let Some(counters) = &notice.counters {
        lines = counters.edges.len() as u64;
        put_counters(counters, dictionary, &mut message);
    }
    if let Some(coverage) = &notice.coverage {
        lines += coverage.rings.len() as u64;
        put_coverage(coverage, &mut message);
    }
    put_bytes(notices, field::NOTICE, &message);
    Some(lines)
}

fn has_short_names(counters: &CounterSnapshot) -> bool {
    counters.edges.iter().all(|line| {
        [
            &line.from_actor,
            &line.from_port,
            &line.to_actor,
            &line.to_port,
            &line.message_type,
        ]
        .iter()
        .all(|name| name.len() <= NAME_BYTES_MAX)
    })
}

fn put_counters(
    counters: &CounterSnapshot,
    dictionary: &mut BatchDictionary,
    message: &mut Vec<u8>,
) {
    put_number(
        message,
        notice_field::COUNTERS_PRODUCER,
        counters.producer.bits(),
    );
    let (mut names, mut counts) = (Vec::new(), Vec::new());
    for line in &counters.edges {
        for name in [
            &line.from_actor,
            &line.from_port,
            &line.to_actor,
            &line.to_port,
            &line.message_type,
        ] {
            put(&mut names, u64::from(dictionary.name(name)));
        }
        for count in [
            line.messages,
            line.bytes,
            line.failures,
            line.not_sampled,
            line.received,
            line.dropped,
        ] {
            put(&mut counts, count);
        }
    }
    put_bytes(message, notice_field::COUNTERS_NAMES, &names);
    put_bytes(message, notice_field::COUNTERS, &counts);
}

fn put_coverage(coverage: &Coverage, message: &mut Vec<u8>) {
    let mut rings = Vec::new();
    for ring in &coverage.rings {
        put(&mut rings, u64::from(ring.ring));
        put(&mut rings, ring.numbered);
    }
    put_number(
        message,
        notice_field::COVERAGE_PRODUCER,
        coverage.producer.bits(),
    );
    put_bytes(message, notice_field::COVERAGE_RINGS, &rings);
    for (field, number) in [
        (notice_field::COVERAGE_THRESHOLD, coverage.threshold.bits()),
        (
            notice_field::LOST_WITHOUT_NUMBER,
            coverage.lost_without_number,
        ),
        (notice_field::BY_HAND, coverage.by_hand),
        (notice_field::BY_HAND_WAITING, coverage.by_hand_waiting),
        (notice_field::CLOCK_WANDER_NS, coverage.clock_wander_ns),
    ] {
        put_number(message, field, number);
    }
}
