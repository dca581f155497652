//! A recording can only take away from what types ask for.

use std::sync::atomic::{AtomicU32, Ordering};

use reflow_trace::{ContentLimits, sample};
use serde::{Serialize, Serializer};

use crate::{Capturing, text};

/// How often a `Counting` was serialised in this process. Recordings are one after the other.
static SERIALISED: AtomicU32 = AtomicU32::new(0);

#[sample(capture)]
struct Counting;

impl Serialize for Counting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        SERIALISED.fetch_add(1, Ordering::Relaxed);
        serializer.serialize_str("0123456789")
    }
}

fn serialised(limits: ContentLimits) -> (u32, String) {
    let capturing = Capturing::within(limits);
    let before = SERIALISED.load(Ordering::Relaxed);
    let content = capturing.content_of(Counting);
    (SERIALISED.load(Ordering::Relaxed) - before, content)
}

#[test]
fn off_means_that_nothing_is_serialised() {
    assert_eq!(
        serialised(ContentLimits::default()),
        (1, r#""0123456789""#.to_owned())
    );
    assert_eq!(serialised(ContentLimits::off()), (0, String::new()));
    let never_types = vec!["Counting".to_owned()];
    let limits = ContentLimits {
        never_types,
        ..Default::default()
    };
    assert_eq!(serialised(limits), (0, String::new()));
    let never_types = vec!["Other".to_owned()];
    let limits = ContentLimits {
        never_types,
        ..Default::default()
    };
    assert_eq!(serialised(limits).0, 1);
}

#[test]
fn a_smaller_cap_cuts_and_a_larger_one_gives_nothing() {
    let limits = ContentLimits {
        bytes_max: 4,
        ..Default::default()
    };
    assert_eq!(serialised(limits).1, r#""012"#);

    #[sample(capture = 4)]
    #[derive(Serialize)]
    #[serde(transparent)]
    struct Small(&'static str);

    let capturing = Capturing::start();
    assert_eq!(capturing.content_of(Small("0123")), r#""012"#);
}

#[test]
fn a_content_never_fills_the_ring() {
    #[sample(capture = 65_536)]
    #[derive(Serialize)]
    struct Large(String);

    let alone = reflow_trace_tests::Silence::start();
    let memory = reflow_trace::MemorySink::with_capacity(10);
    let guard = reflow_trace::builder()
        .sink(memory.clone())
        .ring_capacity(64)
        .start()
        .expect("nobody else is recording");
    crate::connector().send(Large("x".repeat(100_000)));
    guard
        .flush(std::time::Duration::from_secs(5))
        .expect("all that was recorded arrives");
    let events = memory.events();
    let message = events.iter().find_map(|event| event.data.message.as_ref());
    let message = message.expect("the event was not lost");
    assert!(message.content_is_truncated);
    assert_eq!(text(message).len(), 1024);
    drop(guard);
    drop(alone);
}
