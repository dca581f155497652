//! Random events against evaluations that are written as the definition reads, without any index.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use proptest::prelude::*;

use super::*;

/// Any event: its kind, its times, and causes among all ids that occur and some that do not.
fn event(sequence: u64, count: u64, acyclic: bool) -> impl Strategy<Value = TraceEvent> {
    let causes = proptest::collection::vec(1..=count + 2, 0..4);
    let times = (
        0..1_000i64,
        0..200u64,
        proptest::option::of(0..200u64),
        any::<bool>(),
    );
    (causes, times).prop_map(move |(causes, (start, duration, waited, is_send))| {
        let event = if is_send {
            send("a", "b", sequence, start, duration)
        } else {
            let mut event = take("b", sequence, start, duration, 0);
            event.data.performance_metrics.waiting_time_ns = waited;
            event
        };
        let is_fine = |&cause: &u64| !acyclic || cause < sequence || cause > count;
        let causes: Vec<EventId> = causes.into_iter().filter(is_fine).map(id).collect();
        caused(event, &causes)
    })
}

fn events(acyclic: bool) -> impl Strategy<Value = Vec<TraceEvent>> {
    (1..9u64).prop_flat_map(move |count| {
        let all: Vec<_> = (1..=count)
            .map(|n| event(n, count, acyclic).boxed())
            .collect();
        all.prop_shuffle()
    })
}

fn named(event: &TraceEvent) -> Vec<EventId> {
    let causality = &event.causality;
    let parent = causality.parent_event_id.into_iter();
    parent
        .chain(causality.joined_event_ids.iter().copied())
        .collect()
}

struct Naive<'a>(HashMap<EventId, &'a TraceEvent>);

impl<'a> Naive<'a> {
    fn causes(&self, id: EventId) -> Vec<EventId> {
        let named = named(self.0[&id]);
        named
            .into_iter()
            .filter(|cause| self.0.contains_key(cause))
            .collect()
    }

    fn before(&self, id: EventId) -> BTreeSet<EventId> {
        let mut all = BTreeSet::new();
        for cause in self.causes(id) {
            all.insert(cause);
            all.extend(self.before(cause));
        }
        all
    }

    /// Every chain that ends in this event, in both its wholeness and its beginnings.
    fn chains_to(&self, id: EventId) -> Vec<Vec<EventId>> {
        let mut chains = Vec::new();
        for cause in self.causes(id) {
            chains.extend(self.chains_to(cause));
        }
        if chains.is_empty() {
            chains.push(Vec::new());
        }
        for chain in &mut chains {
            chain.push(id);
        }
        chains
    }

    /// The formula of the module's page, written again.
    fn length(&self, chain: &[EventId]) -> u64 {
        let event = |id: &EventId| self.0[id];
        let time = |event: &TraceEvent| {
            event
                .data
                .performance_metrics
                .execution_time_ns
                .unwrap_or(0)
        };
        let steps = chain.windows(2).map(|pair| {
            let (cause, effect) = (event(&pair[0]), event(&pair[1]));
            let is_taken = |event: &TraceEvent| event.event_type.name() == "MessageReceived";
            if let Some(waited) = effect.data.performance_metrics.waiting_time_ns {
                return waited;
            }
            let between = (effect.timestamp - cause.timestamp)
                .num_nanoseconds()
                .unwrap_or(0)
                .max(0) as u64;
            if is_taken(cause) && !is_taken(effect) {
                between.min(time(cause))
            } else {
                between
            }
        });
        steps.sum::<u64>() + chain.last().map_or(0, |last| time(event(last)))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 400 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lineage_and_critical_path_are_those_of_the_definition(events in events(true)) {
        let naive = Naive(events.iter().map(|event| (event.event_id, event)).collect());
        let index = FlowIndex::new(&events);
        prop_assert_eq!(index.disbelieved_causes(), 0);
        for subject in &events {
            let subject = subject.event_id;
            let lineage = index.lineage(subject).expect("is there");
            let before = naive.before(subject);
            let after: BTreeSet<EventId> = events
                .iter()
                .map(|event| event.event_id)
                .filter(|&other| naive.before(other).contains(&subject))
                .collect();
            let of = |role| -> BTreeSet<EventId> {
                let steps = lineage.steps().iter().filter(|step| step.role == role);
                steps.map(|step| step.event.event_id).collect()
            };
            prop_assert_eq!(of(Role::Cause), before);
            prop_assert_eq!(of(Role::Effect), after.clone());
            let missing: BTreeSet<EventId> = lineage.missing_causes().collect();
            let named_and_missing: BTreeSet<EventId> = lineage
                .steps()
                .iter()
                .flat_map(|step| named(step.event))
                .filter(|id| !naive.0.contains_key(id))
                .collect();
            prop_assert_eq!(missing, named_and_missing);

            let ends = after.into_iter().chain([subject]);
            let chains = ends.flat_map(|end| naive.chains_to(end));
            let through = chains.filter(|chain| chain.contains(&subject));
            let longest = through.map(|chain| naive.length(&chain)).max();
            let path = lineage.critical_path();
            prop_assert_eq!(Some(path.length()), longest.map(Duration::from_nanos));
            let ids: Vec<EventId> = path.parts().iter().map(|part| lineage.steps()[part.step].event.event_id).collect();
            prop_assert!(ids.contains(&subject));
            prop_assert_eq!(Duration::from_nanos(naive.length(&ids)), path.length(), "the path is as long as it says");
        }
    }

    #[test]
    fn filled_chains_are_ways_of_causes(mut events in events(true)) {
        let before = events.clone();
        fill_causality(&mut events);
        let naive = Naive(before.iter().map(|event| (event.event_id, event)).collect());
        for event in &events {
            let chain = &event.causality.dependency_chain;
            prop_assert_eq!(chain.last().copied(), event.causality.parent_event_id);
            for pair in chain.windows(2) {
let named = named(naive.0[&pair[1]]).first().copied();
                prop_assert_eq!(Some(pair[0]), named);
            }
        }
    }

    #[test]
    fn whatever_the_causes_every_answer_ends(events in events(false)) {
        let index = FlowIndex::new(&events);
        for event in &events {
            let lineage = index.lineage(event).expect("is there");
            for (at, step) in lineage.steps().iter().enumerate() {
                prop_assert!(step.causes.iter().all(|&cause| cause < at));
            }
            prop_assert!(lineage.to_string().lines().count() >= lineage.steps().len());
        }
        fill_causality(&mut events.clone());
        index.dependency_map();
        index.completeness_of_all();
    }
}
