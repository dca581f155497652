//! What is not permitted, and how it is told.

use reflow_trace::api::ErrorCode;

use super::*;
use crate::answer::sql::statement::place;

fn code_and_message(statement: &str) -> (ErrorCode, String) {
    let error = refusal(&*holding(&flows(3, 0)), statement);
    (error.code, error.message)
}

#[test]
fn nothing_but_reading_is_permitted() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let file = directory.path().join("file.csv");
    std::fs::write(&file, "a\n1\n").expect("a file can be written");
    let file = file.display();
    let statements = [
        "INSERT INTO data_flow_events VALUES (1)".to_owned(),
        "UPDATE data_flow_events SET weight = 1".to_owned(),
        "DELETE FROM data_flow_events".to_owned(),
        "MERGE INTO data_flow_events USING losses ON true WHEN MATCHED THEN DELETE".to_owned(),
        "CREATE TABLE x AS SELECT 1".to_owned(),
        "CREATE VIEW x AS SELECT 1".to_owned(),
        "CREATE FUNCTION f() RETURNS INT RETURN 1".to_owned(),
        "DROP TABLE data_flow_events".to_owned(),
        "TRUNCATE data_flow_events".to_owned(),
        "SELECT 1 INTO x".to_owned(),
        "WITH x AS (INSERT INTO losses VALUES (1)) SELECT * FROM x".to_owned(),
        "WITH x AS (DELETE FROM losses) SELECT * FROM x".to_owned(),
        "SELECT * FROM losses FOR UPDATE".to_owned(),
        format!("COPY data_flow_events TO '{file}'"),
        format!("COPY (SELECT 1) TO '{file}' STORED AS CSV"),
        format!("CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '{file}'"),
        "SET datafusion.execution.target_partitions = 1".to_owned(),
        "SHOW ALL".to_owned(),
        "SHOW TABLES".to_owned(),
        "DESCRIBE losses".to_owned(),
        "USE x".to_owned(),
        "BEGIN".to_owned(),
        "START TRANSACTION".to_owned(),
        "COMMIT".to_owned(),
        "ROLLBACK".to_owned(),
        "PREPARE x AS SELECT 1".to_owned(),
        "EXECUTE x".to_owned(),
        "DEALLOCATE x".to_owned(),
        "CALL x()".to_owned(),
        "ANALYZE TABLE losses".to_owned(),
        "KILL 1".to_owned(),
        "EXPLAIN INSERT INTO losses VALUES (1)".to_owned(),
        "EXPLAIN ANALYZE DELETE FROM losses".to_owned(),
        "EXPLAIN EXPLAIN SELECT 1".to_owned(),
        "SELECT 1; SELECT 2".to_owned(),
        "SELECT 1; DROP TABLE losses".to_owned(),
        "SELECT 1; --\n DROP TABLE losses".to_owned(),
        "/* SELECT 1 */ DROP TABLE losses".to_owned(),
        format!("SELECT * FROM '{file}'"),
        format!("SELECT * FROM \"{file}\""),
        format!("SELECT * FROM read_csv('{file}')"),
        "SELECT * FROM generate_series(1, 10)".to_owned(),
        "SELECT * FROM range(1, 10)".to_owned(),
        "SELECT * FROM information_schema.tables".to_owned(),
        "SELECT * FROM information_schema.df_settings".to_owned(),
        "SELECT * FROM pg_catalog.pg_tables".to_owned(),
        "SELECT repeat('x', 1000000000)".to_owned(),
        "SELECT lpad('x', 1000000000)".to_owned(),
        "SELECT version()".to_owned(),
        "SELECT input_file_name() FROM losses".to_owned(),
        "SELECT @@version".to_owned(),
        "SELECT $1".to_owned(),
        "SELECT ?".to_owned(),
        String::new(),
        "   -- nothing".to_owned(),
        ";".to_owned(),
        "SELECT '".to_owned(),
        "SELECT /* for ever".to_owned(),
    ];
    let view = holding(&flows(3, 0));
    let mut told = String::new();
    for statement in &statements {
        let error = refusal(&*view, statement);
        assert_eq!(error.code, ErrorCode::InvalidSql, "{statement}: {error:?}");
        told.push_str(&format!("{statement}\n    {}\n", error.message));
        assert!(
            !error.message.contains('\n') && error.message.len() < 1_000,
            "{told}"
        );
    }
    println!("{told}");
    // And afterwards everything is as it was.
    assert_eq!(
        rows(&*view, "SELECT count(*) FROM data_flow_events"),
        ["[3]"]
    );
}

#[test]
fn what_reads_is_permitted() {
    let view = holding(&flows(3, 0));
    for statement in [
        "SELECT 1;",
        "select count(*) from DATA_FLOW_EVENTS",
        "VALUES (1, 'a'), (2, 'b')",
        "WITH a AS (SELECT 1 AS x) SELECT x FROM a",
        "SELECT 1 UNION ALL SELECT 2 EXCEPT SELECT 3",
        "EXPLAIN SELECT 1",
        "EXPLAIN VERBOSE SELECT source_actor FROM data_flow_events",
        "EXPLAIN ANALYZE SELECT source_actor FROM data_flow_events",
        "EXPLAIN FORMAT TREE SELECT source_actor FROM data_flow_events",
        "SELECT source_actor, row_number() OVER (PARTITION BY source_actor ORDER BY timestamp) FROM data_flow_events",
        "SELECT lag(timestamp) OVER (ORDER BY timestamp) FROM data_flow_events",
        "SELECT date_bin(INTERVAL '1 minute', timestamp), approx_percentile_cont(execution_time_ns, 0.99) FROM data_flow_events GROUP BY 1",
        "SELECT * FROM data_flow_events a JOIN data_flow_events b ON a.event_id = b.parent_event_id",
        "SELECT * FROM data_flow_events WHERE event_id IN (SELECT event_id FROM trace_events)",
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT sum(n) FROM t",
        "SELECT extract(hour FROM timestamp), substring(source_actor FROM 1 FOR 2) FROM data_flow_events",
        "SELECT source_actor ~ '^re', source_actor LIKE 're%' FROM data_flow_events",
        "SELECT count(*), sum(weight) FROM data_flow_events GROUP BY CUBE (source_actor, destination_actor)",
    ] {
        ask(&*view, statement);
    }
}

#[test]
fn a_typo_is_told_with_its_place_and_what_was_meant() {
    let view = holding(&flows(3, 0));
    for (statement, wrong, words) in [
        (
            "SELECT sourc_actor FROM data_flow_events",
            "sourc_actor",
            "did you mean `source_actor`?",
        ),
        (
            "SELECT 1,\n  zzz FROM losses",
            "zzz",
            "there are `producer`, `seen`, `reason`, `count`",
        ),
        (
            "SELECT * FROM data_flow_event",
            "data_flow_event",
            "did you mean `data_flow_events`?",
        ),
        ("SELECT count(* FROM losses", "FROM", ""),
        ("SELEC 1", "SELEC", ""),
        ("SELECT 1 FROM losses WHERE count ==> 3", "", ""),
        ("SELECT countt(*) FROM losses", "", "count"),
    ] {
        let error = refusal(&*view, statement);
        println!("{statement}\n    {error:?}");
        assert_eq!(error.code, ErrorCode::InvalidSql);
        assert!(
            error.message.contains(words),
            "{statement}: {}",
            error.message
        );
        if !wrong.is_empty() {
            let place = error
                .place
                .unwrap_or_else(|| panic!("{statement}: no place"));
            assert_eq!(&statement[place.start..place.end], wrong);
        }
    }
    assert_eq!(place::word("a b", 0), 0..1);
}

#[test]
fn shapes_that_grow_are_refused_or_answered_and_end_nothing() {
    let many = |count: usize, piece: &str, between: &str| vec![piece; count].join(between);
    let deep = |count: usize, before: &str, inner: &str, after: &str| {
        format!("{}{inner}{}", before.repeat(count), after.repeat(count))
    };
    let doubled = |levels: usize| {
        let mut text = String::from("WITH t0 AS (SELECT 1 AS x)");
        for level in 1..=levels {
            let below = level - 1;
            text.push_str(&format!(
                ", t{level} AS (SELECT a.x FROM t{below} a JOIN t{below} b ON a.x = b.x)"
            ));
        }
        format!("{text} SELECT count(*) FROM t{levels}")
    };
    let grown = |levels: usize| {
        let mut text = String::from("SELECT weight AS x FROM data_flow_events");
        for _ in 0..levels {
            text = format!("SELECT x + x + x + x AS x FROM ({text})");
        }
        format!("SELECT * FROM ({text}) WHERE x > 5")
    };
    let statements = [
        format!("SELECT {}", many(20_000, "true", " OR ")),
        format!("SELECT * FROM losses WHERE {}", many(400, "count = 1", " OR ")),
        format!("SELECT * FROM losses WHERE {}", many(200, "count + 1 > 3", " AND ")),
        format!("SELECT {}", many(300, "1", "+")),
        format!("SELECT {}", many(300, "1", "-")),
        format!("SELECT {}", many(200, "'a'", "||")),
        format!("SELECT {}", many(200, "source_actor", "||") + " FROM data_flow_events"),
        format!("SELECT {}", deep(20_000, "(", "1", ")")),
        format!("SELECT {}", deep(38, "(", "1", ")")),
        format!("SELECT {}", deep(20_000, "NOT ", "true", "")),
        format!("SELECT {}", deep(38, "NOT ", "true", "")),
        format!("SELECT {}", deep(20_000, "-", "1", "")),
        format!("SELECT {}", deep(38, "- ", "1", "")),
        format!("SELECT {}", deep(30_000, "abs(", "1", ")")),
        format!("SELECT {}", deep(38, "abs(", "1", ")")),
        format!("SELECT {}", deep(2_000, "CASE WHEN true THEN 1 ELSE ", "1", " END")),
        format!("SELECT {}", deep(38, "CASE WHEN true THEN 1 ELSE ", "1", " END")),
        format!("SELECT CASE {} END", many(200, "WHEN count = 1 THEN 2", " ") ) + " FROM losses",
        format!("SELECT {}", deep(38, "(SELECT ", "1", ")")),
        format!("SELECT * FROM {}", deep(38, "(SELECT * FROM ", "losses", ")")),
        format!("SELECT 1 {}", "UNION ALL SELECT 1 ".repeat(1_000)),
        format!("SELECT 1 {}", "UNION SELECT 1 ".repeat(20)),
        format!("SELECT count(*) FROM losses WHERE count IN ({})", many(2_000, "1", ",")),
        format!("SELECT count(*) FROM losses WHERE count IN ({})", (0..2_000).map(|n| n.to_string()).collect::<Vec<_>>().join(",")),
        format!("VALUES {}", many(1_000, "(1)", ",")),
        format!("SELECT {} FROM losses", many(200, "count", ",")),
        format!("SELECT * FROM {}", many(1_000, "losses", ",")),
        format!("SELECT count(*) FROM {}", many(12, "losses", " CROSS JOIN ")),
        format!("SELECT 1{}", "::INT".repeat(200)),
        format!("SELECT x{} FROM losses", "[1]".repeat(1_000)),
        format!("SELECT {}1", "1 = ANY(ARRAY[".repeat(300)),
        format!("SELECT '{}'", "x".repeat(70_000)),
        doubled(3),
        doubled(40),
        grown(6),
        grown(12),
        "SELECT count(*) FROM data_flow_events GROUP BY CUBE (event_id, event_type, outcome, actor_id, port, source_actor, source_port)".to_owned(),
        format!("SELECT * FROM losses ORDER BY {}", many(100, "count", ",")),
        "SELECT regexp_like(source_actor, source_actor || '(a{100}){100}') FROM data_flow_events".to_owned(),
        "SELECT source_actor ~ '((((a{100}){100}){100}){100})' FROM data_flow_events".to_owned(),
        format!("SELECT source_actor ~ '{}' FROM data_flow_events", "(".repeat(5_000)),
        format!("SELECT source_actor LIKE '{}' FROM data_flow_events", "%a".repeat(5_000)),
        "SELECT arrow_cast(NULL, 'FixedSizeList(2147483647, FixedSizeBinary(2147483647))')".to_owned(),
        "SELECT arrow_cast(NULL, 'FixedSizeBinary(2147483647)') FROM trace_events".to_owned(),
        "SELECT CAST(NULL AS BIGINT[2147483647]) FROM trace_events".to_owned(),
        "SELECT NULL::BIGINT[2147483647][2147483647]".to_owned(),
        "SELECT TRY_CAST(NULL AS BIGINT[2147483647]) FROM trace_events".to_owned(),
        "SELECT approx_percentile_cont(x, 0.5, 1000000000000) FROM (VALUES (1.0)) t(x)".to_owned(),
        "SELECT approx_percentile_cont(x, 0.5, CAST('1000000000000' AS BIGINT)) FROM (VALUES (1.0)) t(x)".to_owned(),
        "SELECT approx_percentile_cont(0.5, 1000000000000) WITHIN GROUP (ORDER BY x) FROM (VALUES (1.0)) t(x)".to_owned(),
        "SELECT approx_percentile_cont_with_weight(x, 1.0, 0.5, 1000000000000) FROM (VALUES (1.0)) t(x)".to_owned(),
        "SELECT count(*) FROM (SELECT execution_time_ns e, max(size_bytes) m FROM trace_events GROUP BY e ORDER BY m DESC NULLS LAST LIMIT 1000000000000)".to_owned(),
        "SELECT count(*) FROM (SELECT execution_time_ns e, max(size_bytes) m FROM trace_events WHERE size_bytes > 0 GROUP BY e ORDER BY m DESC NULLS LAST LIMIT 2000000000)".to_owned(),
        "SELECT count(*) FROM (SELECT DISTINCT execution_time_ns e FROM trace_events LIMIT 1000000000000)".to_owned(),
        "SELECT count(*) FROM (SELECT * FROM trace_events ORDER BY size_bytes LIMIT 1000000000000)".to_owned(),
        "SELECT nth_value(size_bytes, 1000000000000) OVER (ORDER BY timestamp) FROM trace_events".to_owned(),
        "SELECT lag(size_bytes, 1000000000000) OVER (ORDER BY timestamp) FROM trace_events".to_owned(),
        "SELECT ntile(1000000000000) OVER (ORDER BY timestamp) FROM trace_events".to_owned(),
        "SELECT chr(1114111), to_char(now(), '%Y'), left('x', 1000000000000), substr('x', 1, 1000000000000)".to_owned(),
    ];
    let view = holding(&flows(3, 0));
    for statement in &statements {
        let start: String = statement.chars().take(60).collect();
        let begun = std::time::Instant::now();
        // Planning a long chain takes the square of its length; unoptimised code makes that seconds.
        let limits = QueryLimits {
            timeout: std::time::Duration::from_secs(5),
            ..limits()
        };
        let told = match ask_with(&*view, statement, limits) {
            Ok(answer) => format!("{} rows", answer.rows.len()),
            Err(error) => {
                let is_told = matches!(
                    error.code,
                    ErrorCode::TooLarge | ErrorCode::InvalidSql | ErrorCode::TimedOut
                );
                assert!(is_told, "{start}: {error:?}");
                error.message
            }
        };
        println!("{start}\n    {told} ({:?})", begun.elapsed());
    }
}

#[test]
fn types_and_numbers_that_take_room_by_themselves_are_refused() {
    for (statement, said) in [
        (
            "SELECT arrow_cast(size_bytes, 'FixedSizeBinary(2147483647)') FROM trace_events",
            "types of a length",
        ),
        (
            "SELECT CAST(NULL AS BIGINT[2147483647]) FROM trace_events",
            "types of a length",
        ),
        (
            "SELECT approx_percentile_cont(size_bytes, 0.5, 10001) FROM trace_events",
            "at most 10000 groups",
        ),
        (
            "SELECT approx_percentile_cont(0.5, 10001) WITHIN GROUP (ORDER BY size_bytes) FROM trace_events",
            "at most 10000 groups",
        ),
    ] {
        let (code, message) = code_and_message(statement);
        assert_eq!(code, ErrorCode::InvalidSql, "{statement}: {message}");
        assert!(message.contains(said), "{statement}: {message}");
    }
    let view = holding(&flows(3, 0));
    assert_eq!(
        rows(
            &*view,
            "SELECT approx_percentile_cont(size_bytes, 0.5, 10000), approx_percentile_cont(size_bytes, 0.5), arrow_cast(1, 'Int16'), arrow_cast('a', 'Dictionary(Int32, Utf8)') FROM data_flow_events"
        ),
        [r#"[101.0,101.0,1,"a"]"#]
    );
}

#[test]
fn a_statement_of_twenty_thousand_terms_says_what_is_too_much() {
    let terms = vec!["true"; 20_000].join(" OR ");
    let (code, message) = code_and_message(&format!("SELECT {terms}"));
    assert_eq!(code, ErrorCode::TooLarge);
    assert!(message.contains("65536 are allowed"), "{message}");
}
