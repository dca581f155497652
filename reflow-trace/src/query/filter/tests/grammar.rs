//! Each form of the grammar, what it is printed as, and whether it is true of one event.

use super::super::Column;
use super::*;

/// (text, the one form, what it is of `slow_reading`)
const FORMS: &[(&str, &str, Option<bool>)] = &[
    // The two of the specification.
    (
        "message_id = 'msg_12345'",
        "message_id = 'msg_12345'",
        Some(true),
    ),
    (
        "execution_time_ns > 10000000",
        "execution_time_ns > 10000000",
        Some(true),
    ),
    // Comparisons, with blanks or without, either way round.
    (
        "execution_time_ns=15000000",
        "execution_time_ns = 15000000",
        Some(true),
    ),
    (
        "execution_time_ns<>15000000",
        "execution_time_ns != 15000000",
        Some(false),
    ),
    (
        "15000000 >= execution_time_ns",
        "15000000 >= execution_time_ns",
        Some(true),
    ),
    (
        "execution_time_ns <= 14999999.5",
        "execution_time_ns <= 14999999.5",
        Some(false),
    ),
    (
        "execution_time_ns > size_bytes and false = attr.urgent",
        "",
        None,
    ),
    (
        "size_bytes > memory_usage_bytes",
        "size_bytes > memory_usage_bytes",
        None,
    ),
    (
        "source_actor < destination_actor",
        "source_actor < destination_actor",
        Some(false),
    ),
    // Units and separators.
    (
        "execution_time_ns = 15ms",
        "execution_time_ns = 15000000",
        Some(true),
    ),
    (
        "execution_time_ns < 0.016s",
        "execution_time_ns < 16000000",
        Some(true),
    ),
    (
        "execution_time_ns BETWEEN 14_999_999 AND 15_000µs",
        "execution_time_ns BETWEEN 14999999 AND 15000000",
        Some(true),
    ),
    (
        "waiting_time_ns > 2h",
        "waiting_time_ns > 7200000000000",
        None,
    ),
    (
        "execution_time_ns > 0.5ns",
        "execution_time_ns > 0.5",
        Some(true),
    ),
    ("size_bytes = 4KiB", "size_bytes = 4096", Some(true)),
    ("size_bytes >= 4.096KB", "size_bytes >= 4096", Some(true)),
    (
        "throughput_msgs_per_sec > 1e3",
        "throughput_msgs_per_sec > 1000.0",
        Some(true),
    ),
    (
        "cpu_usage_percent < -1.5E-3",
        "cpu_usage_percent < -0.0015",
        None,
    ),
    // AND, OR, NOT and what binds closer.
    (
        "outcome = 'failed' OR outcome = 'delivered' AND hop_count = 1",
        "outcome = 'failed' OR (outcome = 'delivered' AND hop_count = 1)",
        None,
    ),
    (
        "(outcome = 'failed' OR outcome = 'delivered') AND size_bytes > 1",
        "(outcome = 'failed' OR outcome = 'delivered') AND size_bytes > 1",
        Some(true),
    ),
    (
        "not outcome = 'failed' and not not size_bytes > 1",
        "NOT outcome = 'failed' AND NOT NOT size_bytes > 1",
        Some(true),
    ),
    (
        "NOT (outcome = 'failed' OR size_bytes > 1)",
        "NOT (outcome = 'failed' OR size_bytes > 1)",
        Some(false),
    ),
    ("((size_bytes > 1))", "size_bytes > 1", Some(true)),
    // What is not known decides only where it must.
    (
        "hop_count = 1 OR size_bytes > 1",
        "hop_count = 1 OR size_bytes > 1",
        Some(true),
    ),
    (
        "hop_count = 1 AND size_bytes < 1",
        "hop_count = 1 AND size_bytes < 1",
        Some(false),
    ),
    ("NOT hop_count = 1", "NOT hop_count = 1", None),
    ("hop_count IN (1, 2)", "hop_count IN (1, 2)", None),
    (
        "hop_count BETWEEN 1 AND 2",
        "hop_count BETWEEN 1 AND 2",
        None,
    ),
    ("hop_count IS NULL", "hop_count IS NULL", Some(true)),
    (
        "size_bytes is not null",
        "size_bytes IS NOT NULL",
        Some(true),
    ),
    (
        "NOT size_bytes IS NULL",
        "size_bytes IS NOT NULL",
        Some(true),
    ),
    // Lists and ranges.
    (
        "message_type IN ('SensorReading','Alarm')",
        "message_type IN ('SensorReading', 'Alarm')",
        Some(true),
    ),
    (
        "event_type NOT IN ('MessageSent')",
        "event_type NOT IN ('MessageSent')",
        Some(true),
    ),
    (
        "queue_depth NOT BETWEEN 1 AND 5",
        "queue_depth NOT BETWEEN 1 AND 5",
        None,
    ),
    (
        "size_bytes BETWEEN 5000 AND 4000",
        "size_bytes BETWEEN 5000 AND 4000",
        Some(false),
    ),
    // LIKE.
    (
        "source_actor LIKE 'sensor_%'",
        "source_actor LIKE 'sensor_%'",
        Some(true),
    ),
    (
        r"source_actor LIKE 'sensor\_%'",
        r"source_actor LIKE 'sensor\_%'",
        Some(true),
    ),
    (
        "source_actor LIKE 'sensor!_1' ESCAPE '!'",
        r"source_actor LIKE 'sensor\_1'",
        Some(true),
    ),
    (
        r"source_actor LIKE '\%' ESCAPE ''",
        r"source_actor LIKE '\\%'",
        Some(false),
    ),
    (
        "source_actor NOT LIKE '%%x%'",
        "source_actor NOT LIKE '%x%'",
        Some(true),
    ),
    (
        "destination_actor LIKE '%漢_'",
        "destination_actor LIKE '%漢_'",
        Some(true),
    ),
    (
        "message_type LIKE 'sensor%'",
        "message_type LIKE 'sensor%'",
        Some(false),
    ),
    // Text.
    (
        "destination_actor LIKE 'it''s%'",
        "destination_actor LIKE 'it''s%'",
        Some(true),
    ),
    ("error = ''", "error = ''", None),
    ("checksum IS NULL", "checksum IS NULL", Some(true)),
    (
        "source_actor = ' OR 1=1 --'",
        "source_actor = ' OR 1=1 --'",
        Some(false),
    ),
    (
        "message_id = '''; DROP TABLE events; --'",
        "message_id = '''; DROP TABLE events; --'",
        Some(false),
    ),
    // Attributes.
    (
        "message_priority = 7",
        "attr.message_priority = 7",
        Some(true),
    ),
    (
        "protocol != 'tcp' AND compression IS NULL",
        "attr.protocol != 'tcp' AND attr.compression IS NULL",
        Some(true),
    ),
    ("attr.urgent = true", "attr.urgent = TRUE", Some(true)),
    (
        "attr.\"odd name\" < -1",
        "attr.\"odd name\" < -1",
        Some(true),
    ),
    ("attr.größe.m = 'XL'", "attr.größe.m = 'XL'", Some(true)),
    (
        "attr.big = 18446744073709551615",
        "attr.big = 18446744073709551615",
        Some(true),
    ),
    (
        "attr.big = 18446744073709551615.0",
        "attr.big = 1.8446744073709552e19",
        Some(false),
    ),
    (
        "attr.message_priority = '7'",
        "attr.message_priority = '7'",
        None,
    ),
    ("attr.list = 1", "attr.list = 1", None),
    (
        "attr.list IS NOT NULL AND attr.nothing IS NULL",
        "attr.list IS NOT NULL AND attr.nothing IS NULL",
        Some(true),
    ),
    (
        "attr.urgent != attr.message_priority",
        "attr.urgent != attr.message_priority",
        None,
    ),
    (
        "attr.message_priority < size_bytes",
        "attr.message_priority < size_bytes",
        Some(true),
    ),
    (
        "attr.\"a\"\"b\" IS NULL",
        "attr.\"a\"\"b\" IS NULL",
        Some(true),
    ),
    ("attr.\"\" IS NULL", "attr.\"\" IS NULL", Some(true)),
    // Times and ids.
    (
        "timestamp >= '2026-02-02T02:40:00.000000005Z'",
        "timestamp >= '2026-02-02T02:40:00.000000005Z'",
        Some(true),
    ),
    (
        "timestamp > '2026-02-02T03:40:00+01:00'",
        "timestamp > '2026-02-02T02:40:00Z'",
        Some(true),
    ),
    (
        "timestamp BETWEEN '2026-02-02' AND '2026-02-02 02:40'",
        "timestamp BETWEEN '2026-02-02T00:00:00Z' AND '2026-02-02T02:40:00Z'",
        Some(false),
    ),
    (
        "event_id = '00000000000000000000000000000007'",
        "event_id = '00000000-0000-0000-0000-000000000007'",
        Some(true),
    ),
    (
        "parent_event_id IS NULL AND root_cause_event_id != event_id",
        "parent_event_id IS NULL AND root_cause_event_id != event_id",
        Some(true),
    ),
    // Ends and kinds.
    (
        "source_port = 'data' AND destination_port = 'in' AND actor_id = source_actor",
        "source_port = 'data' AND destination_port = 'in' AND actor_id = source_actor",
        Some(true),
    ),
    (
        "\n\tevent_type\r\n=\u{a0}'DataFlow'\n",
        "event_type = 'DataFlow'",
        Some(true),
    ),
];

#[test]
fn every_form_is_read_printed_in_one_form_and_true_of_what_it_says() {
    let event = slow_reading();
    for &(text, printed, truth) in FORMS {
        if printed.is_empty() {
            // A time is not compared with a size; the errors have the message.
            Filter::parse(text).expect_err(text);
            continue;
        }
        let filter = parsed(text);
        assert_eq!(filter.to_string(), printed);
        assert_eq!(filter.evaluate(&event), truth, "{text}");
        assert_eq!(parsed(printed), filter, "{text}");
    }
}

/// What may be asked is read on the page of the module, so that it has to be there.
#[test]
fn the_page_names_every_column() {
    let page = include_str!("../mod.rs");
    for column in Column::ALL {
        let name = format!("`{}`", column.name());
        let of_page = page.lines().filter(|line| line.starts_with("//! | `"));
        assert_eq!(
            of_page.filter(|line| line.contains(&name)).count(),
            1,
            "{name}"
        );
    }
}

#[test]
fn a_receive_knows_its_own_end_and_a_failed_send_what_its_attributes_say() {
    let received = TraceEvent::message_received("store", "in", "T", 1);
    let is = |text: &str, event: &TraceEvent| parsed(text).evaluate(event);
    assert_eq!(
        is(
            "destination_actor = 'store' AND destination_port = 'in'",
            &received
        ),
        Some(true)
    );
    assert_eq!(is("source_actor IS NULL", &received), Some(true));

    let mut sent = TraceEvent::message_sent("reader", "out", "T", 1);
    assert_eq!(
        is(
            "source_actor = 'reader' AND destination_actor IS NULL",
            &sent
        ),
        Some(true)
    );
    let attributes = &mut sent.data.custom_attributes;
    attributes.insert("destination_actor".into(), json!("store"));
    assert_eq!(is("destination_actor = 'store'", &sent), Some(true));
}

#[test]
fn a_message_id_that_is_a_number_is_its_digits() {
    let mut event = slow_reading();
    for (id, text) in [
        (json!(42), "42"),
        (json!(true), "true"),
        (json!({"a": 1}), "{\"a\":1}"),
    ] {
        event.data.custom_attributes.insert("message_id".into(), id);
        assert!(parsed(&format!("message_id = '{text}'")).matches(&event));
    }
    event
        .data
        .custom_attributes
        .insert("message_id".into(), json!(null));
    assert!(parsed("message_id IS NULL").matches(&event));
}
