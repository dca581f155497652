//! What is answered of networks whose answers are known.

use std::time::Duration;

use super::*;
use crate::event::Outcome;

fn sequences<'a>(events: impl IntoIterator<Item = &'a TraceEvent>) -> Vec<u64> {
    let origin = |event: &TraceEvent| event.event_id.origin().map_or(0, |it| it.sequence);
    let mut numbers: Vec<u64> = events.into_iter().map(origin).collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn a_lineage_has_every_cause_of_a_fan_in_and_every_effect_of_a_fan_out() {
    let events = diamond();
    let index = FlowIndex::new(&events);
    let lineage = index.lineage(id(11)).expect("is there");
    assert_eq!(sequences(lineage.causes()), (1..=10).collect::<Vec<_>>());
    assert_eq!(sequences(lineage.effects()), [12]);

    let lineage = index.lineage(id(2)).expect("is there");
    assert_eq!(sequences(lineage.causes()), [1]);
    assert_eq!(sequences(lineage.effects()), (3..=12).collect::<Vec<_>>());
    assert!(index.lineage(id(77)).is_none());
}

#[test]
fn the_critical_path_goes_by_the_input_that_came_last_and_is_as_long_as_the_clock_says() {
    let events = diamond();
    let lineage = FlowIndex::new(&events).lineage(id(11)).expect("is there");
    let path = lineage.critical_path();
    let steps = path.parts().iter().map(|part| &lineage.steps()[part.step]);
    let numbers: Vec<u64> = steps
        .filter_map(|step| Some(step.event.event_id.origin()?.sequence))
        .collect();
    assert_eq!(numbers, [1, 2, 4, 6, 8, 10, 11, 12]);
    // From the begin of the first event, 0, to the end of the last, 560 + 7.
    assert_eq!(path.length(), Duration::from_nanos(567));
    assert!(!path.is_lower_bound());
    let longest = path.longest_part().expect("there are parts");
    assert_eq!(lineage.steps()[longest.step].event.actor_id, "slow");
}

#[test]
fn a_message_id_asks_for_all_its_events_and_finds_what_lies_between() {
    let mut events = diamond();
    for event in [0, 11] {
        events[event] = numbered(events[event].clone(), 7);
    }
    let index = FlowIndex::new(&events);
    let lineage = index.lineage(7).expect("is there");
    let between = |step: &&Step<'_>| step.role == Role::Between;
    assert_eq!(lineage.steps().iter().filter(between).count(), 10);
    assert!(index.lineage("7").is_none(), "a text is no number");
}

#[test]
fn a_lineage_goes_on_where_a_trace_was_cut() {
    let mut events = diamond();
    for event in &mut events[8..] {
        event.trace_id = Some(trace(1 << 54));
    }
    let cut = &mut events[9].data.custom_attributes;
    cut.insert("trace_cut".into(), json!(true));
    let lineage = FlowIndex::new(&events).lineage(id(12)).expect("is there");
    assert_eq!(lineage.steps().len(), 12);
    assert_eq!(lineage.traces().len(), 2);
    assert!(lineage.to_string().contains("a long trace was cut here"));
}

#[test]
fn a_hop_has_the_times_of_its_send_its_wait_and_its_handling() {
    let mut events = diamond();
    // Nobody took up the last message, and who sent the first is not known.
    events.pop();
    events.remove(0);
    let lineage = FlowIndex::new(&events).lineage(id(6)).expect("is there");
    let ns = |time: Option<Duration>| time.map(|time| time.as_nanos());
    let hops = lineage.hops();
    let hops = hops
        .iter()
        .map(|hop| [hop.transfer, hop.waiting, hop.handling].map(ns));
    let expected = [
        [None, Some(10), Some(40)],
        [Some(2), Some(10), Some(500)],
        [Some(1), Some(10), Some(20)],
        [Some(1), None, None],
    ];
    assert_eq!(hops.collect::<Vec<_>>(), expected);
}

#[test]
fn a_lineage_reads_as_a_tree() {
    let events = diamond();
    let lineage = FlowIndex::new(&events).lineage(id(11)).expect("is there");
    let text = lineage.to_string();
    let expected = "\
lineage of event 1/11: 12 events
* source.out → fan.in T  transfer 5 ns  #1/1
* fan.in takes up T  waited 10 ns  handled 40 ns  #1/2
  ├ fan.out → fast.in T  transfer 2 ns  #1/3
  │ fast.in takes up T  waited 5 ns  handled 10 ns  #1/5
  │ fast.out → join.in T  transfer 1 ns  #1/7
  │ join.in takes up T  waited 10 ns  handled 5 ns  #1/9
* └ fan.out → slow.in T  transfer 2 ns  #1/4
*   slow.in takes up T  waited 10 ns  handled 500 ns  #1/6
*   slow.out → join.in T  transfer 1 ns  #1/8
*   join.in takes up T  waited 10 ns  handled 20 ns  #1/10
▶   join.out → end.in T  transfer 1 ns  (also from #1/9)  #1/11
*   end.in takes up T  waited 10 ns  handled 7 ns  #1/12
critical path: 567 ns over 8 events, 490 ns of it after slow.in takes up T
";
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn names_cannot_control_the_terminal() {
    let mut events = diamond();
    let evil = "\u{1b}]0;title\u{7}\n\r\u{202e}";
    for event in &mut events {
        event.actor_id = evil.into();
        event.data.port = Some(evil.into());
        let attributes = &mut event.data.custom_attributes;
        attributes.insert("message_id".into(), json!(evil));
        if let Some(message) = &mut event.data.message {
            message.message_type = evil.into();
        }
    }
    let index = FlowIndex::new(&events);
    for text in [
        index.lineage(evil).expect("is there").to_string(),
        index.dependency_map().to_string(),
        index.bottleneck().to_string(),
        index.edge_shares()[0].to_string(),
    ] {
        let harmless = |c: char| (!c.is_control() || c == '\n') && c != '\u{202e}';
        assert!(text.chars().all(harmless), "{text:?}");
    }
}

#[test]
fn causality_is_filled_from_the_events_around() {
    let mut events = diamond();
    // By hand, a root claims itself until somebody changes that, and some forget to.
    events[4].causality.root_cause_event_id = Some(id(5));
    fill_causality(&mut events);
    let chain = &events[10].causality.dependency_chain;
    assert_eq!(*chain, [1, 2, 4, 6, 8, 10].map(id));
    for event in &events {
        assert_eq!(
            event.causality.root_cause_event_id,
            Some(id(1)),
            "{event:?}"
        );
    }
    let before = events.clone();
    fill_causality(&mut events);
    assert_eq!(events, before, "what is filled stays");
}

#[test]
fn a_chain_whose_beginning_is_missing_has_no_known_root() {
    let mut events = diamond().split_off(1);
    fill_causality(&mut events);
    assert_eq!(events[1].causality.dependency_chain, [id(1), id(2)]);
    assert!(
        events
            .iter()
            .all(|it| it.causality.root_cause_event_id.is_none())
    );
}

fn sent(outcome: Option<Outcome>, sequence: u64, message_id: u64) -> TraceEvent {
    let event = TraceEvent::message_sent("a", "out", "T", 8);
    let mut event = numbered(at(event, sequence, sequence as i64, 1), message_id);
    event.outcome = outcome;
    event
}

#[test]
fn what_was_sent_and_did_not_flow_is_missing() {
    let failed = Some(Outcome::Failed);
    let events = vec![
        sent(failed, 1, 10),
        sent(failed, 2, 20),
        numbered(send("a", "b", 3, 3, 1), 20),
        numbered(send("a", "b", 4, 4, 1), 20),
        // The same number of another actor is another message.
        numbered(send("c", "b", 5, 5, 1), 10),
        sent(None, 6, 30),
        // Caused by it, without a common id.
        caused(send("a", "b", 7, 7, 1), &[id(6)]),
        sent(None, 8, 40),
    ];
    let index = FlowIndex::new(&events);
    let missing = index.missing_flows(|sent| sent.actor_id == "a");
    let found: Vec<_> = missing
        .iter()
        .map(|it| (it.sent.event_id, it.reason))
        .collect();
    let not_delivered = MissingReason::NotDelivered(Outcome::Failed);
    assert_eq!(
        found,
        [(id(1), not_delivered), (id(8), MissingReason::NotFound)]
    );
    assert!(index.missing_flows(|sent| sent.actor_id == "z").is_empty());

    assert!(index.find_data_flow_for_message(&events[0]).is_none());
    let several = index.find_data_flows_for_message(&events[1]);
    assert_eq!(sequences(several), [3, 4]);
    let first = index.find_data_flow_for_message(&events[1]);
    assert_eq!(first.map(|it| it.event_id), Some(id(3)));
    let by_cause = index.find_data_flow_for_message(&events[5]);
    assert_eq!(by_cause.map(|it| it.event_id), Some(id(7)));
}

/// What a connector of Reflow 0.2.1 sends: unlinked, with ids of its own making.
fn reflow(kind: &str, from: &str, time_ns: i64) -> TraceEvent {
    let mut event = match kind {
        "sent" => TraceEvent::message_sent(from, "out", "Discriminant(3)", 24),
        to => TraceEvent::data_flow(from, "out", to, "in", "Discriminant(3)", 24),
    };
    event.timestamp = DateTime::from_timestamp_nanos(time_ns);
    event.causality.root_cause_event_id = None;
    event
}

fn missing_of(events: &[TraceEvent]) -> Vec<(EventId, MissingReason)> {
    let missing = FlowIndex::new(events).missing_flows(|_| true);
    missing
        .iter()
        .map(|it| (it.sent.event_id, it.reason))
        .collect()
}

#[test]
fn a_healthy_network_of_reflow_has_no_missing_flow() {
    // Two connectors of one port, interleaved in every way, and some events of the same moment.
    for seed in 0..64i64 {
        let mut events = Vec::new();
        for message in 0..6 {
            let overlaps = seed >> message & 1 == 1;
            let begin = message * 4;
            let (first, second) = if overlaps { (2, 1) } else { (1, 2) };
            events.push(reflow("sent", "a", begin));
            events.push(reflow("b", "a", begin + first));
            events.push(reflow("sent", "a", begin + second));
            events.push(reflow("c", "a", begin + if overlaps { 2 } else { 3 }));
        }
        let turn = seed as usize % events.len();
        events.rotate_left(turn);
        assert_eq!(missing_of(&events), [], "{seed:b}");
        let index = FlowIndex::new(&events);
        let sent = events.iter().filter(|event| !event.is_data_flow());
        for sent in sent {
            assert!(index.find_data_flow_for_message(sent).is_some());
        }
    }
}

#[test]
fn a_flow_that_is_missing_in_reflow_is_missed_where_it_is_missing() {
    let mut events = Vec::new();
    for message in 0..5 {
        events.push(reflow("sent", "a", message * 10));
        events.push(reflow("b", "a", message * 10 + 1));
    }
    for gone in 0..5 {
        let mut events = events.clone();
        events.remove(2 * gone + 1);
        let due = [(events[2 * gone].event_id, MissingReason::NotFound)];
        assert_eq!(missing_of(&events), due, "{gone}");
    }
    // A flow whose message was lost, because the client was not connected yet, is nobody else's.
    events.remove(0);
    let late = reflow("sent", "a", 100);
    events.push(late.clone());
    assert_eq!(
        missing_of(&events),
        [(late.event_id, MissingReason::NotFound)]
    );
    let much_later = reflow("b", "a", 100 + PAIRED_WITHIN_NS);
    events.push(much_later);
    assert_eq!(missing_of(&events), [], "just in time");
    let last = events.len() - 1;
    events[last].timestamp += chrono::TimeDelta::nanoseconds(1);
    assert_eq!(
        missing_of(&events),
        [(late.event_id, MissingReason::NotFound)]
    );
}

#[test]
fn what_is_put_into_a_network_of_reflow_is_not_called_missing() {
    let put_in = reflow("sent", "first", 0);
    let events = [put_in.clone(), reflow("sent", "a", 1), reflow("b", "a", 2)];
    assert_eq!(
        missing_of(&events),
        [(put_in.event_id, MissingReason::NotKnown)]
    );
}

#[test]
fn order_pairs_nothing_that_says_more_of_itself() {
    let mut linked = reflow("b", "a", 2);
    linked.causality.parent_event_id = Some(EventId::new());
    let mut other_type = reflow("b", "a", 3);
    other_type.data.message = None;
    let numbered = numbered(reflow("b", "a", 4), 7);
    let earlier = reflow("b", "a", 0);
    let sent = reflow("sent", "a", 1);
    let events = [sent.clone(), linked, other_type, numbered, earlier];
    assert_eq!(
        missing_of(&events),
        [(sent.event_id, MissingReason::NotFound)]
    );
    let mut failed = reflow("sent", "a", 1);
    failed.outcome = Some(Outcome::Failed);
    let reason = MissingReason::NotDelivered(Outcome::Failed);
    assert_eq!(
        missing_of(&[failed.clone(), reflow("b", "a", 2)]),
        [(failed.event_id, reason)]
    );
}

#[test]
fn beside_losses_a_missing_flow_may_be_lost() {
    let loss = TraceEvent::loss(crate::ledger::Loss {
        reason: crate::ledger::LossReason::RingFull,
        count: 1,
    });
    let events = [sent(None, 1, 1), loss];
    let missing = FlowIndex::new(&events).missing_flows(|_| true);
    assert_eq!(missing[0].reason, MissingReason::NotFoundMayBeLost);
}

#[test]
fn dependencies_go_through_others_and_say_what_was_observed() {
    let mut events = diamond();
    // An edge that no message of the source ever came along.
    events.push(send("end", "archive", 13, 9_000, 1));
    let index = FlowIndex::new(&events);
    let map = index.dependency_map();
    assert_eq!(map.sources().collect::<Vec<_>>(), ["source"]);
    let names = |actor: &str| {
        let all = map.dependencies_of(actor).into_iter();
        let one = |it: Dependency<'_>| (it.on.to_owned(), it.distance, it.is_observed);
        all.map(one).collect::<Vec<_>>()
    };
    let expected = [
        ("fast", 1, true),
        ("slow", 1, true),
        ("fan", 2, true),
        ("source", 3, true),
    ];
    let owned = |it: &[(&str, usize, bool)]| {
        it.iter()
            .map(|&(on, far, seen)| (on.to_owned(), far, seen))
            .collect::<Vec<_>>()
    };
    assert_eq!(names("join"), owned(&expected));
    let of_archive = names("archive");
    assert_eq!(of_archive[0], ("end".to_owned(), 1, true));
    assert!(
        of_archive[1..]
            .iter()
            .all(|(_, _, is_observed)| !is_observed)
    );
    assert_eq!(map.sources_of("archive"), ["source"]);
    assert!(map.dependencies_of("nobody").is_empty());
}

#[test]
fn a_loop_that_nobody_feeds_is_its_own_source() {
    let events = [
        send("a", "b", 1, 1, 1),
        send("b", "a", 2, 2, 1),
        send("b", "c", 3, 3, 1),
    ];
    let map = FlowIndex::new(&events).dependency_map();
    assert_eq!(map.sources().collect::<Vec<_>>(), ["a", "b"]);
    let own: Vec<_> = map
        .dependencies_of("a")
        .iter()
        .map(|it| it.distance)
        .collect();
    assert_eq!(own, [2, 1].iter().rev().copied().collect::<Vec<_>>());
}

/// A pipeline source → a → b → c in which `slow` takes 1 000 ns for each message of its own work. Queues
/// before it are full; who sends to it or to somebody who waits is blocked as long.
fn pipeline(slow: usize) -> Vec<TraceEvent> {
    let actors = ["source", "a", "b", "c"];
    let mut events = Vec::new();
    let mut next = 0;
    for round in 0..20 {
        let begin = round * 1_100;
        let mut cause: Vec<EventId> = Vec::new();
        for receiver in 1..actors.len() {
            next += 1;
            let blocked = if receiver <= slow { 900 } else { 10 };
            let mut flow = send(
                actors[receiver - 1],
                actors[receiver],
                next,
                begin + next as i64,
                blocked,
            );
            flow.data.performance_metrics.queue_depth = Some(if receiver <= slow { 8 } else { 0 });
            events.push(caused(flow, &cause));
            cause = vec![id(next)];
            next += 1;
            let waited = if receiver <= slow { 8_000 } else { 20 };
            let handled = if receiver <= slow { 1_000 } else { 100 };
            let taken = take(actors[receiver], next, begin + next as i64, handled, waited);
            events.push(caused(taken, &cause));
            cause = vec![id(next)];
        }
    }
    events
}

#[test]
fn the_root_of_back_pressure_is_slow_and_all_before_it_only_wait() {
    for (slow, name) in [(1, "a"), (2, "b"), (3, "c")] {
        let events = pipeline(slow);
        let bottleneck = FlowIndex::new(&events).bottleneck();
        let root = bottleneck.root().expect("somebody is slow");
        assert_eq!(root.actor, name, "{bottleneck}");
        for (place, actor) in ["source", "a", "b", "c"].iter().enumerate() {
            let pressure = &bottleneck.actor(actor).expect("is there").pressure;
            match place.cmp(&slow) {
                std::cmp::Ordering::Less => {
                    assert!(
                        matches!(pressure, Pressure::OnlyWaits { .. }),
                        "{bottleneck}"
                    );
                }
                std::cmp::Ordering::Equal => assert_eq!(*pressure, Pressure::Slow),
                std::cmp::Ordering::Greater => assert_eq!(*pressure, Pressure::KeepsUp),
            }
        }
    }
}

#[test]
fn without_evidence_nobody_is_blamed() {
    let mut events = pipeline(2);
    for event in &mut events {
        event.data.performance_metrics.waiting_time_ns = None;
    }
    let bottleneck = FlowIndex::new(&events).bottleneck();
    assert_eq!(bottleneck.root(), None);
    assert!(
        bottleneck
            .actors()
            .iter()
            .all(|it| it.pressure == Pressure::Unknown)
    );
    let nothing = FlowIndex::new(&[]).bottleneck();
    assert_eq!(nothing.to_string(), "no actor is known to be slow\n");
}

#[test]
fn the_shares_of_time_add_up_to_one() {
    let events = pipeline(2);
    let shares = FlowIndex::new(&events).edge_shares();
    assert_eq!(shares.len(), 3);
    assert_eq!(shares[2].ends[0], "b", "the one that keeps up");
    let sum: f64 = shares.iter().map(|it| it.share).sum();
    assert!((sum - 1.0).abs() < 1e-9);
    // Of 20 messages each: 8 000 + 1 000 twice and 20 + 100.
    assert!(
        (shares[2].share - 120.0 / 18_120.0).abs() < 1e-9,
        "{shares:?}"
    );
}
