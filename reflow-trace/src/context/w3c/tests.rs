//! The rules of W3C Trace Context and of OpenTelemetry's sampling, one table each.

use proptest::prelude::*;

use super::entry::{Entry, VENDOR_KEY};
use super::randomness::with_threshold;
use super::traceparent::Traceparent;
use super::{Headers, Incoming, TraceState};
use crate::context::{Context, has};
use crate::event::{EventId, EventOrigin, ProducerId, TraceId};
use crate::sampling::{Randomness, Threshold};

const TRACE: &str = "12345678901234567890123456789012";
const PARENT: &str = "00-12345678901234567890123456789012-1234567890123456-01";

/// The context of a recorded event of ours.
fn ours(rate: f64) -> Context {
    let producer = ProducerId::from_bits(0xabc);
    let root = (5 << 56) | 0xff_ffff_ffff_ff00;
    let mut context = Context::in_trace(TraceId::from_root(producer, root), None);
    context.set_event(EventOrigin {
        producer,
        ring: 7,
        sequence: 99,
    });
    context.threshold = Threshold::from_rate(rate).bits();
    context.flags |= has::RECORD;
    context.hops = 3;
    context
}

fn headers(context: &Context, state: &str) -> Headers {
    let state = state.parse().expect("a tracestate");
    context.to_w3c(&state).expect("a trace")
}

fn extract(headers: &Headers) -> Incoming {
    Incoming::extract(&headers.traceparent, &headers.tracestate)
}

#[test]
fn a_traceparent_is_what_the_standard_says() {
    for (text, is_valid) in [
        (PARENT, true),
        (
            " \t00-12345678901234567890123456789012-1234567890123456-01 \t",
            true,
        ),
        (
            "00-12345678901234567890123456789012-1234567890123456-ff",
            true,
        ),
        // Versions to come are read as far as they are known.
        (
            "cc-12345678901234567890123456789012-1234567890123456-01",
            true,
        ),
        (
            "cc-12345678901234567890123456789012-1234567890123456-01-more",
            true,
        ),
        (
            "cc-12345678901234567890123456789012-1234567890123456-01.more",
            false,
        ),
        (
            "cc-12345678901234567890123456789012-1234567890123456-0",
            false,
        ),
        (
            "00-12345678901234567890123456789012-1234567890123456-01-more",
            false,
        ),
        (
            "00-12345678901234567890123456789012-1234567890123456-01.",
            false,
        ),
        (
            "ff-12345678901234567890123456789012-1234567890123456-01",
            false,
        ),
        (
            ".0-12345678901234567890123456789012-1234567890123456-01",
            false,
        ),
        (
            "000-12345678901234567890123456789012-1234567890123456-01",
            false,
        ),
        (
            "0-12345678901234567890123456789012-1234567890123456-01",
            false,
        ),
        (
            "00-00000000000000000000000000000000-1234567890123456-01",
            false,
        ),
        (
            "00-12345678901234567890123456789012-0000000000000000-01",
            false,
        ),
        (
            "00-1234567890123456789012345678901.-1234567890123456-01",
            false,
        ),
        (
            "00-1234567890123456789012345678901A-1234567890123456-01",
            false,
        ),
        (
            "00-123456789012345678901234567890123-1234567890123456-01",
            false,
        ),
        (
            "00-1234567890123456789012345678901-1234567890123456-01",
            false,
        ),
        (
            "00-12345678901234567890123456789012-123456789012345B-01",
            false,
        ),
        (
            "00-12345678901234567890123456789012-1234567890123456-.0",
            false,
        ),
        (
            "00-12345678901234567890123456789012-1234567890123456-001",
            false,
        ),
        (
            "00-12345678901234567890123456789012-1234567890123456-1",
            false,
        ),
        (
            "00_12345678901234567890123456789012_1234567890123456_01",
            false,
        ),
        (
            "00-+2345678901234567890123456789012-1234567890123456-01",
            false,
        ),
        (
            "00-1234567890123456789012345678é012-1234567890123456-01",
            false,
        ),
        ("ééééééééééééééééééééééééééééééé", false),
        ("00", false),
    ] {
        let parsed = Traceparent::parse(text);
        assert_eq!(parsed.is_some(), is_valid, "{text}");
        let trace = parsed.map(|parsed| format!("{:032x}", parsed.trace_id));
        assert!(trace.is_none_or(|trace| trace == TRACE), "{text}");
    }
    let parsed = Traceparent::parse(PARENT).expect("it is one");
    assert_eq!(parsed.to_string(), PARENT);
}

#[test]
fn a_tracestate_is_what_the_standard_says() {
    let members = |from: usize, to: usize| {
        let members: Vec<String> = (from..=to).map(|n| format!("bar{n:02}={n:02}")).collect();
        members.join(",")
    };
    let long = |key: usize, value: usize| format!("{}={}", "z".repeat(key), "v".repeat(value));
    let all_values: String = (' '..='~').filter(|c| !",=".contains(*c)).collect();
    for (fields, expected) in [
        (vec!["foo=1,bar=2"], Some("foo=1,bar=2")),
        (
            vec!["foo=1", "", "bar=2", "baz=3"],
            Some("foo=1,bar=2,baz=3"),
        ),
        (
            vec!["foo=1 \t , \t bar=2, \t baz=3"],
            Some("foo=1,bar=2,baz=3"),
        ),
        (vec!["foo=1,,bar=2,"], Some("foo=1,bar=2")),
        (vec![""], Some("")),
        (vec!["0tenant@vendor=1"], Some("0tenant@vendor=1")),
        (vec!["abc_-*/@09=1"], Some("abc_-*/@09=1")),
        (vec!["foo=1,foo=1"], None),
        (vec!["foo=1", "foo=2"], None),
        (vec!["foo =1"], None),
        (vec!["FOO=1"], None),
        (vec!["foo.bar=1"], None),
        (vec!["@foo=1,bar=2"], None),
        (vec!["foo=bar=baz"], None),
        (vec!["foo=,bar=3"], None),
        (vec!["foo"], None),
        (vec!["foo=é"], None),
        (vec!["foo=a\u{7f}"], None),
        (vec![&*members(1, 32)], Some(&*members(1, 32))),
        (vec![&*members(1, 31), "a=1", "b=2"], None),
        (vec![&*long(256, 1)], Some(&*long(256, 1))),
        (vec![&*long(257, 1)], None),
        (vec![&*long(1, 256)], Some(&*long(1, 256))),
        (vec![&*long(1, 257)], None),
        (
            vec![&*format!("k=x{all_values}x")],
            Some(&*format!("k=x{all_values}x")),
        ),
    ] {
        let parsed = super::members::parse(fields.iter().copied());
        let text = parsed.map(|members| super::members::join(&members));
        assert_eq!(text.as_deref(), expected, "{fields:?}");
    }
}

#[test]
fn too_long_a_tracestate_loses_long_members_first_and_then_the_last() {
    let long = format!("long={}", "x".repeat(200));
    let short: Vec<String> = (10..40)
        .map(|n| format!("k{n}={}", "y".repeat(13)))
        .collect();
    let state: TraceState = format!("a=1,{long},{}", short[..28].join(","))
        .parse()
        .expect("valid");
    assert_eq!(state.get("long"), None);
    assert_eq!(state.get("a"), Some("1"));
    assert!(state.as_str().len() <= 512);
    assert_eq!(state.members().count(), 1 + 28);
    // With our own the rest is too long again: now the last ones go.
    let headers = headers(&ours(1.0), state.as_str());
    assert!(headers.tracestate.len() <= 512);
    assert!(headers.tracestate.contains("k10=") && !headers.tracestate.contains("k37="));
    // 32 members and ours are one too many.
    let many: Vec<String> = (10..42).map(|n| format!("m{n}=1")).collect();
    let headers = self::headers(&ours(1.0), &many.join(","));
    assert_eq!(headers.tracestate.split(',').count(), 32);
    assert!(headers.tracestate.starts_with(VENDOR_KEY));
    assert!(
        headers.tracestate.ends_with("m39=1"),
        "{}",
        headers.tracestate
    );
}

#[test]
fn a_context_of_ours_comes_back_whole() {
    let sent = ours(0.1);
    let headers = headers(&sent, "");
    let incoming = extract(&headers);
    let came = incoming.context;
    assert_eq!(came.trace_id(), sent.trace_id());
    assert_eq!(came.event_id(), sent.event_id());
    assert_eq!(came.randomness(), sent.randomness());
    assert_eq!(came.threshold(), sent.threshold());
    assert_eq!(came.known_hops(), Some(3));
    assert!(came.same_trace(&sent));
    assert!(incoming.state.as_str().starts_with("ot=th:e666"));
    // Not of this process's clock, nor its edges.
    assert_eq!((came.stamp(), came.edge_here()), (None, None));
    assert_eq!(
        headers.tracestate,
        format!(
            "reflow-trace=h:3;e:{},ot=th:e666",
            sent.event_id().expect("recorded").0.simple()
        )
    );
    let span = sent.event_id().map(EventId::span_id);
    assert!(
        headers
            .traceparent
            .contains(&format!("-{:016x}-03", span.expect("recorded")))
    );
}

#[test]
fn a_context_that_is_passed_on_untouched_stays_the_same() {
    for (traceparent, tracestate) in [
        (PARENT, "foo=1"),
        (PARENT, "foo=1,ot=th:0;x:1,bar=2"),
        (
            "00-12345678901234567890123456789012-1234567890123456-00",
            "ot=rv:00000000000001;th:8",
        ),
    ] {
        let first = Incoming::extract(traceparent, tracestate);
        let headers = first.context.to_w3c(&first.state).expect("a trace");
        let second = extract(&headers);
        assert_eq!(second.context.trace_id(), first.context.trace_id());
        assert_eq!(second.context.parent_span_id(), Some(0x1234_5678_9012_3456));
        assert_eq!(second.context.randomness(), first.context.randomness());
        assert_eq!(second.state, first.state, "{}", headers.tracestate);
        let again = second.context.to_w3c(&second.state).expect("a trace");
        assert_eq!(again, headers);
        assert_eq!(headers.traceparent, traceparent);
    }
}

#[test]
fn what_others_said_is_passed_on_in_their_order_behind_ours() {
    let incoming = Incoming::extract(
        PARENT,
        "congo=t61,reflow-trace=h:1,rojo=00f,ot=th:8;x9:a.b-c",
    );
    assert_eq!(
        incoming.state.as_str(),
        "congo=t61,rojo=00f,ot=th:8;x9:a.b-c"
    );
    let mut sent = incoming.context;
    // A stage of 10 % behind one of 50 %; R of this trace is too small for both.
    sent.threshold = Threshold::from_rate(0.1).bits();
    sent.flags &= !has::RECORD;
    let headers = sent.to_w3c(&incoming.state).expect("a trace");
    assert_eq!(
        headers.tracestate,
        "reflow-trace=h:1,ot=th:e666;x9:a.b-c,congo=t61,rojo=00f"
    );
}

#[test]
fn randomness_is_what_was_told_or_the_low_bits_of_the_trace_id() {
    let of = |tracestate: &str| Incoming::extract(PARENT, tracestate).context;
    let low = Randomness::from_bits(0x0034_5678_9012_3456_7890_1234_5678_9012_u128 as u64);
    assert_eq!(of("").randomness(), Some(low));
    let told = of("ot=rv:0123456789abcd;th:0");
    assert_eq!(
        told.randomness(),
        Some(Randomness::from_bits(0x01_2345_6789_abcd))
    );
    assert_eq!(
        told.trace_id()
            .map(|trace| trace.0.simple().to_string())
            .as_deref(),
        Some(TRACE)
    );
    for malformed in [
        "ot=rv:123456789abcd",
        "ot=rv:0123456789ABCD",
        "ot=rv:00123456789abcd",
        "ot=rv:",
        "ot=rv",
        "ot=rv:0123456789abcd;rv:0123456789abcd",
    ] {
        assert_eq!(of(malformed).randomness(), Some(low), "{malformed}");
    }
}

#[test]
fn told_randomness_is_never_overwritten() {
    let incoming = Incoming::extract(PARENT, "ot=rv:0123456789abcd");
    let mut sent = incoming.context;
    sent.threshold = Threshold::from_rate(0.5).bits();
    sent.flags &= !(has::UNKNOWN_THRESHOLD | has::RECORD);
    let headers = sent.to_w3c(&incoming.state).expect("a trace");
    assert!(
        headers.tracestate.contains("ot=th:8;rv:0123456789abcd"),
        "{}",
        headers.tracestate
    );
    assert!(
        headers.traceparent.ends_with("-00"),
        "the trace id is not R"
    );
}

#[test]
fn a_threshold_that_contradicts_the_flag_is_erased() {
    // R ends in 9012 and begins with 78: below 50 %, so that a kept trace cannot have this threshold.
    for (flag, tracestate, known) in [
        ("01", "ot=th:8", None),
        ("00", "ot=th:8", Some(0.5)),
        ("01", "ot=th:0", Some(1.0)),
        ("00", "ot=th:0", None),
        ("01", "", None),
        ("01", "ot=th:never", None),
        ("01", "ot=th:E", None),
        ("01", "ot=th:012345678901234", None),
    ] {
        let traceparent = format!("00-11111111111111117878901234567890-1234567890123456-{flag}");
        let context = Incoming::extract(&traceparent, tracestate).context;
        let threshold = (!context.has(has::UNKNOWN_THRESHOLD)).then(|| context.threshold());
        assert_eq!(
            threshold,
            known.map(Threshold::from_rate),
            "{flag} {tracestate}"
        );
        let headers = context.to_w3c(&TraceState::EMPTY).expect("a trace");
        let says = headers.tracestate.contains("th:");
        assert_eq!(
            says,
            known.is_some(),
            "{flag} {tracestate}: {}",
            headers.tracestate
        );
    }
    // Recorded because it is important, in a trace that the policy before had left out.
    let mut important = ours(0.1);
    important.randomness = 5;
    let headers = headers(&important, "ot=th:8;x:1");
    assert!(
        headers.tracestate.contains(";t:e666,ot=x:1"),
        "{}",
        headers.tracestate
    );
    assert_eq!(
        extract(&headers).context.threshold(),
        Threshold::from_rate(0.1)
    );
    important.threshold = Threshold::NEVER.bits();
    let headers = self::headers(&important, "");
    assert!(
        headers.tracestate.ends_with(";t:never"),
        "{}",
        headers.tracestate
    );
    assert_eq!(extract(&headers).context.threshold(), Threshold::NEVER);
}

#[test]
fn what_has_no_room_in_the_sampling_member_is_not_said() {
    let full = format!("x:{}", "v".repeat(254));
    assert_eq!(
        with_threshold(Some(&full), Some(Threshold::ALWAYS)),
        Some(full.clone())
    );
    assert_eq!(with_threshold(Some("th:8"), None), None);
    assert_eq!(
        with_threshold(Some("a:1;th:8;b:2"), None).as_deref(),
        Some("a:1;b:2")
    );
    assert_eq!(with_threshold(Some("no pairs"), None), None);
}

#[test]
fn what_others_tell_of_our_own_member_is_looked_at() {
    let event = ours(1.0).event_id().expect("it has one").0.simple();
    for (value, is_valid) in [
        (format!("h:3;e:{event}"), true),
        (format!("h:3+;e:{event};i:1;t:e666;new:thing"), true),
        ("h:255".to_owned(), true),
        ("h:256".to_owned(), false),
        ("h:+3".to_owned(), false),
        ("h:".to_owned(), false),
        ("h".to_owned(), false),
        ("t:never".to_owned(), true),
        ("t:x".to_owned(), false),
        (format!("e:{}", "0".repeat(32)), false),
        (format!("e:{}", "f".repeat(32)), false),
        (format!("e:{event}0"), false),
        ("e:é".to_owned(), false),
    ] {
        assert_eq!(Entry::parse(&value).is_some(), is_valid, "{value}");
    }
}

#[test]
fn a_span_of_another_tracer_between_two_of_ours_does_not_hide_the_event() {
    let sent = ours(1.0);
    let mut headers = headers(&sent, "");
    headers
        .traceparent
        .replace_range(36..52, "1234567890123456");
    let came = extract(&headers).context;
    assert_eq!(came.event_id(), sent.event_id());
    assert_eq!(came.parent_span_id(), None);
    // Without a recorded event the span is all that is known.
    let mut counted = ours(0.0);
    (counted.sequence, counted.flags) = (0, counted.flags & !has::RECORD);
    let mut headers = self::headers(&counted, "");
    assert_eq!(extract(&headers).context.parent_span_id(), None);
    headers
        .traceparent
        .replace_range(36..52, "1234567890123456");
    assert_eq!(
        extract(&headers).context.parent_span_id(),
        Some(0x1234_5678_9012_3456)
    );
}

#[test]
fn nothing_comes_of_fields_that_are_not_there() {
    for fields in [
        vec![],
        vec![("tracestate", "foo=1")],
        vec![("trace-parent", PARENT)],
        vec![("traceparent", "")],
        vec![("traceparent", PARENT), ("TraceParent", PARENT)],
    ] {
        let incoming = Incoming::from_fields(fields.clone());
        assert!(!incoming.context.is_linked(), "{fields:?}");
        assert!(incoming.state.is_empty(), "{fields:?}");
    }
    let fields = [
        ("TRACESTATE", "a=1"),
        ("TraceParent", PARENT),
        ("tracestate", "b=2"),
    ];
    let incoming = Incoming::from_fields(fields);
    assert!(incoming.context.is_linked());
    assert_eq!(incoming.state.as_str(), "a=1,b=2");
    let mut written = 0;
    Context::NONE.inject(|_, _| written += 1);
    assert_eq!(written, 0);
}

/// Text that is nearly right: pieces of the real thing in any order.
fn nearly(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => proptest::sample::select(pieces).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => "[a-z0-9=;:,@ -]{0,40}",
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

const PIECES: &[&str] = &[
    "00-",
    "cc-",
    "ff-",
    "-",
    "-01",
    "-00",
    "12345678901234567890123456789012",
    "1234567890123456",
    "00-12345678901234567890123456789012-1234567890123456-01",
    "reflow-trace=",
    "ot=",
    "th:8",
    "th:0",
    "rv:0123456789abcd",
    ";",
    ",",
    "h:3",
    "h:3+",
    "t:never",
    "foo=1",
    "bar=2",
    "=",
    " ",
    "\t",
];

proptest! {
    #[test]
    fn nothing_that_comes_in_panics_and_what_goes_out_comes_in_again(
        traceparent in prop_oneof![Just(PARENT.to_owned()), nearly(PIECES)],
        tracestate in nearly(PIECES),
    ) {
        let first = Incoming::extract(&traceparent, &tracestate);
        let Some(headers) = first.context.to_w3c(&first.state) else {
            prop_assert!(!first.context.is_linked() && first.state.is_empty());
            return Ok(());
        };
        prop_assert!(headers.tracestate.len() <= 512);
        prop_assert!(headers.tracestate.split(',').count() <= 32);
        let second = extract(&headers);
        prop_assert_eq!(second.context.trace_id(), first.context.trace_id());
        prop_assert_eq!(second.context.event_id(), first.context.event_id());
        prop_assert_eq!(second.context.parent_span_id(), first.context.parent_span_id());
        prop_assert_eq!(second.context.randomness(), first.context.randomness());
        prop_assert_eq!(second.context.known_hops(), first.context.known_hops());
        prop_assert_eq!(second.context.flags, first.context.flags);
        prop_assert_eq!(second.context.threshold, first.context.threshold);
        let again = second.context.to_w3c(&second.state);
        prop_assert_eq!(again, Some(headers));
    }
}
