//! The statement of the specification, as it is printed there.

use chrono::Utc;

use super::*;

const PRINTED: &str = "-- Find most active data flows
SELECT 
    source_actor,
    destination_actor,
    COUNT(*) as message_count,
    AVG(execution_time_ns) as avg_transfer_time,
    SUM(size_bytes) as total_bytes
FROM data_flow_events 
WHERE timestamp > NOW() - INTERVAL '1 hour'
GROUP BY source_actor, destination_actor
ORDER BY message_count DESC;
";

fn now_ns() -> i64 {
    Utc::now().timestamp_nanos_opt().unwrap_or(i64::MAX)
}

#[test]
fn the_printed_statement_adds_up_what_flowed_in_the_last_hour() {
    let minute_ns = 60_000_000_000;
    let mut events = flows(5, now_ns() - 10 * minute_ns);
    // Too long ago, and no data flows.
    events.extend(flows(3, now_ns() - 90 * minute_ns));
    events.extend(kinds());
    let view = holding(&events);
    let answer = ask(&*view, PRINTED);
    let names: Vec<_> = answer.columns.iter().map(|column| &*column.name).collect();
    assert_eq!(
        names,
        [
            "source_actor",
            "destination_actor",
            "message_count",
            "avg_transfer_time",
            "total_bytes"
        ]
    );
    let mut rows: Vec<_> = answer
        .rows
        .iter()
        .map(|row| Value::Array(row.clone()).to_string())
        .collect();
    // Two of them have the same count.
    rows[..2].sort();
    assert_eq!(
        rows,
        [
            r#"["reader","validator",2,2500.0,203]"#,
            r#"["validator","store",2,3500.0,205]"#,
            r#"["reader","log",1,3000.0,102]"#,
        ]
    );
    assert!(!answer.is_cut);
}

#[test]
fn explain_shows_that_time_and_kind_keep_pages_from_being_read() {
    let view = holding(&flows(5, now_ns()));
    let explained = rows(&*view, &format!("EXPLAIN {PRINTED}")).join("\n");
    assert!(
        explained.contains("EventsScan: table=data_flow_events, parts=1 of 1"),
        "{explained}"
    );
    assert!(explained.contains("from="), "{explained}");
    assert!(explained.contains("pruned by=[kind]"), "{explained}");
    let long_ago = rows(
        &*view,
        "EXPLAIN SELECT * FROM data_flow_events WHERE timestamp < '2001-01-01'",
    );
    assert!(long_ago.join("\n").contains("parts=0 of 1"), "{long_ago:?}");
}

#[test]
fn counters_and_losses_are_tables() {
    use reflow_trace::ledger::{CounterSnapshot, EdgeCounters, Loss, LossReason};
    let producer = ProducerId::from_bits(7);
    let edges = vec![EdgeCounters {
        from_actor: "reader".into(),
        from_port: "out".into(),
        to_actor: "log".into(),
        to_port: "in".into(),
        message_type: "Reading".into(),
        messages: u64::MAX,
        bytes: 9_007_199_254_740_993,
        not_sampled: 90,
        ..EdgeCounters::default()
    }];
    let events = [
        TraceEvent::edge_counters(&CounterSnapshot { producer, edges }),
        TraceEvent::loss(Loss {
            reason: LossReason::RingFull,
            count: 5,
        }),
    ];
    let view = holding(&events);
    assert_eq!(
        rows(
            &*view,
            "SELECT producer, source_actor, destination_port, messages, bytes, not_sampled, received FROM edge_counters"
        ),
        [r#"[7,"reader","in",18446744073709551615,9007199254740993,90,0]"#]
    );
    assert_eq!(
        rows(&*view, "SELECT producer, reason, count FROM losses"),
        [r#"[7,"ring_full",5]"#]
    );
    assert_eq!(rows(&*view, "SELECT count(*) FROM trace_events"), ["[0]"]);
}
