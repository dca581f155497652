//! The same events through SQL and through the filters of a query, which are evaluated on whole events.

use std::path::Path;

use fastrand::Rng;
use reflow_trace::query::filter::{Column, Filter, Number, Row, Value as Asked, ValueKind};

use reflow_trace::TraceId;

use super::*;
use crate::answer::sql::watch::Looking;
use crate::store::conformance::Batches;
use crate::store::embedded::{EmbeddedStore, Settings};
use crate::store::{Key, TimeRange};

/// A store on disk and in memory with the same in it; of the one on disk half is in segments.
fn stores(directory: &Path, seed: u64) -> Vec<(&'static str, Arc<dyn Snapshot>)> {
    let mut batches = Batches::new(seed);
    let settings = Settings {
        seal_events: 200,
        merge_events_max: 500,
        ..Settings::new(directory)
    };
    let embedded = EmbeddedStore::open(settings).unwrap_or_else(|error| panic!("{error}"));
    let memory = MemoryStore::new();
    for number in 1..=24 {
        let batch = batches.batch(1, number, 40);
        block_on(memory.commit(vec![batch.clone()])).unwrap_or_else(|error| panic!("{error}"));
        block_on(embedded.commit(vec![batch])).unwrap_or_else(|error| panic!("{error}"));
        if number == 14 {
            block_on(embedded.seal_all(0)).unwrap_or_else(|error| panic!("{error}"));
        }
    }
    let view =
        |store: &dyn Store| block_on(store.snapshot()).unwrap_or_else(|error| panic!("{error}"));
    vec![("memory", view(&memory)), ("embedded", view(&embedded))]
}

/// What the filter knows of a column, as SQL writes it.
fn expected(event: &TraceEvent, column: Column) -> Value {
    match event.column(column) {
        None => Value::Null,
        Some(Asked::Text(text)) => text.into_owned().into(),
        Some(Asked::Id(id)) => id.to_string().into(),
        Some(Asked::Boolean(boolean)) => boolean.into(),
        Some(Asked::Time(time)) => {
            let nearest = if time.timestamp() < 0 {
                i64::MIN
            } else {
                i64::MAX
            };
            let ns = time.timestamp_nanos_opt().unwrap_or(nearest);
            let time = chrono::DateTime::from_timestamp_nanos(ns);
            time.format("%Y-%m-%dT%H:%M:%S%.9fZ").to_string().into()
        }
        Some(Asked::Number(Number::Integer(whole))) => {
            u64::try_from(whole).map_or(Value::Null, Value::from)
        }
        Some(Asked::Number(Number::Float(float))) => float.into(),
    }
}

fn sorted(mut rows: Vec<String>) -> Vec<String> {
    rows.sort();
    rows
}

#[test]
fn every_column_of_every_event_is_what_the_event_says() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let directory = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    for (store, view) in stores(directory.path(), seed) {
        let events = view.events(TimeRange::ALL);
        let events: Vec<_> = events.map(|event| event.expect("it can be read")).collect();
        assert!(events.len() > 100, "{store}");
        for (table, is_shown) in [
            ("trace_events", (|_| true) as fn(&TraceEvent) -> bool),
            ("data_flow_events", TraceEvent::is_data_flow),
        ] {
            for column in Column::ALL {
                let name = column.name();
                let found = rows(
                    &*view,
                    &format!("SELECT event_id AS whose, {name} FROM {table}"),
                );
                let wanted = events.iter().filter(|event| is_shown(event)).map(|event| {
                    let id = expected(event, Column::EventId);
                    Value::Array(vec![id, expected(event, *column)]).to_string()
                });
                assert_eq!(
                    sorted(found),
                    sorted(wanted.collect()),
                    "{store} {table} {name}"
                );
            }
            let whole = ask(&*view, &format!("SELECT * FROM {table}"));
            assert_eq!(
                whole.rows.len(),
                events.iter().filter(|event| is_shown(event)).count()
            );
        }
    }
}

/// A condition that means the same to a filter and to SQL, about a value that is there.
fn condition(random: &mut Rng, events: &[TraceEvent]) -> Option<(String, String)> {
    let column = Column::ALL[random.usize(0..Column::ALL.len())];
    let event = &events[random.usize(0..events.len())];
    let name = column.name();
    let comparison = ["=", "<", "<=", ">", ">=", "!="][random.usize(0..6)];
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let value = match event.column(column)? {
        Asked::Text(text) => quoted(&text),
        Asked::Id(id) => quoted(&id.to_string()),
        Asked::Time(time) => quoted(&time.to_rfc3339()),
        Asked::Number(Number::Integer(whole)) => whole.to_string(),
        // Fractions are written in more ways than one.
        Asked::Number(Number::Float(_)) | Asked::Boolean(_) => return None,
    };
    let comparison = match column.kind() {
        ValueKind::Id | ValueKind::EventType | ValueKind::Outcome => "=",
        // The order of what does not fit into nanoseconds is another one.
        ValueKind::Time if !(2_000..2_100).contains(&chrono::Datelike::year(&event.timestamp)) => {
            return None;
        }
        _ => comparison,
    };
    let in_filter = format!("{name} {comparison} {value}");
    let in_sql = match column.kind() {
        ValueKind::Time => format!("{name} {comparison} TIMESTAMP {value}"),
        _ => in_filter.clone(),
    };
    Some((in_filter, in_sql))
}

#[test]
fn random_conditions_find_what_filters_find() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = Rng::with_seed(seed);
    let directory = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    for (store, view) in stores(directory.path(), seed) {
        let events = view.events(TimeRange::ALL);
        let events: Vec<_> = events.map(|event| event.expect("it can be read")).collect();
        let mut asked = 0;
        while asked < 60 {
            let (Some(one), Some(two)) = (
                condition(&mut random, &events),
                condition(&mut random, &events),
            ) else {
                continue;
            };
            asked += 1;
            let joined = ["AND", "OR"][random.usize(0..2)];
            let filter = format!("{} {joined} {}", one.0, two.0);
            let parsed = Filter::parse(&filter).unwrap_or_else(|error| panic!("{filter}: {error}"));
            let table = ["trace_events", "data_flow_events"][random.usize(0..2)];
            let matching = events.iter().filter(|event| {
                (table == "trace_events" || event.is_data_flow()) && parsed.matches(*event)
            });
            let statement = format!(
                "SELECT count(*) FROM {table} WHERE {} {joined} {}",
                one.1, two.1
            );
            assert_eq!(
                rows(&*view, &statement),
                [format!("[{}]", matching.count())],
                "{store}: {statement}"
            );
        }
    }
}

#[test]
fn groups_are_added_up_as_plain_code_does() {
    use std::collections::BTreeMap;
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let directory = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    for (store, view) in stores(directory.path(), seed) {
        let mut sums: BTreeMap<(String, String), (u64, u64)> = BTreeMap::new();
        for event in view.events(TimeRange::ALL) {
            let event = event.expect("it can be read");
            if let (true, Some((to, _))) = (event.is_data_flow(), event.destination()) {
                let sum = sums
                    .entry((event.actor_id.clone(), to.to_owned()))
                    .or_default();
                sum.0 += 1;
                sum.1 += event
                    .data
                    .message
                    .as_ref()
                    .map_or(0, |message| message.size_bytes as u64);
            }
        }
        let wanted: Vec<_> = sums
            .into_iter()
            .map(|((from, to), (count, bytes))| {
                serde_json::json!([from, to, count, bytes]).to_string()
            })
            .collect();
        let found = rows(
            &*view,
            "SELECT source_actor, destination_actor, count(*), coalesce(sum(size_bytes), 0) FROM data_flow_events GROUP BY 1, 2",
        );
        assert_eq!(sorted(found), sorted(wanted), "{store}");
    }
}

#[test]
fn attributes_are_json_and_can_be_asked_for_by_name() {
    let mut events = flows(2, 0);
    events[0]
        .data
        .custom_attributes
        .insert("tenant".into(), "acme".into());
    events[0]
        .data
        .custom_attributes
        .insert("retries".into(), 3.into());
    let view = holding(&events);
    assert_eq!(
        rows(
            &*view,
            "SELECT message_id, attributes, attr(attributes, 'tenant'), attr(attributes, 'retries')::INT + 1 FROM data_flow_events ORDER BY 1"
        ),
        [
            r#"["msg_0","{\"retries\":3,\"tenant\":\"acme\"}","acme",4]"#,
            r#"["msg_1",null,null,null]"#,
        ]
    );
}

#[test]
fn names_that_are_too_long_for_the_columns_are_whole() {
    let long = "x".repeat(400);
    let event = TraceEvent::data_flow(&long, "", "b", "in", &long, 1);
    let view = holding(&[event]);
    let statement = format!(
        "SELECT length(source_actor), length(message_type), source_port FROM data_flow_events WHERE source_actor = '{long}'"
    );
    assert_eq!(rows(&*view, &statement), [r#"[400,400,""]"#]);
}

#[test]
fn values_are_json_as_the_answer_says() {
    let view = holding(&[]);
    let value = |expression: &str| {
        let mut found = ask(&*view, &format!("SELECT {expression}"));
        found.rows.remove(0).remove(0).to_string()
    };
    for (expression, json) in [
        ("NULL", "null"),
        ("18446744073709551615", "18446744073709551615"),
        ("-9223372036854775807", "-9223372036854775807"),
        ("0.1", "0.1"),
        ("CAST('NaN' AS DOUBLE)", "\"NaN\""),
        ("-CAST('inf' AS DOUBLE)", "\"-Infinity\""),
        ("true", "true"),
        (
            "TIMESTAMP '2025-06-15T12:00:00.123456789Z'",
            "\"2025-06-15T12:00:00.123456789\"",
        ),
        ("DATE '2025-06-15'", "\"2025-06-15\""),
        ("INTERVAL '90 minutes'", "\"1 hours 30 mins\""),
        ("X'00ff'", "\"00ff\""),
        ("CAST(1.5 AS DECIMAL(10, 2))", "\"1.50\""),
        ("array_agg(x) FROM (VALUES (1), (2)) AS t(x)", "[1,2]"),
        ("arrow_cast('a', 'Dictionary(Int32, Utf8)')", "\"a\""),
        ("'a' || NULL", "null"),
        ("'a' || 'b' || 'c'", "\"abc\""),
        ("arrow_cast(3, 'UInt64') - arrow_cast(5, 'UInt64')", "-2"),
    ] {
        assert_eq!(value(expression), json, "{expression}");
    }
}

#[test]
fn a_number_that_no_difference_can_have_leaves_the_others_alone() {
    let mut events = flows(3, 0);
    let most = |event: &mut TraceEvent, ns| {
        event.data.performance_metrics.execution_time_ns = Some(ns);
    };
    most(&mut events[1], u64::MAX);
    let view = holding(&events);
    assert_eq!(
        rows(
            &*view,
            "SELECT execution_time_ns - size_bytes FROM data_flow_events ORDER BY timestamp"
        ),
        ["[900]", "[null]", "[2898]"]
    );
}

/// Segments of which each holds other ids; the traces are numbered as those whose sampling hangs on an id are.
fn with_ids(directory: &Path) -> (EmbeddedStore, Vec<TraceEvent>) {
    let store =
        EmbeddedStore::open(Settings::new(directory)).unwrap_or_else(|error| panic!("{error}"));
    let producer = ProducerId::from_bits(7);
    let mut random = Rng::with_seed(5);
    let mut known = Vec::new();
    for segment in 0..6 {
        let mut events = flows(600, segment * 3_600_000_000_000);
        for event in &mut events {
            let root = u128::from(random.u64(..)) & ((1 << 56) - 1);
            event.trace_id = Some(TraceId::from_root(producer, root));
            let id = format!("order-{}", random.u32(..));
            event
                .data
                .custom_attributes
                .insert("message_id".to_owned(), id.into());
        }
        known.push(events[random.usize(..600)].clone());
        let batch = batch_of(&events, producer, 1, segment as u64 + 1);
        block_on(store.commit(vec![batch])).unwrap_or_else(|error| panic!("{error}"));
        block_on(store.seal_all(0)).unwrap_or_else(|error| panic!("{error}"));
    }
    assert_eq!(store.stats().segments, 6);
    (store, known)
}

#[test]
fn ids_are_looked_up_by_the_filters_of_segments() {
    let directory = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let (store, known) = with_ids(directory.path());
    let view = block_on(store.snapshot()).unwrap_or_else(|error| panic!("{error}"));
    let mut read = [0; 2];
    for event in &known {
        let message = event
            .message_id()
            .and_then(Value::as_str)
            .expect("it has one");
        let trace = event.trace_id.expect("it has one");
        for (place, condition) in [
            (0, format!("message_id = '{message}'")),
            (1, format!("trace_id = '{trace}'")),
        ] {
            let statement = format!("SELECT event_id FROM data_flow_events WHERE {condition}");
            let answer = ask(&*view, &statement);
            assert_eq!(answer.rows.len(), 1, "{condition}");
            assert_eq!(answer.rows[0][0], event.event_id.as_uuid().to_string());
            read[place] += answer.work.pages_read;
        }
        let looking = Looking::new();
        let found = view.find(&[Key::Trace(trace)], TimeRange::ALL, 9, &*looking);
        assert_eq!(found.expect("it can be read").len(), 1);
        let asking = asking(limits());
        looking.settle(&asking);
        assert!(asking.work().segments_opened <= 2, "{:?}", asking.work());
    }
    // Each is in one page of six; a filter is wrong once in a hundred times, and an id has several forms.
    assert!(read[0] <= 12 && read[1] <= 8, "{read:?}");
}
