//! Whether two stores answer the same to questions for some of their events, and what a look at every
//! event says.

use chrono::DateTime;
use fastrand::Rng;
use reflow_trace::api::Cursor;
use reflow_trace::query::TraceQuery;
use reflow_trace::{EventId, TraceEvent, TraceId};
use serde_json::{Value, json};

use super::compare::{events, ranges};
use crate::store::{Found, Key, Scan, Snapshot, StoreError, TimeRange, Unwatched};

/// Checks look-ups, scans and back-fill of two snapshots of the same events.
///
/// # Panics
///
/// When they do not answer as they should; `context` says where.
pub fn assert_same_answers(
    ours: &dyn Snapshot,
    theirs: &dyn Snapshot,
    random: &mut Rng,
    rounds: usize,
    context: &str,
) {
    let all = events(theirs, TimeRange::ALL);
    for _ in 0..rounds {
        let ids = Ids::some_of(&all, random);
        let keys = ids.keys();
        let ranges = ranges();
        let range = ranges[random.usize(0..ranges.len())];
        let find = |snapshot: &dyn Snapshot, most| {
            let found = snapshot.find(&keys, range, most, &Unwatched);
            found.expect("it can be read")
        };
        let (found, due) = (find(ours, usize::MAX), find(theirs, usize::MAX));
        let most = random.usize(0..20);
        let is_more = find(ours, most).len() > most;
        assert_eq!(is_more, found.len() > most, "{context}: {most} of {keys:?}");
        assert_same(&found, &due, &format!("{context}: {keys:?} in {range:?}"));
        let by_hand = events(theirs, range);
        let by_hand = by_hand
            .iter()
            .filter(|event| keys.iter().any(|key| key.is_of(event)));
        let found = found.iter().map(|found| &found.event);
        assert!(found.eq(by_hand), "{context}: {keys:?} in {range:?}");
    }
    for _ in 0..rounds {
        assert_same_scan(ours, theirs, &all, random, context);
    }
    let from = random.u64(0..ours.end() + 2);
    let found: Result<Vec<_>, StoreError> = ours.batches_from(from, &Unwatched).collect();
    let due: Result<Vec<_>, StoreError> = theirs.batches_from(from, &Unwatched).collect();
    let (found, due) = (found.expect("it can be read"), due.expect("it can be read"));
    assert!(found == due, "{context}: batches from {from}");
}

fn assert_same(found: &[Found], due: &[Found], context: &str) {
    let differs = std::iter::zip(found, due).find(|(one, other)| one != other);
    assert!(
        found == due,
        "{context}: {} instead of {}; the first that differs: {differs:#?}",
        found.len(),
        due.len()
    );
}

fn assert_same_scan(
    ours: &dyn Snapshot,
    theirs: &dyn Snapshot,
    all: &[TraceEvent],
    random: &mut Rng,
    context: &str,
) {
    let filter = filter(all, random);
    let mut query = TraceQuery {
        custom_filter: filter.as_deref(),
        ..TraceQuery::default()
    };
    if let Some(event) = random.choice(all) {
        if random.u8(0..3) == 0 {
            query.actor_filter = Some(event.actor_id.clone());
        }
        if random.u8(0..3) == 0 {
            query.event_types = Some(vec![event.event_type.clone()]);
        }
        if random.u8(0..3) == 0 {
            let later = random.i64(0..200_000_000_000);
            let end = event.timestamp + chrono::TimeDelta::nanoseconds(later);
            query.time_range = Some((event.timestamp, end));
        }
    }
    let context = format!("{context}: {query:?}");
    let compiled = query.compile().expect("it is a query");
    let selected: Vec<_> = compiled.select(all).collect();
    let mut scan = Scan::new(compiled.clone());
    scan.newest_first = random.bool();
    scan.most = random.usize(0..50);
    scan.kind = (random.u8(0..6) == 0).then_some("DataFlow");
    let run = |snapshot: &dyn Snapshot, scan: &Scan| -> Vec<Found> {
        let found: Result<_, _> = snapshot.scan(scan, &Unwatched).collect();
        found.expect("it can be read")
    };
    let found = run(ours, &scan);
    assert_same(&found, &run(theirs, &scan), &context);
    let of_kind =
        |event: &&TraceEvent| scan.kind.is_none_or(|kind| event.event_type.name() == kind);
    let mut in_order: Vec<_> = found.iter().map(|found| &found.event).collect();
    if scan.newest_first {
        in_order.reverse();
    }
    assert!(
        in_order
            .into_iter()
            .eq(selected.into_iter().filter(of_kind)),
        "{context}"
    );
    // From the middle on, also from a place that is none.
    if let Some(middle) = random.choice(&found) {
        let mut after = middle.place;
        if random.bool() {
            after = Cursor {
                row: after.row.wrapping_add(random.u32(0..2)),
                offset: after.offset + random.u64(0..2),
                ..after
            };
        }
        scan.after = Some(after);
        let rest = run(ours, &scan);
        let due = found.iter().filter(|found| match scan.newest_first {
            true => found.place < after,
            false => found.place > after,
        });
        assert_same(
            &rest,
            &due.cloned().collect::<Vec<_>>(),
            &format!("{context}, after {after:?}"),
        );
    }
}

/// A condition about what some event says.
fn filter(all: &[TraceEvent], random: &mut Rng) -> Option<String> {
    let event = random.choice(all)?;
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let metrics = &event.data.performance_metrics;
    let number = random.u64(0..1_000_000);
    let time = event.timestamp;
    let is_written =
        (DateTime::UNIX_EPOCH..DateTime::from_timestamp_nanos(i64::MAX)).contains(&time);
    let mut filters = vec![
        format!("source_actor = {}", quoted(&event.actor_id)),
        format!("destination_actor = {}", quoted(&event.actor_id)),
        format!("actor_id >= {}", quoted(&event.actor_id)),
        format!(
            "execution_time_ns > {}",
            metrics.execution_time_ns.unwrap_or(number)
        ),
        format!("queue_depth <= {}", metrics.queue_depth.unwrap_or(50)),
        format!("NOT size_bytes < {}", number % 10_000),
        "waiting_time_ns IS NULL AND outcome = 'failed'".to_owned(),
        format!("event_id = '{}'", event.event_id),
        "port IS NULL OR hop_count > 3".to_owned(),
    ];
    if is_written {
        filters.push(format!(
            "timestamp >= '{}'",
            time.to_rfc3339_opts(chrono::SecondsFormat::Nanos, true)
        ));
    }
    filters.extend(event.trace_id.map(|id| format!("trace_id IN ('{id}')")));
    let parent = event.causality.parent_event_id;
    filters.extend(parent.map(|id| format!("parent_event_id = '{id}'")));
    if let Some(message) = &event.data.message {
        filters.push(format!("message_type = {}", quoted(&message.message_type)));
    }
    filters.extend(event.message_id().map(|id| {
        let text = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
        format!("message_id = {}", quoted(&text))
    }));
    let one = random.choice(&filters)?.clone();
    let other = random.choice(&filters)?;
    match random.u8(0..4) {
        0 => None,
        1 => Some(format!("{one} AND {other}")),
        2 => Some(format!("{one} OR {other}")),
        _ => Some(one),
    }
}

/// Ids of some events, and some that nobody has.
struct Ids {
    events: Vec<EventId>,
    parents: Vec<EventId>,
    traces: Vec<TraceId>,
    messages: Vec<Value>,
}

impl Ids {
    fn some_of(all: &[TraceEvent], random: &mut Rng) -> Self {
        let mut ids = Self {
            events: vec![EventId::new()],
            parents: vec![EventId::new()],
            traces: vec![TraceId::new()],
            messages: vec![json!("nobody-000001"), json!(null)],
        };
        for _ in 0..random.usize(0..6) {
            let Some(event) = random.choice(all) else {
                break;
            };
            match random.u8(0..6) {
                0 => ids.events.push(event.event_id),
                1 => ids.traces.extend(event.trace_id),
                2 => ids.parents.extend(event.causality.parent_event_id),
                3 => ids.parents.extend(event.causality.joined_event_ids.first()),
                _ => ids.messages.extend(event.message_id().cloned()),
            }
        }
        ids
    }

    fn keys(&self) -> Vec<Key<'_>> {
        let events = self.events.iter().map(|&id| Key::Event(id));
        let parents = self.parents.iter().map(|&id| Key::Parent(id));
        let traces = self.traces.iter().map(|&id| Key::Trace(id));
        let messages = self.messages.iter().map(Key::Message);
        events
            .chain(parents)
            .chain(traces)
            .chain(messages)
            .collect()
    }
}
