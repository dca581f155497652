//! Hostile words in every field that takes words, and filters that are wrong in every way: a clear error to
//! who asks, and nobody else notices.

use reflow_trace::TraceEvent;
use reflow_trace::api::{ApiError, ErrorCode, Question, ServerMessage};
use reflow_trace_server::RunningServer;
use serde_json::{Value, json};

use crate::scene::{Answer, Asker, get, post, record, start};

/// Words that break what puts words into other words.
fn hostile() -> Vec<String> {
    let mut words: Vec<String> = [
        "",
        "*",
        "%",
        "' OR '1'='1",
        "'; DROP TABLE data_flow_events; --",
        "\" OR \"\" = \"",
        "\\",
        "\\' OR 1=1 --",
        "/* */",
        "$(rm -rf /)",
        "`id`",
        "{{7*7}}",
        "%s%n%x",
        "../../../../etc/passwd",
        "\u{0}",
        "a\u{0}b",
        "\r\nSet-Cookie: a=b",
        "\u{1b}[2J\u{1b}]0;owned\u{7}",
        "\u{202e}evil",
        "<script>alert(1)</script>",
        "]]><script>alert(1)</script>",
        "</svg><svg onload=alert(1)>",
        "javascript:alert(1)",
        "\u{feff}",
        "\u{ffff}",
        "𝕏",
    ]
    .map(str::to_owned)
    .into();
    words.push("x".repeat(60_000));
    words.push("'".repeat(5_000));
    words.push("(".repeat(4_000));
    words
}

/// Every question with this word in every field that takes one.
fn questions(word: &str) -> Vec<(&'static str, Value)> {
    let queries = [
        json!({"actor_filter": word}),
        json!({"custom_filter": word}),
        json!({"performance_filter": word}),
        json!({"custom_filter": format!("actor_id = '{word}'")}),
        json!({"event_types": [{"DataFlow": {"to_actor": word, "to_port": word}}]}),
        json!({"flow_id": word}),
        json!({"event_types": [word]}),
    ];
    let mut all = Vec::new();
    for name in ["query_traces", "query_data_flows", "missing_flows"] {
        all.extend(queries.iter().map(|query| (name, json!({"query": query}))));
        all.push((name, json!({"after": word})));
    }
    all.extend([
        ("lineage", json!({"of": {"message_id": word}})),
        ("lineage", json!({"of": {"message_id": {word: [word]}}})),
        ("lineage", json!({"of": {"event_id": word}})),
        ("lineage", json!({"of": {word: word}})),
        ("edges", json!({"actor": word})),
        ("edges", json!({"time_range": [word, word]})),
        ("dependencies", json!({"actor": word})),
        ("graph", json!({"actor": word})),
        ("graph", json!({"format": word})),
        ("sql", json!({"statement": word})),
        ("metrics", json!({word: word})),
    ]);
    all
}

/// The question was answered, or refused as the asker's own mistake, in words that can be shown.
fn is_harmless(answer: &Answer, asked: &str) {
    let asked: String = asked.chars().take(200).collect();
    if answer.status == 200 {
        return;
    }
    let error = answer.error();
    assert!(
        error.code != ErrorCode::Store && answer.status < 500
            || error.code == ErrorCode::Unsupported,
        "{asked}: {answer:?}"
    );
    is_shown(&error, &asked);
}

fn is_shown(error: &ApiError, asked: &str) {
    let forbidden =
        |character: char| character.is_control() || ('\u{202a}'..='\u{202e}').contains(&character);
    assert!(!error.message.is_empty(), "{asked}");
    assert!(!error.message.contains(forbidden), "{asked}: {error:?}");
    assert!(
        error.message.len() < 2_000,
        "{asked}: {} bytes",
        error.message.len()
    );
}

async fn is_alive(server: &RunningServer) {
    assert_eq!(get(server, "/api/metrics").await.status, 200);
    assert_eq!(server.metrics().questions_open.get(), 0);
    assert_eq!(server.metrics().answers.of("store"), 0);
}

#[tokio::test]
async fn hostile_words_in_every_field_are_answered_or_refused_in_words_that_can_be_shown() {
    let server = start(|_| {}).await;
    let mut events: Vec<TraceEvent> = hostile()
        .iter()
        .map(|word| {
            let word: String = word.chars().take(1_000).collect();
            let mut event = TraceEvent::data_flow(
                word.clone(),
                word.clone(),
                word.clone(),
                word.clone(),
                &*word,
                1,
            );
            let id = ("message_id".to_owned(), json!(word));
            event.data.custom_attributes.extend([id]);
            event
        })
        .collect();
    events.push(TraceEvent::actor_failed("a", "\u{1b}[31m"));
    record(server.addr(), &events).await;

    let mut asker = Asker::open(&server).await;
    let mut id = 0;
    for word in hostile() {
        for (name, content) in questions(&word) {
            let text = content.to_string();
            let answer = post(&server, &format!("/api/{name}"), &text).await;
            is_harmless(&answer, &format!("{name} {text}"));
            // The same over the WebSocket.
            id += 1;
            let text = json!({"ask": {"id": id, "question": {name: content}}}).to_string();
            if text.len() > 64 << 10 {
                continue;
            }
            asker.say_text(&text).await;
            match asker.hear().await {
                ServerMessage::Answer { id: of, .. } => assert_eq!(of, id),
                ServerMessage::Failed { id: of, error } => {
                    assert!(of.is_none_or(|of| of == id), "{of:?} {error}");
                    is_shown(&error, &text.chars().take(200).collect::<String>());
                }
                other => panic!("{other:?}"),
            }
        }
        // And as a parameter of every path.
        let word: String = word.chars().take(1_000).collect();
        let escaped: String = word.bytes().map(|byte| format!("%{byte:02x}")).collect();
        for name in Question::NAMES {
            for parameter in [
                "actor",
                "filter",
                "performance",
                "type",
                "after",
                "message",
                "number",
                "event",
                "trace",
                "format",
                "statement",
                "last",
                "from",
                "limit",
                &escaped,
            ] {
                let path = format!("/api/{name}?{parameter}={escaped}");
                is_harmless(&get(&server, &path).await, &path);
            }
        }
    }
    is_alive(&server).await;
}

#[tokio::test]
async fn a_filter_that_is_wrong_is_pointed_at() {
    let server = start(|_| {}).await;
    let long = format!("actor_id = '{}'", "x".repeat(4_096));
    let many = vec!["size_bytes > 1"; 20_000].join(" OR ");
    let deep = format!("{}size_bytes > 1{}", "(".repeat(500), ")".repeat(500));
    for (filter, said) in [
        ("siz_bytes > 3", "size_bytes"),
        ("size_bytes > 'three'", "number"),
        ("size_bytes >", ""),
        ("size_bytes > 3 AND", ""),
        ("actor_id LIKE 5", ""),
        ("execution_time_ns > 4KiB", ""),
        (long.as_str(), "4096"),
        (deep.as_str(), ""),
    ] {
        for part in ["custom_filter", "performance_filter"] {
            let text = json!({"query": {part: filter}}).to_string();
            let answer = post(&server, "/api/query_traces", &text).await;
            let error = answer.error();
            assert_eq!(
                (answer.status, error.code),
                (400, ErrorCode::InvalidFilter),
                "{error:?}"
            );
            assert!(error.message.contains(said), "{filter:.60}: {error}");
            let place = error.place.expect("it is in the text");
            assert_eq!(place.field, part);
            assert!(
                place.start <= place.end && place.end <= filter.len(),
                "{place:?}"
            );
        }
    }
    // So many terms are more than a question may have bytes.
    let text = json!({"query": {"custom_filter": many}}).to_string();
    let answer = post(&server, "/api/query_traces", &text).await;
    assert_eq!(
        (answer.status, answer.error().code),
        (413, ErrorCode::TooLarge)
    );
    is_alive(&server).await;
}

#[tokio::test]
async fn a_picture_runs_nothing_whatever_the_names_are() {
    let server = start(|_| {}).await;
    let name = "</text><script>alert(1)</script>";
    let flow = TraceEvent::data_flow(name, "\" onload=\"alert(1)", "b", "in", "<img src=x>", 1);
    record(server.addr(), &[flow]).await;
    let answer = get(&server, "/api/graph?last=1h&format=svg").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    for header in [
        "content-type: image/svg+xml",
        "content-security-policy: sandbox; default-src 'none'",
        "x-content-type-options: nosniff",
    ] {
        assert!(answer.head.contains(header), "{}", answer.head);
    }
    assert!(answer.body.contains("alert(1)"), "the name is shown");
    for markup in ["<script", "<img", " onload=\"alert"] {
        assert!(!answer.body.contains(markup), "{markup}: {}", answer.body);
    }
}
