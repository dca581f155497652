//! What nobody records and anybody may write into a file.

use super::*;

/// Asks everything that can be asked.
fn ask_everything(events: &[TraceEvent]) {
    let index = FlowIndex::new(events);
    let few = if events.len() > 1_000 { 2 } else { 50 };
    for event in index.events().take(few) {
        let lineage = index.lineage(event).expect("it is among the events");
        for (at, step) in lineage.steps().iter().enumerate() {
            assert!(step.causes.iter().all(|&cause| cause < at));
        }
        let text = lineage.to_string();
        assert!(text.lines().count() <= 210);
        index.find_data_flows_for_message(event);
        index.dependency_chain(event.event_id, usize::MAX);
        index.root_cause(event.event_id);
    }
    index.completeness_of_all();
    index.missing_flows(|_| true);
    let map = index.dependency_map();
    assert!(map.to_string().lines().count() >= map.graph().nodes().len());
    index.edge_shares();
    let _text = index.bottleneck().to_string();
    index.estimate(|_| Some(1.0));
    index.edge_estimates();
    fill_causality(&mut events.to_vec());
}

#[test]
fn who_causes_himself_is_not_believed() {
    let events = [caused(send("a", "b", 1, 1, 1), &[id(1), id(1)])];
    ask_everything(&events);
    let index = FlowIndex::new(&events);
    assert_eq!(index.disbelieved_causes(), 2);
    assert_eq!(index.lineage(id(1)).map(|it| it.steps().len()), Some(1));
}

#[test]
fn a_circle_of_causes_is_opened_at_one_place() {
    let events: Vec<_> = (1..=5)
        .map(|n| caused(send("a", "b", n, n as i64, 1), &[id(n % 5 + 1)]))
        .collect();
    ask_everything(&events);
    let index = FlowIndex::new(&events);
    assert_eq!(index.disbelieved_causes(), 1);
    assert_eq!(index.lineage(id(3)).map(|it| it.steps().len()), Some(5));
}

#[test]
fn a_missing_cause_is_named() {
    let events = [caused(send("a", "b", 2, 2, 1), &[id(1), id(9)])];
    ask_everything(&events);
    let lineage = FlowIndex::new(&events).lineage(id(2)).expect("is there");
    assert_eq!(lineage.missing_causes().collect::<Vec<_>>(), [id(1), id(9)]);
    assert!(
        lineage.to_string().contains("(missing: #1/1, #1/9)"),
        "{lineage}"
    );
}

#[test]
fn an_event_that_comes_twice_is_one() {
    let events: Vec<_> = diamond().into_iter().chain(diamond()).collect();
    ask_everything(&events);
    let index = FlowIndex::new(&events);
    assert_eq!((index.len(), index.repetitions()), (12, 12));
}

#[test]
fn the_same_numbers_of_two_producers_are_not_mixed() {
    let mut events = diamond();
    for mut event in diamond() {
        let elsewhere = |id: EventId| {
            let mut origin = id.origin().expect("an id of ours");
            origin.producer = ProducerId::from_bits(2);
            EventId::from_origin(origin)
        };
        event.event_id = elsewhere(event.event_id);
        let causality = &mut event.causality;
        causality.parent_event_id = causality.parent_event_id.map(elsewhere);
        for joined in &mut causality.joined_event_ids {
            *joined = elsewhere(*joined);
        }
        events.push(event);
    }
    ask_everything(&events);
    let lineage = FlowIndex::new(&events).lineage(id(11)).expect("is there");
    assert_eq!(lineage.steps().len(), 12);
}

/// A loop of messages: send, take up, send, …, each the cause of the next.
fn chain(length: u64) -> Vec<TraceEvent> {
    (1..=length)
        .map(|n| {
            let event = if n % 2 == 1 {
                send("a", "a", n, n as i64 * 10, 1)
            } else {
                take("a", n, n as i64 * 10, 5, 10)
            };
            if n == 1 {
                event
            } else {
                caused(event, &[id(n - 1)])
            }
        })
        .collect()
}

#[test]
fn a_chain_of_100_000_hops_is_answered_on_a_small_stack() {
    let on_a_small_stack = || {
        let mut events = chain(200_000);
        // The worst order for a walk that follows causes.
        events.reverse();
        ask_everything(&events);
        let index = FlowIndex::new(&events);
        let lineage = index.lineage(id(100_000)).expect("is there");
        assert_eq!(lineage.steps().len(), 200_000);
        assert_eq!(lineage.critical_path().parts().len(), 200_000);
        assert_eq!(index.root_cause(id(200_000)), Some(id(1)));
        drop(index);
        fill_causality(&mut events);
        let chain = &events[0].causality.dependency_chain;
        assert_eq!(chain.len(), CHAIN_MAX);
        assert_eq!(chain.last(), Some(&id(199_999)));
    };
    std::thread::Builder::new()
        .stack_size(256 * 1024)
        .spawn(on_a_small_stack)
        .expect("a thread can be started")
        .join()
        .expect("the answers fit on the stack");
}

#[test]
fn a_fan_of_100_000_is_answered() {
    let mut events = vec![take("fan", 1, 0, 100, 1)];
    events.extend((2..=100_000).map(|n| caused(send("fan", "b", n, n as i64, 1), &[id(1)])));
    let all: Vec<EventId> = (2..=100_000).map(id).collect();
    events.push(caused(send("b", "c", 100_001, 200_000, 1), &all));
    ask_everything(&events);
}

#[test]
fn odd_times_and_sizes_are_answered() {
    let mut events = diamond();
    for (n, event) in events.iter_mut().enumerate() {
        event.timestamp = [
            DateTime::<chrono::Utc>::MIN_UTC,
            DateTime::<chrono::Utc>::MAX_UTC,
        ][n % 2];
        let metrics = &mut event.data.performance_metrics;
        metrics.execution_time_ns = Some(u64::MAX);
        metrics.waiting_time_ns = (n % 3 == 0).then_some(u64::MAX);
        metrics.queue_depth = Some(usize::MAX);
        event.sampling = SamplingInfo::by(Threshold::from_bits(u64::MAX));
    }
    ask_everything(&events);
}
