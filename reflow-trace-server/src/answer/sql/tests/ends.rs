//! Statements that would go on for ever, or take everything, end and say why.

use std::sync::atomic::Ordering;
use std::thread;

use reflow_trace::api::ErrorCode;

use super::*;

/// Nothing of what is asked here comes to an end by itself.
const FOR_EVER: [&str; 5] = [
    "SELECT count(*) FROM data_flow_events a, data_flow_events b, data_flow_events c, data_flow_events d, data_flow_events e",
    "SELECT sum(a.size_bytes * b.size_bytes) FROM data_flow_events a JOIN data_flow_events b ON a.size_bytes <> b.size_bytes JOIN data_flow_events c ON a.size_bytes <> c.size_bytes + b.size_bytes JOIN data_flow_events d ON true",
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t",
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n FROM t) SELECT max(n) FROM t",
    "SELECT a.source_actor, count(*) FROM data_flow_events a JOIN data_flow_events b ON a.source_port = b.source_port JOIN data_flow_events c ON b.source_port = c.source_port JOIN data_flow_events d ON c.source_port = d.source_port GROUP BY 1",
];

#[test]
fn a_statement_that_never_ends_is_ended_when_its_time_is_over() {
    let view = holding(&flows(3_000, 0));
    for statement in FOR_EVER {
        let short = QueryLimits {
            timeout: Duration::from_millis(300),
            ..QueryLimits::default()
        };
        let error = ask_with(&*view, statement, short).expect_err("it never ends");
        assert!(
            // One that goes round grows until its memory is used up, if it does not end before.
            matches!(error.code, ErrorCode::TimedOut | ErrorCode::TooLarge),
            "{statement}: {error:?}"
        );
    }
}

#[test]
fn a_statement_that_nobody_waits_for_is_ended() {
    let view = holding(&flows(3_000, 0));
    let cancelled = Arc::new(AtomicBool::new(false));
    let rights = Rights { content: false };
    let asking = Asking::new(limits(), rights, Arc::clone(&cancelled));
    let question = SqlQuestion {
        statement: FOR_EVER[0].to_owned(),
        limit: None,
    };
    let error = thread::scope(|scope| {
        let asked = scope.spawn(|| crate::answer::sql::sql(&*view, &question, &asking));
        cancelled.store(true, Ordering::Relaxed);
        asked.join().expect("no panic").expect_err("it never ends")
    });
    assert_eq!(error.message, "the question was cancelled");
}

#[test]
fn memory_has_an_end_and_the_error_says_so() {
    let view = holding(&flows(20_000, 0));
    let little = QueryLimits {
        sql_memory_bytes_max: 1 << 20,
        ..limits()
    };
    for statement in [
        "SELECT * FROM data_flow_events ORDER BY message_id LIMIT 9999",
        "SELECT message_id, count(*) FROM data_flow_events GROUP BY message_id",
        "SELECT a.message_id FROM data_flow_events a JOIN data_flow_events b ON a.message_id = b.message_id",
        "SELECT array_agg(message_id || source_actor || event_id) FROM data_flow_events",
        "SELECT string_agg(event_id, ',') FROM data_flow_events",
        "SELECT count(DISTINCT event_id) FROM data_flow_events",
        "SELECT max(message_id) OVER (PARTITION BY event_type) FROM data_flow_events",
    ] {
        match ask_with(&*view, statement, little.clone()) {
            Ok(answer) => panic!("{statement}: {} rows", answer.rows.len()),
            Err(error) => {
                assert_eq!(error.code, ErrorCode::TooLarge, "{statement}: {error:?}");
                assert!(
                    error.message.contains("query.sql_memory_bytes_max"),
                    "{error:?}"
                );
            }
        }
    }
}

#[test]
fn texts_do_not_grow_without_end() {
    let view = holding(&flows(100, 0));
    let mut doubled = String::from("SELECT message_id || 'x' AS s FROM data_flow_events");
    for _ in 0..30 {
        doubled = format!("SELECT s || s AS s FROM ({doubled})");
    }
    for statement in [
        format!("SELECT max(s) FROM ({doubled})"),
        format!(
            "SELECT replace(repeated, 'a', repeated) FROM (SELECT '{0}' AS repeated, message_id FROM data_flow_events)",
            "a".repeat(20_000)
        ),
        format!(
            "SELECT regexp_replace('{0}', 'a', '{0}', 'g')",
            "a".repeat(20_000)
        ),
    ] {
        let error = ask_with(&*view, &statement, limits()).expect_err("it is too much");
        let is_told = matches!(error.code, ErrorCode::TooLarge | ErrorCode::InvalidSql);
        assert!(is_told, "{error:?}");
        println!("{}", error.message);
    }
}

#[test]
fn many_texts_beside_each_other_share_what_one_may_make() {
    let view = holding(&flows(9_000, 0));
    let wide = |columns: usize, bytes: usize| {
        let long = "x".repeat(bytes);
        let texts: Vec<_> = (0..columns).map(|at| format!("s || '{at}'")).collect();
        format!(
            "WITH a AS (SELECT '{long}' || event_id AS s FROM trace_events) SELECT {} FROM a",
            texts.join(", ")
        )
    };
    let error = refusal(&*view, &wide(650, 7_000));
    assert_eq!(error.code, ErrorCode::InvalidSql, "{error:?}");
    assert!(error.message.contains("share"), "{error:?}");
    assert_eq!(ask(&*view, &wide(20, 100)).rows.len(), 9_000);
}

#[test]
fn pieces_are_cut_before_many_columns_are_made_of_them() {
    let view = holding(&flows(9_000, 0));
    let terms: Vec<_> = (0..200)
        .map(|at| format!("max(CASE WHEN size_bytes > {at} THEN s END)"))
        .collect();
    let long = "x".repeat(400);
    let answer = ask(
        &*view,
        &format!(
            "WITH a AS (SELECT '{long}' || message_id AS s, size_bytes FROM data_flow_events) SELECT {} FROM a",
            terms.join(", ")
        ),
    );
    assert_eq!(answer.rows[0].len(), 200);
    let greatest = format!("{long}msg_999");
    assert!(answer.rows[0].iter().all(|most| *most == greatest));
}

#[test]
fn an_answer_that_is_cut_says_so() {
    let view = holding(&flows(100, 0));
    let cut = |rows, bytes| QueryLimits {
        sql_rows_max: rows,
        answer_bytes_max: bytes,
        ..limits()
    };
    let found = |limits| ask_with(&*view, "SELECT message_id FROM data_flow_events", limits);
    let answer = found(cut(10, 1 << 20)).expect("it is answered");
    assert_eq!((answer.rows.len(), answer.is_cut), (10, true));
    let answer = found(cut(100, 1 << 20)).expect("it is answered");
    assert_eq!((answer.rows.len(), answer.is_cut), (100, false));
    let answer = found(cut(100, 200)).expect("it is answered");
    assert!(
        answer.is_cut && answer.rows.len() < 30,
        "{}",
        answer.rows.len()
    );
}
