//! Contexts of other processes and other tracers, and what pretends to be one.

use reflow_trace::w3c::{Incoming, TraceState};
use reflow_trace::{
    Context, EventId, TraceEvent, global_tracing, sample, traced_actor, traced_connector,
};
use reflow_trace_tests::Recording;
use serde_json::{Value, json};

use crate::{Chance, Job, Queue, flow};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

struct Relay {
    out: Queue,
}

#[traced_actor(actor = ("relay"), port = ("in"))]
impl Relay {
    fn handle(&self, message: Job) -> Context {
        self.out.send(Job::new(message.owner, message.number));
        let sent = self.out.jobs.borrow_mut().pop_front();
        sent.expect("it was sent").context
    }
}

fn relay(context: Context) -> Context {
    let out = Queue::between("relay", "sink");
    Relay { out }.handle(Job {
        context,
        ..Job::new(1, 1)
    })
}

fn handling(events: &[TraceEvent]) -> &TraceEvent {
    let mut events = events.iter();
    let handling = events.find(|event| event.event_type.name() == "MessageReceived");
    handling.expect("it was handled")
}

/// An event and a trace of a producer that is not this process.
fn another_process() -> Context {
    let traceparent = "00-123456789abc8def8123456789abcdef-00f067aa0ba902b7-03";
    Incoming::extract(
        traceparent,
        "reflow-trace=h:4;e:fedcba987654832180000000abcdef01",
    )
    .context
}

#[test]
fn the_span_of_another_tracer_is_kept_as_what_led_here() {
    let recording = Recording::start();
    let incoming = Incoming::extract(PARENT, "congo=t61");
    let sent = relay(incoming.context);
    let events = recording.events();
    let handling = handling(&events);
    let trace = |id: Option<reflow_trace::TraceId>| id.map(|id| id.0.simple().to_string());
    let foreign = Some("4bf92f3577b34da6a3ce929d0e0e4736".to_owned());
    assert_eq!(trace(handling.trace_id), foreign);
    let attributes = &handling.data.custom_attributes;
    assert_eq!(
        attributes.get("parent_span_id"),
        Some(&json!("00f067aa0ba902b7"))
    );
    assert!(!attributes.contains_key("unlinked"));
    assert_eq!(handling.causality.parent_event_id, None);
    assert_eq!(
        handling.causality.root_cause_event_id, None,
        "the root is elsewhere"
    );
    assert_eq!(handling.causality.hop_count, None, "how far is not known");

    let flow = flow(&events, "relay");
    assert_eq!(trace(flow.trace_id), foreign);
    assert_eq!(flow.causality.parent_event_id, Some(handling.event_id));
    assert!(!flow.data.custom_attributes.contains_key("parent_span_id"));

    let headers = sent.to_w3c(&incoming.state).expect("a trace");
    let span = flow.event_id.span_id();
    assert_eq!(
        headers.traceparent,
        format!("00-4bf92f3577b34da6a3ce929d0e0e4736-{span:016x}-01")
    );
    let event = flow.event_id.0.simple();
    assert_eq!(
        headers.tracestate,
        format!("reflow-trace=h:1+;e:{event},ot=th:0,congo=t61")
    );
}

#[sample(never)]
#[derive(Clone, Default)]
struct Quiet {
    #[trace(context)]
    context: Context,
}

struct Pipe;

#[traced_connector(from_actor = ("pipe"), from_port = ("out"), to_actor = ("pipe"), to_port = ("in"))]
impl Pipe {
    fn send(&self, message: Quiet) -> Context {
        message.context
    }
}

#[test]
fn a_cause_of_another_process_outlives_hops_that_are_not_recorded() {
    for (context, event, span) in [
        (another_process(), another_process().event_id(), None),
        (
            Incoming::extract(PARENT, "").context,
            None,
            Some("00f067aa0ba902b7"),
        ),
        (
            Incoming::extract(PARENT, "ot=rv:ffffffffffffff").context,
            None,
            Some("00f067aa0ba902b7"),
        ),
    ] {
        let recording = Recording::start();
        let after = (0..3).fold(context, |context, _| Pipe.send(Quiet { context }));
        assert_eq!(after.trace_id(), context.trace_id());
        assert_eq!(after.randomness(), context.randomness());
        assert_eq!(after.hop_count(), context.hop_count() + 3);
        relay(after);
        let events = recording.events();
        let handling = handling(&events);
        assert_eq!(handling.trace_id, context.trace_id());
        assert_eq!(handling.causality.parent_event_id, event);
        let attribute = handling.data.custom_attributes.get("parent_span_id");
        assert_eq!(attribute.and_then(Value::as_str), span);
        assert_eq!(flow(&events, "relay").trace_id, context.trace_id());
    }
}

#[test]
fn an_earlier_generation_of_this_process_is_another_process() {
    let recording = Recording::start();
    let before = relay(Context::NONE);
    let first = flow(&recording.events(), "relay").event_id;
    drop(recording);
    let recording = Recording::start();
    relay(before);
    let events = recording.events();
    let handling = handling(&events);
    assert_eq!(handling.causality.parent_event_id, Some(first));
    assert_eq!(handling.trace_id, before.trace_id());
    let producer = |id: EventId| id.origin().map(|origin| origin.producer);
    assert_ne!(producer(handling.event_id), producer(first));
    // The clock is the same one.
    assert!(handling.data.performance_metrics.waiting_time_ns.is_some());
}

#[test]
fn whatever_pretends_to_be_a_context_is_recorded_or_counted_and_panics_nowhere() {
    let seed = 11;
    let mut chance = Chance::new(seed);
    let recording = Recording::start();
    let honest = serde_json::to_value(relay(another_process())).expect("serializes");
    let fields: Vec<String> = honest.as_object().expect("a map").keys().cloned().collect();
    let extremes = [
        0,
        1,
        255,
        u64::from(u32::MAX) - 1,
        1 << 48,
        1 << 52,
        1 << 56,
        u64::MAX,
    ];
    let (mut linked, mut refused) = (0, 0);
    for _ in 0..3_000 {
        let mut hostile = honest.clone();
        for field in &fields {
            let value = &mut hostile[field];
            match (chance.below(4), value.clone()) {
                (0, Value::Number(_)) => *value = json!(extremes[chance.below(extremes.len())]),
                (0, Value::String(_)) => {
                    let halves = [chance.below(usize::MAX), chance.below(usize::MAX)];
                    *value = json!(format!("{:016x}{:016x}", halves[0], halves[1]));
                }
                _ => {}
            }
        }
        // A number that is too large for its field is an error of the program's format, not ours.
        let Ok(context) = serde_json::from_value::<Context>(hostile.clone()) else {
            continue;
        };
        if context.is_linked() {
            linked += 1;
        } else {
            refused += 1;
        }
        let sent = relay(context);
        assert!(sent.is_linked(), "seed {seed}");
        let _headers = sent.to_w3c(&TraceState::EMPTY).expect("a trace");
        let again: Context =
            serde_json::from_value(serde_json::to_value(sent).expect("serializes"))
                .expect("what we write we read");
        assert_eq!(again.trace_id(), sent.trace_id(), "seed {seed}: {hostile}");
        assert_eq!(again.event_id(), sent.event_id(), "seed {seed}: {hostile}");
    }
    assert!(linked > 100 && refused > 100, "{linked} {refused}");
    let events = recording.events();
    assert!(events.iter().all(|event| event.trace_id.is_some()));
    let metrics = global_tracing().expect("recording").performance_metrics();
    assert_eq!(metrics.propagation_faults.malformed_contexts, refused);
    assert!(metrics.ledger.balances(), "{metrics}");
    assert_eq!(metrics.ledger.lost, []);
}

#[test]
fn what_is_malformed_is_counted() {
    let recording = Recording::start();
    for (traceparent, tracestate) in [
        ("", "foo=1"),
        (PARENT, ""),
        (PARENT, "foo=1"),
        (
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "FOO=1",
        ),
        ("nonsense", ""),
        (PARENT, "FOO=1"),
        (PARENT, "ot=nonsense"),
        (PARENT, "reflow-trace=h:999"),
    ] {
        let incoming = Incoming::extract(traceparent, tracestate);
        assert_eq!(
            incoming.context.is_linked(),
            traceparent == PARENT,
            "{tracestate}"
        );
    }
    let long: Vec<String> = (0..4)
        .map(|n| format!("k{n}={}", "v".repeat(200)))
        .collect();
    let incoming = Incoming::extract(PARENT, &long.join(","));
    assert_eq!(incoming.state.members().count(), 2);
    recording.events();
    let faults = global_tracing()
        .expect("recording")
        .performance_metrics()
        .propagation_faults;
    assert_eq!(faults.malformed_traceparents, 2);
    assert_eq!(faults.malformed_tracestates, 3);
    assert_eq!(faults.members_left_out, 2);
}
