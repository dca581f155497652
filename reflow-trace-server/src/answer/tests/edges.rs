//! What the edges say is what the counters and the events say.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use fastrand::Rng;
use reflow_trace::api::{
    DependenciesAnswer, EdgeSums, EdgesAnswer, GraphFormat, GraphQuestion, SpanQuestion,
};
use reflow_trace::event::{EventOrigin, ProducerId};
use reflow_trace::graph::Count;
use reflow_trace::lineage::FlowIndex;
use reflow_trace::sampling::{SamplingInfo, Threshold};
use reflow_trace::{DataFlowGraph, EventId, NAME_BYTES_MAX, Outcome, TraceEvent, TraceEventType};

use super::network::{BEGIN_NS, Chances, Network};
use super::*;
use crate::answer::dependencies::dependencies;
use crate::answer::edges::edges;
use crate::answer::graph::graph;
use crate::store::TimeRange;
use crate::store::conformance::batch_of;
use crate::store::memory::MemoryStore;
use crate::store::rollup::{
    CELLS_MAX, EdgeName, Happening, NAMES_MAX, Observation, Rollup, Summary,
};

fn ask(view: &dyn Snapshot, question: &SpanQuestion) -> EdgesAnswer {
    edges(view, question, &asking()).expect("there is an answer")
}

fn between(start_ns: i64, end_ns: i64) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let time = DateTime::from_timestamp_nanos;
    Some((time(start_ns), time(end_ns)))
}

/// A network that is stored, part in segments and part in the log.
fn stored(seed: u64) -> (tempfile::TempDir, EmbeddedStore, Network) {
    let directory = directory();
    let store = small(directory.path(), 3 * (seed as usize % 2));
    let mut network = Network::new(seed);
    fill(&store, &mut network);
    (directory, store, network)
}

fn fill(store: &dyn Store, network: &mut Network) {
    let mut numbers = vec![0; network.producers()];
    for round in 0..3 {
        network.run(30);
        for batch in network.batches(&mut numbers) {
            block_on(store.commit(vec![batch])).expect("there is room");
        }
        if round < 2 {
            block_on(store.maintain(0)).expect("there is room");
        }
    }
}

#[test]
fn over_all_of_time_edges_and_graph_say_what_the_graph_of_all_events_says() {
    for seed in 0..20 {
        let (_directory, store, network) = stored(seed);
        let view = view(&store);
        let told: Vec<TraceEvent> = network.told().cloned().collect();
        let due = DataFlowGraph::from_events(&told);
        let asking = asking();
        let answer = edges(&*view, &SpanQuestion::default(), &asking).expect("there is an answer");
        let mut found: BTreeMap<_, _> = BTreeMap::new();
        for edge in answer.edges.iter().filter(|edge| edge.messages.value() > 0) {
            let ends = [
                &edge.from_actor,
                &edge.from_port,
                &edge.to_actor,
                &edge.to_port,
            ];
            let key = (ends.map(String::clone), edge.message_type.clone());
            found.insert(key, (edge.messages, edge.failures));
        }
        let mut wanted: BTreeMap<_, _> = BTreeMap::new();
        for edge in due.edges() {
            let ends = [
                &edge.from_actor,
                &edge.from_port,
                &edge.to_actor,
                &edge.to_port,
            ];
            for flow in &edge.messages {
                let key = (ends.map(String::clone), flow.message_type.clone());
                wanted.insert(key, (flow.count, flow.failures));
            }
        }
        assert_eq!(found, wanted, "seed {seed}, {:?}", network.chances);
        let lost: u64 = answer.losses.iter().map(|loss| loss.count).sum();
        assert_eq!(
            lost,
            due.losses().iter().map(|loss| loss.count).sum::<u64>()
        );
        assert!(answer.work.cells > 0);
        assert_eq!(answer.work.events_decoded, 0, "no event is read");
        assert_eq!(answer.time_range, None);

        // Sums of events, counted apart.
        let mut events: BTreeMap<(String, String, String), (u64, u64)> = BTreeMap::new();
        for event in told
            .iter()
            .filter(|event| event.is_data_flow() || event.outcome == Some(Outcome::Failed))
        {
            let (to, _) = event.destination().expect("it names one");
            let message = event.data.message.as_ref().expect("it has one");
            let key = (
                event.actor_id.clone(),
                to.to_owned(),
                message.message_type.clone(),
            );
            let sums = events.entry(key).or_default();
            *sums = (sums.0 + 1, sums.1 + message.size_bytes as u64);
        }
        for edge in &answer.edges {
            let key = (
                edge.from_actor.clone(),
                edge.to_actor.clone(),
                edge.message_type.clone(),
            );
            let due = events.get(&key).copied().unwrap_or_default();
            assert_eq!((edge.events, edge.bytes), due, "seed {seed}: {key:?}");
        }
    }
}

#[test]
fn dependencies_are_those_of_the_events() {
    for seed in 0..20 {
        let (_directory, store, network) = stored(seed);
        let view = view(&store);
        let told: Vec<TraceEvent> = network.told().cloned().collect();
        let due = FlowIndex::new(&told).dependency_map();
        let answer: DependenciesAnswer =
            dependencies(&*view, &SpanQuestion::default(), &asking()).expect("there is an answer");
        assert_eq!(
            answer.sources,
            due.sources().collect::<Vec<_>>(),
            "seed {seed}"
        );
        assert_eq!(answer.actors.len(), due.graph().nodes().len());
        for actor in &answer.actors {
            let all = due.dependencies_of(&actor.actor);
            let of = |is_direct: bool| {
                let some = all.iter().filter(|it| (it.distance == 1) == is_direct);
                some.map(|it| it.on.to_owned()).collect::<Vec<_>>()
            };
            assert_eq!(actor.directly, of(true), "seed {seed}");
            assert_eq!(actor.through_others, of(false), "seed {seed}");
            assert_eq!(actor.sources, due.sources_of(&actor.actor), "seed {seed}");
            let one = SpanQuestion {
                actor: Some(actor.actor.clone()),
                ..SpanQuestion::default()
            };
            let one = dependencies(&*view, &one, &asking()).expect("there is an answer");
            assert_eq!(one.actors, std::slice::from_ref(actor), "asked for alone");
        }
    }
}

#[test]
fn a_stretch_of_time_is_counted_by_its_minutes_and_exact_only_where_that_is_proven() {
    const MINUTE_NS: i64 = 60_000_000_000;
    let flow = |sequence: u64, minute: i64, threshold: Threshold| {
        let mut event = TraceEvent::data_flow("a", "out", "b", "in", "T", 10);
        event.event_id = EventId::from_origin(EventOrigin {
            producer: ProducerId::from_bits(5),
            ring: 1,
            sequence,
        });
        event.timestamp = DateTime::from_timestamp_nanos(BEGIN_NS + minute * MINUTE_NS);
        event.outcome = Some(Outcome::Delivered);
        event.sampling = SamplingInfo::by(threshold);
        event.data.performance_metrics.execution_time_ns = Some(1_000 * sequence);
        event
    };
    let counted_of = |messages: u64, not_sampled: u64| {
        TraceEvent::edge_counters(&reflow_trace::ledger::CounterSnapshot {
            producer: ProducerId::from_bits(5),
            edges: vec![reflow_trace::ledger::EdgeCounters {
                from_actor: "a".into(),
                from_port: "out".into(),
                to_actor: "b".into(),
                to_port: "in".into(),
                message_type: "T".into(),
                messages,
                not_sampled,
                ..Default::default()
            }],
        })
    };
    let counted = |messages| counted_of(messages, 0);
    let of = |events: &[TraceEvent], range| -> Option<EdgeSums> {
        let store = MemoryStore::new();
        let batch = batch_of(events, ProducerId::from_bits(5), 5, 1);
        block_on(store.commit(vec![batch])).expect("there is room");
        let question = SpanQuestion {
            time_range: range,
            actor: None,
        };
        ask(&*view(&store), &question).edges.pop()
    };
    let always = Threshold::ALWAYS;
    let half = Threshold::from_bits(1 << 55);
    // The second and the third minute; the stretch begins and ends within them.
    let range = between(BEGIN_NS + MINUTE_NS + 5, BEGIN_NS + 2 * MINUTE_NS + 7);
    let events = |threshold| {
        [
            flow(1, 0, threshold),
            flow(2, 1, threshold),
            flow(3, 2, threshold),
            flow(4, 3, threshold),
        ]
    };
    let with = |threshold, notice: Option<u64>| {
        let mut events = events(threshold).to_vec();
        events.extend(notice.map(counted));
        events
    };
    let messages = |events: &[TraceEvent]| of(events, range).map(|edge| edge.messages);
    assert_eq!(
        messages(&with(always, Some(4))),
        Some(Count::Exact(2)),
        "all are stored"
    );
    assert_eq!(
        messages(&with(always, Some(5))),
        Some(Count::AtLeast(2)),
        "one is missing, maybe here"
    );
    assert_eq!(
        messages(&with(always, None)),
        Some(Count::AtLeast(2)),
        "nobody has counted"
    );
    assert_eq!(
        messages(&with(half, Some(9))),
        Some(Count::Estimated(4)),
        "each stands for two"
    );
    assert_eq!(
        messages(&with(half, Some(4))),
        Some(Count::Exact(2)),
        "each was recorded after all"
    );
    // The last counters are from before the last events: two of four were recorded then, and four of eight since.
    let mut older = with(half, None);
    older.push(counted_of(4, 2));
    assert_eq!(messages(&older), Some(Count::Estimated(4)));
    assert_eq!(
        of(&older, None).map(|edge| edge.messages),
        Some(Count::AtLeast(4)),
        "no more than two of the four that are counted can be here"
    );

    let mut unweighted = with(always, Some(9));
    unweighted[1].sampling = SamplingInfo::default();
    assert_eq!(messages(&unweighted), Some(Count::AtLeast(2)));

    let edge = of(&with(always, Some(4)), range).expect("there is one");
    assert_eq!((edge.events, edge.bytes), (2, 20));
    let times = edge.execution.expect("they say");
    assert_eq!(
        (times.count, times.mean_ns, times.max_ns),
        (2, 2_500.0, 3_000)
    );
    assert!(
        times.p50_ns.abs_diff(2_000) <= 125 && times.p99_ns.abs_diff(3_000) <= 188,
        "{times:?}"
    );
    assert_eq!(edge.waiting, None);
    assert_eq!(
        of(&with(always, Some(4)), between(0, 1)),
        None,
        "nothing happened then"
    );

    let question = SpanQuestion {
        time_range: range,
        actor: None,
    };
    let answered = ask(&*view(&MemoryStore::new()), &question).time_range;
    let (first, last) = answered.expect("whole minutes");
    assert_eq!(first.timestamp() % 60, 0);
    assert_eq!(
        last + TimeDelta::nanoseconds(1) - first,
        TimeDelta::nanoseconds(2 * MINUTE_NS)
    );
}

#[test]
fn what_is_added_up_under_another_name_stays_in_its_minute_and_proves_nothing() {
    const MINUTE_NS: i64 = 60_000_000_000;
    let mut rollup = Rollup::default();
    let edge = |rollup: &mut Rollup, name: &str| {
        rollup.edge(&EdgeName {
            from_actor: name.to_owned(),
            ..EdgeName::default()
        })
    };
    let place = edge(&mut rollup, "a");
    let message_type = rollup.message_type("T");
    let see = |rollup: &mut Rollup, edge, minute: i64| {
        let seen = Observation {
            time_ns: minute * MINUTE_NS,
            happening: Happening::Sent,
            weight: Some(1.0),
            bytes: 0,
            failed: false,
            execution_ns: None,
            waiting_ns: None,
        };
        rollup.observe(None, edge, message_type, &seen);
    };
    let minutes = CELLS_MAX as i64;
    for minute in 0..minutes + 5 {
        see(&mut rollup, place, minute);
    }
    assert!(rollup.is_cut());
    let last = TimeRange {
        start_ns: minutes * MINUTE_NS,
        end_ns: (minutes + 5) * MINUTE_NS,
    };
    let events: u64 = rollup.cells_in(last).map(|(_, cell)| cell.events).sum();
    assert_eq!(events, 5);
    assert_eq!(rollup.events(), minutes as u64 + 5);

    let mut named = Rollup::default();
    for number in 0..NAMES_MAX + 9 {
        let place = edge(&mut named, &format!("a{number}"));
        named.message_type(&format!("t{number}"));
        see(&mut named, place, 0);
    }
    assert_eq!(named.edges().len(), NAMES_MAX + 1);
    assert_eq!(named.types().len(), NAMES_MAX + 1);
    assert_eq!(named.events(), NAMES_MAX as u64 + 9);
    let summary = Summary {
        rollup: named,
        ..Summary::default()
    };
    let form = summary.encode().expect("it has room");
    let again = Summary::decode_rollup(&form).expect("it was written by us");
    assert!(again.is_cut());
    assert_eq!(again.events(), NAMES_MAX as u64 + 9);
}

#[test]
fn where_there_are_too_many_edges_to_tell_apart_no_count_is_called_exact() {
    let directory = directory();
    let settings = Settings {
        seal_after: std::time::Duration::ZERO,
        ..Settings::new(directory.path())
    };
    let store = EmbeddedStore::open(settings).expect("it opens");
    let each = NAMES_MAX / 2 + 50;
    for part in 0..2 {
        let events: Vec<_> = (0..each)
            .map(|number| {
                let actor = format!("handler-{part}-{number}");
                let mut event = TraceEvent::data_flow(actor, "out", "b", "in", "T", 1);
                event.timestamp = DateTime::from_timestamp_nanos(BEGIN_NS + number as i64);
                event.outcome = Some(Outcome::Delivered);
                event.sampling = SamplingInfo::by(Threshold::ALWAYS);
                event
            })
            .collect();
        let batch = batch_of(&events, ProducerId::from_bits(5), 5, part + 1);
        block_on(store.commit(vec![batch])).expect("there is room");
    }
    block_on(store.seal_all(0)).expect("there is room");
    let limits = QueryLimits {
        answer_bytes_max: 1 << 30,
        ..QueryLimits::default()
    };
    let question = SpanQuestion::default();
    let answer = edges(&*view(&store), &question, &asking_within(limits));
    let answer = answer.expect("there is an answer");
    assert_eq!(answer.edges.len(), NAMES_MAX + 1);
    let is_exact = |edge: &EdgeSums| matches!(edge.messages, Count::Exact(_));
    assert!(!answer.edges.iter().any(is_exact));
    let all: u64 = answer.edges.iter().map(|edge| edge.messages.value()).sum();
    assert_eq!(all, 2 * each as u64);
}

#[test]
fn names_of_what_was_built_by_hand_are_kept_as_all_names_are() {
    let mut event = TraceEvent::network_event("x".repeat(1 << 20));
    event.event_type = TraceEventType::MessageReceived;
    let attributes = &mut event.data.custom_attributes;
    attributes.insert("source_actor".into(), "y".repeat(1 << 20).into());
    let store = MemoryStore::new();
    let batch = batch_of(&[event], ProducerId::from_bits(5), 5, 1);
    block_on(store.commit(vec![batch])).expect("there is room");
    let view = view(&store);
    let rollup = view.rollup(TimeRange::ALL).expect("it can be read");
    for edge in rollup.edges() {
        assert!(edge.from_actor.len() <= NAME_BYTES_MAX && edge.to_actor.len() <= NAME_BYTES_MAX);
    }
    assert_eq!(rollup.edges().len(), 1);
}

#[test]
fn an_actor_chooses_the_edges_at_it() {
    let store = MemoryStore::new();
    let mut network = Network::with(Rng::with_seed(1), Chances::WHOLE, 1);
    fill(&store, &mut network);
    let view = view(&store);
    let everything = ask(&*view, &SpanQuestion::default());
    let question = SpanQuestion {
        actor: Some("actor-1".to_owned()),
        time_range: None,
    };
    let some = ask(&*view, &question);
    let is_at = |edge: &&EdgeSums| edge.from_actor == "actor-1" || edge.to_actor == "actor-1";
    let due: Vec<EdgeSums> = everything.edges.iter().filter(is_at).cloned().collect();
    assert!(!due.is_empty() && due.len() < everything.edges.len());
    assert_eq!(some.edges, due);
    let picture = GraphQuestion {
        actor: Some("actor-1".to_owned()),
        format: GraphFormat::Json,
        ..GraphQuestion::default()
    };
    let picture = graph(&*view, &picture, &asking()).expect("there is one");
    let json: serde_json::Value = serde_json::from_str(&picture.text).expect("it is JSON");
    let edges = json["edges"].as_array().expect("a list");
    assert!(!edges.is_empty());
    assert!(
        edges
            .iter()
            .all(|edge| edge["from_actor"] == "actor-1" || edge["to_actor"] == "actor-1")
    );
}
