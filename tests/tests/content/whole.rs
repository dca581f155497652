//! Content without redaction: what the type's own `Serialize` writes.

use std::sync::Arc;

use reflow_trace::{ContentKey, ContentLimits, TraceEvent, sample};
use serde::Serialize;

use crate::{Capturing, text};

#[sample(capture)]
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reading {
    degrees_celsius: f64,
    #[serde(skip)]
    _hidden: u8,
}

fn reading() -> Reading {
    Reading {
        degrees_celsius: 20.5,
        _hidden: 7,
    }
}

#[sample(rate = 1.0)]
#[derive(Serialize)]
struct Silent {
    celsius: f64,
}

#[derive(Serialize)]
#[sample(capture = 2 * 1024)]
enum Order {
    Placed {
        amount: u32,
    },
    #[sample(capture = false)]
    Paid(u32),
    #[sample(capture = 5)]
    Sent(&'static str),
}

#[sample(rate = 1.0)]
#[derive(Serialize)]
enum Partly {
    #[sample(capture)]
    Shown(u8),
    Silent(u8),
}

#[sample(capture)]
#[derive(Serialize)]
struct Envelope<T: Serialize, const N: usize> {
    parts: [T; 2],
    count: usize,
    #[serde(skip)]
    _room: [u8; N],
}

struct ByHand;

impl Serialize for ByHand {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str("by hand")
    }
}

#[sample(capture)]
#[derive(Serialize)]
#[serde(transparent)]
struct Wrapped(ByHand);

#[test]
fn the_content_is_what_serialize_writes() {
    let capturing = Capturing::start();
    assert_eq!(
        capturing.content_of(reading()),
        r#"{"degreesCelsius":20.5}"#
    );
    assert_eq!(capturing.content_of(Wrapped(ByHand)), r#""by hand""#);
    let envelope = Envelope {
        parts: ["x", "y"],
        count: 2,
        _room: [0; 3],
    };
    assert_eq!(
        capturing.content_of(envelope),
        r#"{"parts":["x","y"],"count":2}"#
    );
}

#[test]
fn a_message_behind_a_pointer_is_captured_too() {
    let capturing = Capturing::start();
    let expected = r#"{"degreesCelsius":20.5}"#;
    assert_eq!(capturing.content_of(Box::new(reading())), expected);
    assert_eq!(capturing.content_of(Arc::new(reading())), expected);
}

#[test]
fn content_is_captured_only_where_the_type_asks() {
    let capturing = Capturing::start();
    let silent = capturing.of(Silent { celsius: 1.0 });
    assert_eq!((text(&silent).as_str(), silent.checksum.as_str()), ("", ""));
    assert_eq!(capturing.content_of(Order::Paid(3)), "");
    assert_eq!(capturing.content_of(Partly::Silent(1)), "");
    assert_eq!(capturing.content_of(Partly::Shown(1)), r#"{"Shown":1}"#);
    assert_eq!(
        capturing.content_of(Order::Placed { amount: 3 }),
        r#"{"Placed":{"amount":3}}"#
    );
}

#[test]
fn what_exceeds_the_cap_is_cut_and_says_so() {
    let capturing = Capturing::start();
    let cut = capturing.of(Order::Sent("parcel"));
    assert!(cut.content_is_truncated);
    assert_eq!(text(&cut), r#"{"Sen"#);
    let whole = capturing.of(Order::Placed { amount: 1 });
    assert!(!whole.content_is_truncated);
    assert_eq!(capturing.ledger().truncated, 1);
}

#[test]
fn a_cut_leaves_whole_characters() {
    #[sample(capture = 6)]
    #[derive(Serialize)]
    #[serde(transparent)]
    struct Words(&'static str);

    let capturing = Capturing::start();
    assert_eq!(capturing.content_of(Words("ööö")), "\"öö");
}

#[test]
fn the_checksum_is_over_what_was_captured() {
    let by_hand = |content: &str| {
        let content = Some(content.as_bytes().to_vec());
        let event = TraceEvent::data_flow_with_content("", "", "", "", "", 0, content);
        event.data.message.expect("a message").checksum
    };
    let capturing = Capturing::start();
    let whole = capturing.of(reading());
    assert_eq!(whole.checksum, by_hand(r#"{"degreesCelsius":20.5}"#));
    let cut = capturing.of(Order::Sent("parcel"));
    assert_eq!(cut.checksum, by_hand(r#"{"Sen"#));
}

#[test]
fn with_a_key_nobody_can_try_out_what_a_checksum_stands_for() {
    let keyed = |key: u8| {
        let capturing = Capturing::within(ContentLimits {
            key: Some(ContentKey::new([key; 32])),
            ..Default::default()
        });
        let checksum = capturing.of(reading()).checksum;
        assert_eq!(checksum.len(), "hmac-sha256:".len() + 64);
        assert!(checksum.starts_with("hmac-sha256:"), "{checksum}");
        checksum
    };
    assert_eq!(keyed(1), keyed(1));
    assert_ne!(keyed(1), keyed(2));
}

#[test]
fn attributes_have_room_beside_a_large_content() {
    use reflow_trace::traced_connector;

    #[sample(capture = 65_536)]
    #[derive(Serialize)]
    struct Large {
        text: String,
        #[trace(attribute)]
        length: usize,
    }

    struct Wire;

    #[traced_connector(
        from_actor = "\"a\"",
        from_port = "\"out\"",
        to_actor = "\"b\"",
        to_port = "\"in\"",
        attributes(late = "7")
    )]
    impl Wire {
        fn send(&self, message: Large) {
            drop(message);
        }
    }

    let capturing = Capturing::start();
    Wire.send(Large {
        text: "x".repeat(60_000),
        length: 60_000,
    });
    let event = capturing.events().pop().expect("recorded");
    assert_eq!(event.data.custom_attributes["length"], 60_000);
    assert_eq!(event.data.custom_attributes["late"], 7);
    let message = event.data.message.expect("a message");
    assert!(!message.content_is_truncated);
    assert!(text(&message).len() > 60_000);
}

#[test]
fn what_is_not_recorded_is_not_serialised() {
    #[sample(capture, never)]
    #[derive(Serialize)]
    struct Never(#[serde(serialize_with = "must_not_run")] u8);

    fn must_not_run<S: serde::Serializer>(_: &u8, _: S) -> Result<S::Ok, S::Error> {
        panic!("serialised")
    }

    let capturing = Capturing::start();
    crate::connector().send(Never(1));
    assert!(capturing.events().is_empty());
    assert!(capturing.ledger().is_whole());
}
