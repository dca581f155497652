//! The probe as generated code uses it, and the law over what it counts.

use std::future::Future as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::*;
use crate::event::{Outcome, TraceEvent, TraceEventType};
use crate::ledger::Ledger;
use crate::message::{Message, MessageKind, Size};
use crate::runtime::{Builder, Guard, builder};
use crate::sampling::Verdict;
use crate::sink::MemorySink;
use crate::{Context, Edge, global_tracing};

static ONE_RECORDING: Mutex<()> = Mutex::new(());

/// One recording at a time, into memory.
struct Recording {
    memory: MemorySink,
    guard: Guard,
    _alone: MutexGuard<'static, ()>,
}

impl Recording {
    fn start() -> Self {
        Self::with(builder())
    }

    fn with(builder: Builder) -> Self {
        let alone = ONE_RECORDING.lock().unwrap_or_else(PoisonError::into_inner);
        let memory = MemorySink::with_capacity(1_000_000);
        let guard = builder
            .sink(memory.clone())
            .start()
            .expect("nothing else records");
        Self {
            memory,
            guard,
            _alone: alone,
        }
    }

    fn events(&self) -> Vec<TraceEvent> {
        self.guard
            .flush(Duration::from_secs(30))
            .expect("memory is fast");
        self.memory
            .events()
            .into_iter()
            .filter(|event| event.actor_id != crate::ledger::TRACING_ACTOR)
            .collect()
    }

    fn ledger(&self) -> Ledger {
        self.guard
            .flush(Duration::from_secs(30))
            .expect("memory is fast");
        global_tracing()
            .expect("recording")
            .performance_metrics()
            .ledger
    }
}

#[derive(Clone, Default)]
struct Reading {
    id: u64,
    important: bool,
    context: Context,
}

impl Message for Reading {
    fn kind(&self) -> &'static MessageKind {
        static KIND: MessageKind = MessageKind::new("Reading").rate(0.25);
        &KIND
    }
    fn verdict(&self) -> Verdict {
        if self.important {
            Verdict::Always
        } else {
            Verdict::ByRate
        }
    }
    fn size(&self) -> Size {
        Size::known(100)
    }
    fn context(&self) -> Option<&Context> {
        Some(&self.context)
    }
    fn context_mut(&mut self) -> Option<&mut Context> {
        Some(&mut self.context)
    }
    fn id(&self) -> Option<crate::AttributeValue<'_>> {
        Some(crate::AttributeValue::Unsigned(self.id))
    }
}

const SITE: &Site = &Site::new();

fn send<T>(from: &str, to: &str, message: Reading, body: impl FnOnce(Reading) -> T) -> T {
    send_judged(from, to, message, body, |_| Outcome::Delivered)
}

fn send_result(
    from: &str,
    to: &str,
    message: Reading,
    body: impl FnOnce(Reading) -> Result<(), ()>,
) -> Result<(), ()> {
    send_judged(from, to, message, body, |out| judge_of(out).outcome(out))
}

fn send_judged<T>(
    from: &str,
    to: &str,
    mut message: Reading,
    body: impl FnOnce(Reading) -> T,
    judge: impl FnOnce(&T) -> Outcome,
) -> T {
    let mut flow = Flow::idle();
    if on() {
        flow = sending_of(&message).begin(
            &mut message,
            ends(
                (&&Text(&from)).name(),
                (&&Text(&"out")).name(),
                (&&Text(&to)).name(),
                (&&Text(&"in")).name(),
            ),
            Depth::of(3usize),
            SITE,
        );
    }
    let out = body(message);
    flow.end(judge(&out));
    out
}

fn handle<T>(actor: &str, mut message: Reading, body: impl FnOnce(Reading) -> T) -> T {
    let _frame = crate::context::CauseFrame::enter();
    let mut flow = Flow::idle();
    if on() {
        (&mut Probed(&mut message)).begin_handling(
            &mut flow,
            receiver((&&Text(&actor)).name(), (&&Text(&"in")).name()),
            SITE,
        );
    }
    let out = body(message);
    flow.end(judge_of(&out).outcome(&out));
    out
}

#[test]
fn a_send_is_recorded_with_what_is_known_of_it() {
    let recording = Recording::start();
    let message = Reading {
        id: 7,
        important: true,
        ..Reading::default()
    };
    let sent = send("a", "b", message, |message| message);
    let events = recording.events();
    assert_eq!(events.len(), 1, "{events:#?}");
    let event = &events[0];
    assert_eq!(
        event.event_type,
        TraceEventType::DataFlow {
            to_actor: "b".into(),
            to_port: "in".into()
        }
    );
    assert_eq!(
        (event.actor_id.as_str(), event.data.port.as_deref()),
        ("a", Some("out"))
    );
    assert_eq!(event.outcome, Some(Outcome::Delivered));
    let message = event.data.message.as_ref().expect("a message");
    assert_eq!(
        (message.message_type.as_str(), message.size_bytes),
        ("Reading", 100)
    );
    assert!(!message.size_is_shallow);
    assert_eq!(event.data.performance_metrics.queue_depth, Some(3));
    assert!(event.data.performance_metrics.execution_time_ns.is_some());
    assert_eq!(event.data.performance_metrics.memory_usage_bytes, None);
    assert_eq!(event.message_id(), Some(&serde_json::json!(7)));
    assert_eq!(event.weight(), Some(1.0));
    assert_eq!(event.causality.root_cause_event_id, Some(event.event_id));
    assert_eq!(sent.context.event_id(), Some(event.event_id));
    assert_eq!(sent.context.trace_id(), event.trace_id);
}

#[test]
fn failed_cancelled_and_panicked_sends_are_no_data_flows() {
    let recording = Recording::start();
    let important = Reading {
        important: true,
        ..Reading::default()
    };
    let _failed = send_result("a", "b", important.clone(), |_| Err(()));
    let panicked =
        std::panic::catch_unwind(|| send("a", "b", important.clone(), |_| panic!("as intended")));
    assert!(panicked.is_err());
    {
        let mut message = important;
        let edge_handle = Edge::new("a", "out", "b", "in");
        let _flow =
            sending_of(&message).begin(&mut message, edge(&edge_handle), Depth::UNKNOWN, SITE);
    }
    let events = recording.events();
    let outcomes: Vec<_> = events
        .iter()
        .map(|event| event.outcome.expect("an attempt"))
        .collect();
    assert_eq!(
        outcomes,
        [Outcome::Failed, Outcome::Panicked, Outcome::Cancelled]
    );
    assert!(
        events
            .iter()
            .all(|event| event.event_type == TraceEventType::MessageSent)
    );
    let counters = global_tracing().expect("recording").edge_counters();
    assert_eq!(
        (counters.edges[0].messages, counters.edges[0].failures),
        (3, 3)
    );
}

#[test]
fn what_a_handler_sends_is_caused_by_what_it_handles() {
    let recording = Recording::start();
    let first = send(
        "a",
        "b",
        Reading {
            important: true,
            ..Reading::default()
        },
        |message| message,
    );
    let second = handle("b", first, |message| {
        send(
            "b",
            "c",
            Reading {
                important: true,
                id: message.id,
                ..Reading::default()
            },
            |message| message,
        )
    });
    assert!(!Context::current().is_linked());
    handle("c", second, |_| ());
    let events = recording.events();
    assert_eq!(events.len(), 4);
    // In the order in which they ended: the inner send ends before the handling around it.
    let [first, second, handled, last] = &events[..] else {
        unreachable!("four events")
    };
    assert_eq!(handled.event_type, TraceEventType::MessageReceived);
    assert_eq!(handled.causality.parent_event_id, Some(first.event_id));
    assert_eq!(second.causality.parent_event_id, Some(handled.event_id));
    assert_eq!(last.causality.parent_event_id, Some(second.event_id));
    assert_eq!(
        (last.actor_id.as_str(), last.data.port.as_deref()),
        ("c", Some("in"))
    );
    assert!(last.data.performance_metrics.waiting_time_ns.is_some());
    assert!(
        events
            .iter()
            .all(|event| event.trace_id == first.trace_id && event.trace_id.is_some())
    );
    assert_eq!(second.causality.hop_count, Some(1));
}

#[test]
fn a_send_through_several_methods_is_one_event() {
    let recording = Recording::start();
    let message = Reading {
        important: true,
        ..Reading::default()
    };
    send("a", "b", message, |message| {
        send("a", "b", message, |message| send("a", "b", message, |_| ()))
    });
    assert_eq!(recording.events().len(), 1);
    let ledger = recording.ledger();
    assert_eq!(ledger.attempted, 1);
    assert!(ledger.balances(), "{ledger:#?}");
}

#[test]
fn a_lineage_is_kept_whole_or_not_at_all() {
    // Room for everything, however late the collector comes by.
    let recording = Recording::with(builder().ring_capacity(1 << 15));
    let chains = 2_000;
    for id in 0..chains {
        let mut message = Reading {
            id,
            ..Reading::default()
        };
        for (from, to) in [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e"), ("e", "f")] {
            message = send(from, to, message, |message| message);
            message = handle(to, message, |message| message);
        }
    }
    let mut traces = std::collections::HashMap::new();
    for event in recording.events() {
        *traces
            .entry(event.trace_id.expect("in a trace"))
            .or_insert(0) += 1;
    }
    assert!(
        traces.values().all(|&events| events == 10),
        "a trace has all of its ten events"
    );
    // Ten standard deviations around a quarter of 2000.
    assert!(
        (307..=693).contains(&traces.len()),
        "{} whole traces of {chains}",
        traces.len()
    );
    let ledger = recording.ledger();
    assert_eq!(ledger.attempted, chains * 10);
    assert!(ledger.balances(), "{ledger:#?}");
}

#[test]
fn the_law_holds_under_eight_threads_with_a_small_ring() {
    let recording = Recording::with(builder().ring_capacity(64));
    let each = 20_000;
    std::thread::scope(|scope| {
        for thread in 0..8 {
            scope.spawn(move || {
                let actor = format!("sender {thread}");
                for id in 0..each {
                    let important = id % 3 == 0;
                    let message = Reading {
                        id,
                        important,
                        ..Reading::default()
                    };
                    let _outcome = send_result(&actor, "b", message, |_| {
                        if id % 7 == 0 { Err(()) } else { Ok(()) }
                    });
                }
            });
        }
    });
    let stored = recording.events().len() as u64;
    let ledger = recording.ledger();
    assert_eq!(ledger.attempted, 8 * each);
    assert_eq!(ledger.in_flight, 0);
    assert_eq!(ledger.collected, stored);
    assert!(ledger.balances(), "{ledger:#?}");
    let counters = global_tracing().expect("recording").edge_counters();
    assert_eq!(counters.edges.len(), 8);
    for edge in counters.edges {
        assert_eq!(
            (edge.messages, edge.bytes, edge.failures),
            (each, 100 * each, each.div_ceil(7))
        );
    }
}

#[test]
fn losses_are_told_among_the_events() {
    let recording = Recording::with(
        builder()
            .ring_capacity(64)
            .overflow(crate::Overflow::DropNewest),
    );
    for id in 0..200_000 {
        send(
            "a",
            "b",
            Reading {
                id,
                important: true,
                ..Reading::default()
            },
            |_| (),
        );
    }
    let ledger = recording.ledger();
    assert!(
        ledger.lost_total() > 0,
        "64 slots cannot hold a burst of 200000"
    );
    let told: u64 = recording
        .memory
        .events()
        .iter()
        .filter_map(TraceEvent::as_loss)
        .map(|loss| loss.count)
        .sum();
    assert_eq!(told, ledger.lost_total());
    assert!(ledger.balances(), "{ledger:#?}");
}

#[test]
fn overwriting_keeps_the_newest() {
    let recording = Recording::with(
        builder()
            .ring_capacity(64)
            .overflow(crate::Overflow::OverwriteOldest),
    );
    for id in 0..100_000 {
        send(
            "a",
            "b",
            Reading {
                id,
                important: true,
                ..Reading::default()
            },
            |_| (),
        );
    }
    let events = recording.events();
    assert_eq!(
        events.last().and_then(TraceEvent::message_id),
        Some(&serde_json::json!(99_999))
    );
    let ledger = recording.ledger();
    assert_eq!(ledger.attempted, 100_000);
    assert!(ledger.balances(), "{ledger:#?}");
}

#[test]
fn waiting_loses_nothing() {
    let bound = Duration::from_secs(60);
    let recording = Recording::with(
        builder()
            .ring_capacity(64)
            .overflow(crate::Overflow::Wait(bound)),
    );
    for id in 0..50_000 {
        send(
            "a",
            "b",
            Reading {
                id,
                important: true,
                ..Reading::default()
            },
            |_| (),
        );
    }
    let ids: Vec<_> = recording
        .events()
        .iter()
        .filter_map(|event| event.message_id()?.as_u64())
        .collect();
    assert!(
        ids.iter().copied().eq(0..50_000),
        "every event once and in order"
    );
}

#[test]
fn names_that_are_shown_go_through_a_buffer() {
    let recording = Recording::start();
    let mut message = 5u32;
    let mut flow = sending_of(&message).begin(
        &mut message,
        ends(
            (&&Text(&1)).name(),
            (&&Text(&2)).name(),
            (&&Text(&uuid::Uuid::nil())).name(),
            (&&Text(&"in")).name(),
        ),
        Depth::UNKNOWN,
        SITE,
    );
    flow.end(Outcome::Delivered);
    let events = recording.events();
    assert_eq!(events[0].actor_id, "1");
    assert_eq!(
        events[0].destination(),
        Some(("00000000-0000-0000-0000-000000000000", "in"))
    );
    assert_eq!(
        events[0]
            .data
            .message
            .as_ref()
            .map(|m| m.message_type.as_str()),
        Some("u32")
    );
}

#[test]
fn a_handling_within_a_send_has_messages_of_its_own() {
    let recording = Recording::start();
    let important = || Reading {
        important: true,
        ..Reading::default()
    };
    // A network that delivers by calling: a sends to b, whose handler answers, whose handler sends again.
    send("a", "b", important(), |message| {
        handle("b", message, |_| {
            send("a", "b", important(), |message| {
                handle("b", message, |_| ());
            });
        });
    });
    let events = recording.events();
    assert_eq!(
        events.iter().filter(|event| event.is_data_flow()).count(),
        2
    );
    assert_eq!(events.len(), 4);
}

#[test]
fn what_only_looks_for_a_lane_is_no_attempt() {
    let recording = Recording::with(builder().config(crate::TracingConfig {
        rings_max: 1,
        ..crate::TracingConfig::default()
    }));
    let important = Reading {
        important: true,
        ..Reading::default()
    };
    send("a", "b", important.clone(), |_| ());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..10 {
                let names = ["a", "out", "b", "in"];
                let [a, b, c, d] = names.each_ref().map(|name| (&&Text(name)).name());
                let flow = begin_receive(ends(a, b, c, d), Depth::UNKNOWN, SITE);
                receive::<Option<Reading>>().end(flow, None);
            }
            send("a", "b", important, |_| ());
        });
    });
    let ledger = recording.ledger();
    assert_eq!((ledger.attempted, ledger.lost_total()), (2, 1), "{ledger}");
    assert!(ledger.balances(), "{ledger:#?}");
}

#[test]
fn a_deferred_send_of_an_ended_recording_leaves_the_next_one_alone() {
    let first = Recording::start();
    let mut message = Reading {
        important: true,
        ..Reading::default()
    };
    let edge_handle = Edge::new("a", "out", "b", "in");
    let mut flow =
        sending_of(&message).begin(&mut message, edge(&edge_handle), Depth::UNKNOWN, SITE);
    let parked = flow.defer();
    assert_eq!(first.ledger().attempted, 0);
    drop(first);
    let second = Recording::start();
    let mut ready = deferred(parked, std::future::ready(()), |(), mut flow| {
        flow.end(Outcome::Delivered);
    });
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(std::pin::pin!(&mut ready).poll(&mut task).is_ready());
    let ledger = second.ledger();
    assert_eq!((ledger.attempted, ledger.in_flight), (0, 0), "{ledger}");
}

#[test]
fn a_flush_may_be_given_all_the_time_there_is() {
    let recording = Recording::start();
    assert_eq!(recording.guard.flush(Duration::MAX), Ok(()));
    assert_eq!(
        recording.guard.flush(Duration::MAX),
        Ok(()),
        "the collector is still there"
    );
}

#[test]
fn what_is_switched_off_is_not_even_counted_until_it_is_switched_on() {
    use crate::sampling::Switch;
    let recording = Recording::start();
    let tracing = global_tracing().expect("recording");
    let important = || Reading {
        important: true,
        ..Reading::default()
    };
    let mut expected = 0;
    for switch in [
        Switch::edge("a", "out", "b", "in"),
        Switch::message_type("Reading"),
        Switch::actor("a"),
        Switch::actor("b"),
    ] {
        send("a", "b", important(), |_| ());
        assert!(tracing.switch_off(switch.clone()));
        assert!(!tracing.switch_off(switch.clone()), "it is off");
        send("a", "b", important(), |_| ());
        let other_edge = !matches!(switch, Switch::MessageType(_));
        if other_edge {
            send("c", "d", important(), |_| ());
        }
        assert!(tracing.switch_on(&switch));
        assert!(!tracing.switch_on(&switch), "it is on");
        send("a", "b", important(), |_| ());
        expected += 2 + u64::from(other_edge);
        assert_eq!(recording.ledger().attempted, expected, "{switch:?}");
    }
    assert_eq!(recording.events().len() as u64, expected);
}

#[test]
fn the_sampler_can_be_changed_while_recording_on_every_thread() {
    use crate::DataFlowSampler;
    let recording = Recording::start();
    let tracing = global_tracing().expect("recording");
    assert!(
        tracing
            .set_sampler(Some(DataFlowSampler {
                sample_rate: 2.0,
                ..DataFlowSampler::default()
            }))
            .is_err()
    );
    // Two threads take turns with this one; each must heed a change that it did not make.
    let turn = std::sync::Barrier::new(3);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..3 {
                    turn.wait();
                    for _ in 0..10 {
                        send("a", "b", plain_important(), |_| ());
                    }
                    turn.wait();
                }
            });
        }
        for (round, sampler) in [
            None,
            Some(DataFlowSampler::default().never("b")),
            Some(DataFlowSampler::default().always("a")),
        ]
        .into_iter()
        .enumerate()
        {
            tracing.set_sampler(sampler.clone()).expect("a probability");
            assert_eq!(tracing.sampler(), sampler);
            turn.wait();
            turn.wait();
            let ledger = recording.ledger();
            let round = round as u64 + 1;
            assert_eq!(ledger.attempted, 20 * round);
            assert_eq!(ledger.not_sampled, if round == 1 { 0 } else { 20 });
        }
    });
}

fn plain_important() -> Reading {
    Reading {
        important: true,
        ..Reading::default()
    }
}

#[test]
fn without_a_recording_nothing_happens() {
    let _alone = ONE_RECORDING.lock().unwrap_or_else(PoisonError::into_inner);
    let sent = send("a", "b", Reading::default(), |message| message);
    assert!(!sent.context.is_linked());
    assert!(global_tracing().is_none());
}

// ---- review ----

fn poll_once<F: std::future::Future>(future: F) -> std::task::Poll<F::Output> {
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    std::pin::pin!(future).poll(&mut task)
}

fn begin_by_hand<T: Message>(message: &mut T, from: &str, to: &str) -> Flow {
    let names = [from, "out", to, "in"];
    let [a, b, c, d] = names.each_ref().map(|name| (&&Text(name)).name());
    sending_of(&*message).begin(message, ends(a, b, c, d), Depth::UNKNOWN, SITE)
}

#[test]
fn a_thread_that_takes_over_a_lane_decides_by_the_policy_in_force() {
    use crate::sampling::Switch;
    let recording = Recording::start();
    let on_a_thread = || std::thread::spawn(|| send("a", "b", plain_important(), |_| ())).join();
    on_a_thread().expect("no panic");
    let tracing = global_tracing().expect("recording");
    assert!(tracing.switch_off(Switch::actor("a")));
    on_a_thread().expect("no panic");
    assert_eq!(recording.ledger().attempted, 1);
}

#[test]
fn a_handler_whose_recording_ends_in_its_poll_leaves_no_cause_behind() {
    let mut first = Some(Recording::start());
    let handler = async {
        let body = instrumented(async {
            let mut message = plain_important();
            if begins_here() {
                let mut flow = Flow::idle();
                (&mut Probed(&mut message)).begin_handling(
                    &mut flow,
                    receiver((&&Text(&"b")).name(), (&&Text(&"in")).name()),
                    SITE,
                );
                flow.stay();
            }
            drop(first.take());
        });
        let ((), mut flow) = body.await;
        flow.end(Outcome::Delivered);
    };
    assert!(poll_once(handler).is_ready());
    let is_left = Context::current().is_linked();
    let base = crate::context::active::base();
    let second = Recording::start();
    send("a", "b", plain_important(), |message| {
        send("a", "b", message, |_| ())
    });
    let ledger = second.ledger();
    assert_eq!((is_left, base, ledger.attempted), (false, 0, 1));
}

#[test]
fn a_send_of_an_ended_recording_writes_nothing_into_the_next_one() {
    let first = Recording::start();
    let (mut a, mut b) = (plain_important(), plain_important());
    let mut outer = begin_by_hand(&mut a, "a", "b");
    let mut inner = begin_by_hand(&mut b, "b", "c");
    drop(first);
    inner.end(Outcome::Failed);
    let second = Recording::with(builder().overflow(crate::Overflow::Wait(Duration::from_secs(1))));
    send("c", "d", plain_important(), |_| ());
    outer.end(Outcome::Delivered);
    let ledger = second.ledger();
    assert_eq!((ledger.attempted, ledger.collected), (1, 1), "{ledger}");
    assert!(ledger.balances(), "{ledger}");
}

#[test]
fn a_deferred_send_of_an_ended_recording_leaves_its_details_to_nobody() {
    let first = Recording::start();
    let mut message = Reading {
        id: 7,
        important: true,
        ..Reading::default()
    };
    let mut flow = begin_by_hand(&mut message, "a", "b");
    let parked = flow.defer();
    drop(first);
    let second = Recording::start();
    let ready = deferred(parked, std::future::ready(()), |(), mut flow| {
        flow.end(Outcome::Delivered);
    });
    assert!(poll_once(ready).is_ready());
    let mut plain = 5u32;
    let handle = Edge::new("c", "out", "d", "in");
    let mut flow = sending_of(&plain).begin(&mut plain, edge(&handle), Depth::UNKNOWN, SITE);
    flow.end(Outcome::Failed);
    let events = second.events();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].message_id(), None);
}

struct Named<D>(D);
impl<D: std::fmt::Display> Message for Named<D> {
    fn kind(&self) -> &'static MessageKind {
        static KIND: MessageKind = MessageKind::new("Named");
        &KIND
    }
    fn id(&self) -> Option<crate::AttributeValue<'_>> {
        Some(crate::AttributeValue::Shown(&self.0))
    }
}

struct Sends;
impl std::fmt::Display for Sends {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        send("log", "file", plain_important(), |_| ());
        f.write_str("id")
    }
}

struct PanicsOnce(std::sync::atomic::AtomicBool);
impl std::fmt::Display for PanicsOnce {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        assert!(
            self.0.load(std::sync::atomic::Ordering::Relaxed),
            "as intended"
        );
        f.write_str("id")
    }
}

#[test]
fn an_id_that_sends_while_it_is_shown_loses_nothing() {
    let recording = Recording::start();
    begin_by_hand(&mut Named(Sends), "a", "b").end(Outcome::Delivered);
    let ledger = recording.ledger();
    assert_eq!(ledger.lost_total(), 0, "{ledger}");
}

#[test]
fn an_id_that_panics_while_it_is_shown_costs_no_lane() {
    let recording = Recording::start();
    let panicked = std::panic::catch_unwind(|| {
        begin_by_hand(&mut Named(PanicsOnce(false.into())), "a", "b").end(Outcome::Delivered);
    });
    assert!(panicked.is_err());
    for _ in 0..3 {
        send("c", "d", plain_important(), |_| ());
    }
    let ledger = recording.ledger();
    assert!(ledger.balances(), "{ledger}");
    assert_eq!(ledger.lost_total(), 0, "{ledger}");
}

#[derive(Default)]
struct Quiet(Context);
impl Message for Quiet {
    fn kind(&self) -> &'static MessageKind {
        static KIND: MessageKind = MessageKind::new("Quiet");
        &KIND
    }
    fn verdict(&self) -> Verdict {
        Verdict::Never
    }
    fn context(&self) -> Option<&Context> {
        Some(&self.0)
    }
    fn context_mut(&mut self) -> Option<&mut Context> {
        Some(&mut self.0)
    }
}

#[test]
fn what_a_deferred_handler_sends_is_in_its_trace_though_it_is_not_recorded() {
    let recording = Recording::start();
    let first = send("a", "b", plain_important(), |message| message);
    let mut quiet = Quiet(first.context);
    let parked = {
        let _frame = crate::context::CauseFrame::enter();
        let mut flow = Flow::idle();
        (&mut Probed(&mut quiet)).begin_handling(
            &mut flow,
            receiver((&&Text(&"b")).name(), (&&Text(&"in")).name()),
            SITE,
        );
        flow.defer()
    };
    let handler = deferred(
        parked,
        async {
            let answer = Reading {
                id: 9,
                ..plain_important()
            };
            send("b", "c", answer, |_| ())
        },
        |(), mut flow| flow.end(Outcome::Delivered),
    );
    assert!(poll_once(handler).is_ready());
    let events = recording.events();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0].trace_id, events[1].trace_id);
}

#[test]
fn a_poll_that_panics_while_the_thread_panics_leaves_nothing_behind() {
    struct PollsOnDrop;
    impl Drop for PollsOnDrop {
        fn drop(&mut self) {
            let panicked = std::panic::catch_unwind(|| {
                let body = instrumented(async {
                    let mut message = plain_important();
                    if begins_here() {
                        let handle = Edge::new("a", "out", "b", "in");
                        let sending = sending_of(&message);
                        let flow = sending.begin(&mut message, edge(&handle), Depth::UNKNOWN, SITE);
                        flow.stay();
                    }
                    panic!("as intended");
                });
                let send = async {
                    let ((), mut flow) = body.await;
                    flow.end(Outcome::Delivered);
                };
                poll_once(send).is_ready()
            });
            assert!(panicked.is_err());
        }
    }
    let recording = Recording::start();
    let panicked = std::panic::catch_unwind(|| {
        let _polls = PollsOnDrop;
        panic!("as intended");
    });
    assert!(panicked.is_err());
    assert_eq!(crate::context::active::depth(), 0);
    send("a", "b", plain_important(), |_| ());
    let ledger = recording.ledger();
    assert_eq!((ledger.attempted, ledger.in_flight), (2, 0), "{ledger}");
}

#[test]
fn ends_out_of_order_leave_nothing_behind() {
    let recording = Recording::start();
    let (mut a, mut b) = (Quiet::default(), Quiet::default());
    let mut first = begin_by_hand(&mut a, "a", "b");
    let mut second = begin_by_hand(&mut b, "b", "c");
    first.end(Outcome::Delivered);
    second.end(Outcome::Delivered);
    send("a", "b", plain_important(), |_| ());
    assert_eq!(recording.ledger().attempted, 3);
    assert_eq!(crate::context::active::depth(), 0);
}

#[test]
fn a_parked_send_that_ends_on_its_thread_takes_one_slot() {
    let recording = Recording::start();
    let mut plain = 5u32;
    let handle = Edge::new("a", "out", "b", "in");
    let mut flow = sending_of(&plain).begin(&mut plain, edge(&handle), Depth::UNKNOWN, SITE);
    let position = || crate::lane::with_held(|held| held.lane.writer.position()).expect("a lane");
    let before = position();
    let mut parked = flow.park();
    parked.end(Outcome::Delivered);
    assert_eq!(position() - before, 1);
    drop(recording);
}

#[test]
fn a_batch_that_begins_a_trace_says_so() {
    let recording = Recording::start();
    let mut messages = vec![plain_important(), plain_important()];
    let mut batch = Batch::idle();
    let handle = Edge::new("a", "out", "b", "in");
    (&mut &mut &mut BatchOf(&mut messages)).begin_batch(
        &mut batch,
        edge(&handle),
        Depth::UNKNOWN,
        SITE,
    );
    batch.end(Outcome::Delivered);
    let events = recording.events();
    assert_eq!(events.len(), 2);
    for event in events {
        assert_eq!(event.causality.root_cause_event_id, Some(event.event_id));
    }
}
