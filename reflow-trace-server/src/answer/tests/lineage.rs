//! Lineage over a store is lineage over all of its events.

use std::collections::{BTreeMap, HashMap};

use fastrand::Rng;
use reflow_trace::api::{ErrorCode, LineageAnswer, LineageQuestion, LineageSubject};
use reflow_trace::event::ProducerId;
use reflow_trace::lineage::{Completeness, FlowIndex, Subject};
use reflow_trace::{EventId, TraceEvent, TraceId};

use super::network::{Chances, Network};
use super::*;
use crate::answer::lineage::lineage;
use crate::store::conformance::batch_of;
use crate::store::memory::MemoryStore;

fn ask(view: &dyn Snapshot, of: LineageSubject) -> LineageAnswer {
    let question = LineageQuestion { of, limit: None };
    lineage(view, &question, &asking()).expect("it is there")
}

/// The network in a store, part in segments and part in the log, and everything that was told.
fn stored(store: &dyn Store, network: &mut Network, rounds: usize, traces: usize) {
    let mut numbers = vec![0; network.producers()];
    for round in 0..rounds {
        network.run(traces);
        for batch in network.batches(&mut numbers) {
            block_on(store.commit(vec![batch])).expect("there is room");
        }
        if round + 1 < rounds {
            block_on(store.maintain(0)).expect("there is room");
        }
    }
}

/// All events as they are stored, and the notices, which are not stored as such.
fn everything(view: &dyn Snapshot, network: &Network) -> Vec<TraceEvent> {
    let mut events = all(view);
    let is_notice = |event: &&TraceEvent| event.actor_id == reflow_trace::ledger::TRACING_ACTOR;
    events.extend(network.told().filter(is_notice).cloned());
    events
}

/// What two answers must agree in, whatever the order of what has no order.
fn essence(answer: &LineageAnswer) -> impl PartialEq + std::fmt::Debug + use<> {
    let events: BTreeMap<EventId, TraceEvent> = answer
        .events
        .iter()
        .map(|event| (event.event_id, event.clone()))
        .collect();
    let mut steps = answer.steps.clone();
    steps.sort_by_key(|step| step.event_id);
    for step in &mut steps {
        // Of two chains that took equally long either may be shown.
        (step.is_critical, step.elapsed_ns) = (false, None);
    }
    let mut traces = answer.traces.clone();
    traces.sort_by_key(|state| state.trace_id);
    (
        events,
        steps,
        traces,
        (answer.critical_path_ns, answer.critical_path_is_lower_bound),
        answer.is_cut,
    )
}

fn assert_same(
    view: &dyn Snapshot,
    index: &FlowIndex<'_>,
    of: LineageSubject,
    context: &str,
) -> LineageAnswer {
    let due = index
        .lineage(Subject::from(&of))
        .expect("it is among the events");
    let due = due.to_answer(of.clone(), usize::MAX);
    let found = ask(view, of.clone());
    let places: HashMap<EventId, usize> = found
        .events
        .iter()
        .enumerate()
        .map(|(at, event)| (event.event_id, at))
        .collect();
    for (at, step) in found.steps.iter().enumerate() {
        let is_before = |cause: &EventId| places[cause] < at;
        assert!(
            step.causes.iter().all(is_before),
            "{context}: {of:?}: causes come first"
        );
    }
    let (found_essence, due_essence) = (essence(&found), essence(&due));
    assert!(
        found_essence == due_essence,
        "{context}: {of:?}\nfound {found}\nfound {found_essence:#?}\ndue {due}\ndue {due_essence:#?}"
    );
    found
}

#[test]
fn lineage_over_a_store_is_lineage_over_all_of_its_events() {
    let mut verdicts: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 0..12 {
        let directory = directory();
        let store = small(directory.path(), 3 * (seed as usize % 2));
        let mut network = Network::new(seed);
        stored(&store, &mut network, 4, 25);
        let view = view(&store);
        let stats = store.stats();
        assert!(
            stats.segments > 0 && stats.tail_events > 0,
            "seed {seed}: {stats:?}"
        );
        let events = everything(&*view, &network);
        let index = FlowIndex::new(&events);
        let context = format!("seed {seed}, {:?}", network.chances);
        let mut random = Rng::with_seed(seed);
        for _ in 0..4 {
            let event = &events[random.usize(..view.len() as usize)];
            assert_same(
                &*view,
                &index,
                LineageSubject::EventId(event.event_id),
                &context,
            );
            if let Some(id) = event.message_id() {
                assert_same(
                    &*view,
                    &index,
                    LineageSubject::MessageId(id.clone()),
                    &context,
                );
            }
            if let Some(trace) = event.trace_id {
                let of = LineageSubject::TraceId(trace);
                let answer = assert_same(&*view, &index, of, &context);
                for state in answer.traces {
                    *verdicts
                        .entry(format!("{:?}", state.completeness))
                        .or_default() += 1;
                }
            }
        }
    }
    println!("{verdicts:#?}");
    for verdict in [
        "Complete",
        "Partial(Cause)",
        "Unknown(HopWithoutContext)",
        "Unknown(NotTakenUp)",
        "Unknown(Sampling)",
        "Unknown(LossOverlaps)",
        "Unknown(SeveralProducers)",
    ] {
        assert!(
            verdicts.contains_key(verdict),
            "{verdict} is never met, so nothing is shown of it"
        );
    }
}

#[test]
fn what_was_retired_adds_doubt_and_is_never_called_complete() {
    let directory = directory();
    let settings = Settings {
        seal_events: 150,
        merge_fan: 0,
        retain_bytes: Some(90_000),
        ..Settings::new(directory.path())
    };
    let store = EmbeddedStore::open(settings).expect("the directory can be used");
    let mut network = Network::with(Rng::with_seed(3), Chances::WHOLE, 1);
    let mut numbers = [0];
    let mut traces = Vec::new();
    for _ in 0..8 {
        network.run(60);
        for batch in network.batches(&mut numbers) {
            block_on(store.commit(vec![batch])).expect("there is room");
        }
        block_on(store.maintain(0)).expect("there is room");
        traces.extend(network.told().filter_map(|event| event.trace_id));
    }
    let view = view(&store);
    assert!(store.stats().retired_events > 0, "{:?}", store.stats());
    let events = everything(&*view, &network);
    let index = FlowIndex::new(&events);
    let told: Vec<TraceEvent> = network.told().cloned().collect();
    let whole = FlowIndex::new(&told);
    traces.sort_unstable();
    traces.dedup();
    let (mut complete, mut doubted) = (0, 0);
    for &trace in &traces {
        if index.trace(trace).is_empty() {
            let question = LineageQuestion {
                of: LineageSubject::TraceId(trace),
                limit: None,
            };
            let error = lineage(&*view, &question, &asking()).expect_err("it is retired");
            assert_eq!(error.code, ErrorCode::NotFound);
            continue;
        }
        let answer = assert_same(&*view, &index, LineageSubject::TraceId(trace), "retired");
        let all_there = index.trace(trace).len() == whole.trace(trace).len();
        for state in answer.traces.iter().filter(|state| state.trace_id == trace) {
            match state.completeness {
                Completeness::Complete => {
                    assert!(all_there, "{trace} was called complete");
                    complete += 1;
                }
                _ => doubted += 1,
            }
        }
    }
    println!("{complete} complete, {doubted} doubted of {}", traces.len());
    assert!(
        complete > 20,
        "{complete}: what is younger than what was retired is complete"
    );
    assert!(doubted > 0);
}

#[test]
fn captured_content_is_held_within_a_bound_and_not_at_all_for_who_may_not_see_it() {
    let trace_id = TraceId::new();
    let events: Vec<_> = (0..50)
        .map(|number| {
            let mut event = TraceEvent::data_flow("a", "out", "b", "in", "T", 1 << 16);
            event.timestamp = chrono::DateTime::from_timestamp_nanos(number);
            event.trace_id = Some(trace_id);
            let message = event.data.message.as_mut().expect("it has one");
            message.serialized_data = vec![7; 1 << 16];
            event
        })
        .collect();
    let memory = MemoryStore::new();
    let directory = directory();
    let embedded = small(directory.path(), 0);
    for (number, some) in (1..).zip(events.chunks(10)) {
        let batch = batch_of(some, ProducerId::from_bits(5), 1, number);
        block_on(memory.commit(vec![batch.clone()])).expect("there is room");
        block_on(embedded.commit(vec![batch])).expect("there is room");
        if number == 3 {
            block_on(embedded.seal_all(0)).expect("there is room");
        }
    }
    let limits = QueryLimits {
        answer_bytes_max: 1 << 20,
        ..QueryLimits::default()
    };
    let question = LineageQuestion {
        of: LineageSubject::TraceId(trace_id),
        limit: None,
    };
    for view in [view(&memory), view(&embedded)] {
        let asked = |content| {
            let asking = Asking::new(limits.clone(), Rights { content }, Arc::default());
            lineage(&*view, &question, &asking)
        };
        let error = asked(true).expect_err("it is too much");
        assert_eq!(error.code, ErrorCode::TooLarge);
        assert!(error.message.contains("captured content"), "{error}");
        assert_eq!(asked(false).expect("there is room").events.len(), 50);
    }
}

#[test]
fn an_answer_has_no_more_events_than_are_allowed_and_says_so() {
    let store = MemoryStore::new();
    let mut network = Network::with(Rng::with_seed(5), Chances::WHOLE, 1);
    stored(&store, &mut network, 1, 60);
    let view = view(&store);
    let events = everything(&*view, &network);
    let index = FlowIndex::new(&events);
    let traces = || index.traces();
    let longest = traces()
        .max_by_key(|&trace| index.trace(trace).len())
        .expect("there is one");
    let of = LineageSubject::TraceId(longest);
    let length = index.trace(longest).len();
    assert!(length > 12, "{length}");

    let question = |limit| LineageQuestion {
        of: of.clone(),
        limit,
    };
    let answer = lineage(&*view, &question(Some(3)), &asking()).expect("it is there");
    assert_eq!(
        (answer.events.len(), answer.steps.len(), answer.is_cut),
        (3, 3, true)
    );
    assert_eq!(
        answer.traces[0].completeness,
        Completeness::Complete,
        "all of it was looked at"
    );

    // The server allows fewer than are on the way.
    let limits = |events_max| QueryLimits {
        events_max,
        ..QueryLimits::default()
    };
    let head = index.trace(longest)[0].event_id;
    let of_head = LineageQuestion {
        of: LineageSubject::EventId(head),
        limit: Some(1_000),
    };
    let answer = lineage(&*view, &of_head, &asking_within(limits(2))).expect("it is there");
    assert_eq!((answer.events.len(), answer.is_cut), (1, true));
    let doubt = reflow_trace::lineage::Doubt::NotLookedAt;
    assert_eq!(answer.traces[0].completeness, Completeness::Unknown(doubt));
    let error = lineage(&*view, &question(None), &asking_within(limits(2)));
    let error = error.expect_err("the trace has more");
    assert_eq!(error.code, ErrorCode::TooLarge);
    assert!(error.message.contains("`query.events_max`"), "{error}");

    let error = lineage(&*view, &question(Some(0)), &asking()).expect_err("none is asked for");
    assert_eq!(error.code, ErrorCode::InvalidQuestion);
}

#[test]
fn a_cause_that_is_named_by_the_end_of_a_chain_alone_is_followed_both_ways() {
    let cause = TraceEvent::data_flow("a", "out", "b", "in", "T", 1);
    let mut effect = TraceEvent::data_flow("b", "out", "c", "in", "T", 1);
    effect.causality.dependency_chain = vec![EventId::new(), cause.event_id];
    effect.causality.root_cause_event_id = None;
    let events = [cause.clone(), effect.clone()];
    let directory = directory();
    let store = small(directory.path(), 0);
    let producer = reflow_trace::event::ProducerId::from_bits(3);
    let batch = crate::store::conformance::batch_of(&events, producer, 1, 1);
    block_on(store.commit(vec![batch])).expect("there is room");
    for _ in ["in the log", "in a segment"] {
        let view = view(&store);
        assert_eq!(all(&*view), events, "it comes back as it was");
        let down = ask(&*view, LineageSubject::EventId(cause.event_id));
        assert_eq!(down.events, events);
        let up = ask(&*view, LineageSubject::EventId(effect.event_id));
        assert_eq!(up.steps[1].causes, [cause.event_id]);
        block_on(store.seal_all(0)).expect("there is room");
    }
}
