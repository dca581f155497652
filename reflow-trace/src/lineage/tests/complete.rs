//! A trace that is called complete is complete.

use super::*;
use crate::ledger::{CounterSnapshot, Coverage, RingCoverage};

const BEGIN_NS: i64 = 1_000_000_000;

fn coverage(numbered: u64) -> Coverage {
    Coverage {
        producer: P,
        threshold: Threshold::ALWAYS,
        rings: vec![RingCoverage { ring: 1, numbered }],
        lost_without_number: 0,
        by_hand: 0,
        by_hand_waiting: 0,
        clock_wander_ns: 0,
    }
}

fn notice(coverage: &Coverage) -> TraceEvent {
    let snapshot = CounterSnapshot {
        producer: coverage.producer,
        edges: vec![],
    };
    TraceEvent::edge_counters(&snapshot).with_coverage(coverage)
}

/// The diamond a second after its beginning of time, with numbers from `before + 1` on.
fn later(before: u64) -> Vec<TraceEvent> {
    let mut events = diamond();
    for event in &mut events {
        let shifted = |id: EventId| self::id(id.origin().expect("ours").sequence + before);
        event.event_id = shifted(event.event_id);
        event.timestamp += chrono::TimeDelta::nanoseconds(BEGIN_NS);
        let causality = &mut event.causality;
        causality.parent_event_id = causality.parent_event_id.map(shifted);
        causality.root_cause_event_id = causality.root_cause_event_id.map(shifted);
        for joined in &mut causality.joined_event_ids {
            *joined = shifted(*joined);
        }
    }
    events
}

fn of(mut events: Vec<TraceEvent>, coverage: &Coverage) -> Completeness {
    events.push(notice(coverage));
    FlowIndex::new(&events).completeness(trace(1 << 55))
}

#[test]
fn a_trace_of_which_nothing_can_be_missing_is_complete() {
    assert_eq!(of(later(0), &coverage(12)), Completeness::Complete);
}

#[test]
fn without_any_one_of_its_events_it_is_not_complete() {
    for missing in 0..12 {
        let mut events = later(0);
        events.remove(missing);
        let verdict = of(events, &coverage(12));
        assert_ne!(verdict, Completeness::Complete, "without {missing}");
        if missing < 11 {
            assert!(
                matches!(verdict, Completeness::Partial(_)),
                "{missing}: {verdict}"
            );
        }
    }
}

#[test]
fn a_doubt_has_its_reason() {
    let unknown = Completeness::Unknown;
    let without = |change: fn(&mut Coverage)| {
        let mut coverage = coverage(12);
        change(&mut coverage);
        of(later(0), &coverage)
    };
    let sampling = unknown(Doubt::Sampling);
    let loss = unknown(Doubt::LossOverlaps);
    assert_eq!(without(|it| it.threshold = Threshold::NEVER), sampling);
    assert_eq!(
        without(|it| it.threshold = Threshold::from_bits((1 << 55) + 1)),
        sampling
    );
    assert_eq!(
        without(|it| it.threshold = Threshold::from_bits(1 << 55)),
        Completeness::Complete
    );
    assert_eq!(
        without(|it| it.rings[0].numbered = 13),
        loss,
        "one is under way"
    );
    assert_eq!(
        without(|it| it.rings.clear()),
        loss,
        "the notice is older than the events"
    );
    assert_eq!(without(|it| it.lost_without_number = 1), loss);
    assert_eq!(without(|it| it.by_hand_waiting = 1), loss);
    assert_eq!(without(|it| it.by_hand = 1), loss);
    let elsewhere = |it: &mut Coverage| it.producer = ProducerId::from_bits(2);
    assert_eq!(without(elsewhere), unknown(Doubt::NoCoverage));
    assert_eq!(
        FlowIndex::new(&[]).completeness(trace(1)),
        unknown(Doubt::NoEvents)
    );

    let changed = |at: usize, change: fn(&mut TraceEvent)| {
        let mut events = later(0);
        change(&mut events[at]);
        of(events, &coverage(12))
    };
    let mark = |event: &mut TraceEvent, mark: &str| {
        let attributes = &mut event.data.custom_attributes;
        attributes.insert(mark.into(), json!(true));
    };
    let mut events = later(0);
    mark(&mut events[0], "unlinked");
    assert_eq!(of(events, &coverage(12)), unknown(Doubt::HopWithoutContext));
    let beginning = Completeness::Partial(Missing::Beginning);
    let unclaimed = |it: &mut TraceEvent| it.causality.root_cause_event_id = None;
    assert_eq!(changed(0, unclaimed), beginning);
    let other_trace = |it: &mut TraceEvent| it.trace_id = Some(trace(7));
    assert_eq!(changed(11, other_trace), unknown(Doubt::NotTakenUp));
}

#[test]
fn a_gap_that_is_older_than_the_trace_does_no_harm() {
    // Number 1 is lost; number 2 began long before the trace.
    let older = |sequence| {
        let mut event = send("x", "y", sequence, 0, 1);
        event.trace_id = Some(trace(9));
        event
    };
    let with = |events: Vec<TraceEvent>| {
        let mut all = later(3);
        all.extend(events);
        of(all, &coverage(15))
    };
    assert_eq!(with(vec![older(2), older(3)]), Completeness::Complete);
    let loss = Completeness::Unknown(Doubt::LossOverlaps);
    assert_eq!(with(vec![older(1), older(2)]), loss, "3 may be of it");
    // A number that was given late, by what began early, proves nothing about the one before it.
    let mut late = older(3);
    late.timestamp += chrono::TimeDelta::nanoseconds(BEGIN_NS * 2);
    assert_eq!(with(vec![older(1), late]), loss);
}

#[test]
fn times_prove_nothing_where_the_clock_has_strayed() {
    let mut all = later(3);
    for sequence in [2, 3] {
        let mut event = send("x", "y", sequence, 0, 1);
        event.trace_id = Some(trace(9));
        all.push(event);
    }
    let mut strayed = coverage(15);
    strayed.clock_wander_ns = BEGIN_NS as u64;
    assert_eq!(
        of(all, &strayed),
        Completeness::Unknown(Doubt::LossOverlaps)
    );
}

#[test]
fn what_was_lost_without_a_number_does_no_harm_when_it_was_counted_before() {
    let mut lost = coverage(12);
    lost.lost_without_number = 5;
    let mut earlier = notice(&Coverage {
        rings: vec![],
        ..lost.clone()
    });
    earlier.timestamp = DateTime::from_timestamp_nanos(0);
    let mut events = later(0);
    events.push(earlier.clone());
    assert_eq!(of(events.clone(), &lost), Completeness::Complete);
    lost.lost_without_number = 6;
    assert_eq!(
        of(events, &lost),
        Completeness::Unknown(Doubt::LossOverlaps)
    );
}

#[test]
fn a_trace_that_was_cut_begins_where_it_was_cut() {
    let mut events = later(0);
    for event in &mut events[..2] {
        event.trace_id = Some(trace(3 << 54));
    }
    // Both sends of the fan go on under a new trace: each of its own.
    let cut = |event: &mut TraceEvent| {
        let attributes = &mut event.data.custom_attributes;
        attributes.insert("trace_cut".into(), json!(true));
    };
    events.truncate(5);
    events.remove(3);
    cut(&mut events[2]);
    // What is left: 1, 2 of the one trace; 3 and 5 of the other. Number 4 is of nobody.
    let mut gone = send("x", "y", 4, 0, 1);
    gone.trace_id = Some(trace(9));
    events.push(gone);
    assert_eq!(of(events, &coverage(5)), Completeness::Complete);
}
