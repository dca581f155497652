//! What is refused, and what it looks like to whoever wrote it.

use super::*;

/// One mistake each.
const MISTAKES: &[&str] = &[
    // Nothing, too little, too much.
    "",
    "  ",
    "message_id",
    "message_id =",
    "AND size_bytes > 1",
    "size_bytes > 1 AND",
    "size_bytes > 1 size_bytes < 5",
    "size_bytes > 1)",
    "(size_bytes > 1",
    "(size_bytes > 1 size_bytes < 2)",
    "NOT",
    "'msg_1'",
    "true",
    // Names.
    "exection_time_ns > 10",
    "Message_Type = 'T'",
    "priority = 7",
    "messaging.system = 'x'",
    "attr = 1",
    "attr. = 1",
    "attr.'x' = 1",
    "outcome = 'fialed'",
    "event_type = 'dataflow'",
    "event_type = 'Everything'",
    "queue_depth > NOW()",
    "timestamp > now() - INTERVAL '1 hour'",
    "lower(source_actor) = 'x'",
    // Text and quotes.
    "message_id = \"msg_1\"",
    "message_id = 'msg_1",
    "message_id = msg_1",
    "message_id IN (msg_1)",
    "message_id = 42",
    "source_actor = TRUE",
    // Numbers and units.
    "execution_time_ns > '10'",
    "execution_time_ns > '10ms'",
    "execution_time_ns > 10 ms",
    "execution_time_ns > 10MS",
    "execution_time_ns > 10parsecs",
    "execution_time_ns > 10KiB",
    "size_bytes > 10ms",
    "queue_depth > 10ms",
    "execution_time_ns > 1e3ms",
    "execution_time_ns > 5.",
    "execution_time_ns > .5",
    "execution_time_ns > 99999999999999999999",
    "execution_time_ns > 9999999999h",
    "throughput_msgs_per_sec > 1e999",
    // Kinds.
    "timestamp > 'yesterday'",
    "timestamp > 1770000000",
    "trace_id = 'abc'",
    "trace_id < '00000000000000000000000000000007'",
    "outcome > 'failed'",
    "event_type BETWEEN 'A' AND 'B'",
    "size_bytes LIKE '4%'",
    "outcome LIKE 'f%'",
    "attr.urgent > TRUE",
    "attr.urgent",
    "execution_time_ns > size_bytes",
    "attr.when > timestamp",
    "source_actor = size_bytes",
    // What is not known.
    "message_id = NULL",
    "message_id IN ('a', NULL)",
    "NULL = message_id",
    "message_id IS 'msg_1'",
    "message_id IS NOT",
    // Constants only.
    "1 = 1",
    "message_id = 'x' OR 'a' = 'a'",
    // Lists, ranges, patterns.
    "message_id IN 'a'",
    "message_id IN ()",
    "message_id IN ('a' 'b')",
    "message_id IN ('a',)",
    "message_id IN (SELECT 1)",
    "message_id IN (source_actor)",
    "size_bytes > memory_usage_byte",
    "size_bytes BETWEEN 1, 5",
    "size_bytes BETWEEN 1 AND",
    "size_bytes NOT > 5",
    "source_actor LIKE",
    "source_actor LIKE sensor",
    "source_actor LIKE 'a\\'",
    "source_actor LIKE 'a' ESCAPE 'xy'",
    "source_actor LIEK 'a'",
    "source_actor contains 'a'",
    // Signs of other languages.
    "size_bytes == 1",
    "size_bytes > 1 && queue_depth > 1",
    "size_bytes > 1 || queue_depth > 1",
    "!size_bytes > 1",
    "source_actor =~ 'x'",
    "size_bytes > 1; DROP TABLE data_flow_events",
    "size_bytes > 1 -- and the rest",
    "size_bytes > 1 /* all */",
    "size_bytes > 1 @ 2",
    "size_bytes > \u{1b}[31m",
    // Where it is: lines, columns of wide characters, long lines.
    "size_bytes > 1\n  AND quue_depth > 2",
    "destination_actor = '漢字' AND 'x'",
    "attr.\u{202e}x = 1",
    "message_id = 'a' OR message_id = 'b' OR message_id = 'c' OR message_id = d OR message_id = 'e' OR message_id = 'f' OR message_id = 'g' OR message_id = 'h' OR message_id = 'i'",
];

/// The messages are in a file, to be read by eyes. After a change that is meant:
/// `REFLOW_TRACE_ACCEPT=1 cargo test -p reflow-trace --lib filter::tests::errors`.
#[test]
fn every_mistake_is_told_with_its_place() {
    let mut told = String::new();
    for text in MISTAKES {
        let error = Filter::parse(text).expect_err(text);
        assert!(error.place().end <= text.len().max(1));
        told += &format!("{}: {error:#}\n\n", error.kind().name());
    }
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/query/filter/tests/errors.txt"
    );
    if std::env::var_os("REFLOW_TRACE_ACCEPT").is_some() {
        std::fs::write(file, &told).expect("the file can be written");
    }
    let kept = std::fs::read_to_string(file).expect("the file is there");
    assert_eq!(told, kept);
}

#[test]
fn an_error_names_nothing_that_controls_a_terminal() {
    for text in MISTAKES {
        let error = Filter::parse(text).expect_err(text);
        let told = format!("{error:#}");
        let is_harmless = |c: char| c == '\n' || !c.is_control() && c != '\u{202e}';
        assert!(told.chars().all(is_harmless), "{told:?}");
        assert!(!error.to_string().contains('\n'));
    }
}

#[test]
fn the_place_is_where_the_mistake_is() {
    let text = "source_actor = '漢字' AND quue_depth > 2";
    let error = Filter::parse(text).expect_err(text);
    assert_eq!(&text[error.place()], "quue_depth");
    assert_eq!((error.line(), error.column()), (1, 25));
    assert_eq!(error.suggestion(), Some("did you mean `queue_depth`?"));
    assert_eq!(error.message(), "no field is called `quue_depth`");
}
