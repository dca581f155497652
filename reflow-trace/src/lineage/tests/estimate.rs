//! The error of estimates, by its definition and by trying.

use super::*;
use crate::sampling::Randomness;

/// Always the same numbers for a seed; splitmix64.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Traces of one to six messages over two types of different rates, sampled as recording does.
fn sampled(seed: u64, traces: u64) -> (Vec<TraceEvent>, f64, f64) {
    let mut state = seed;
    let thresholds = [0.1, 0.4].map(Threshold::from_rate);
    let (mut events, mut messages, mut bytes) = (Vec::new(), 0.0, 0.0);
    for _ in 0..traces {
        let bits = random(&mut state) & ((1 << 56) - 1);
        for hop in 0..random(&mut state) % 6 + 1 {
            let threshold = thresholds[hop as usize % 2];
            let size = random(&mut state) % 1000;
            messages += 1.0;
            bytes += size as f64;
            if threshold.keeps(Randomness::from_bits(bits)) {
                let mut event = send("a", "b", events.len() as u64 + 1, 0, 1);
                event.trace_id = Some(trace(bits));
                event.sampling = SamplingInfo::by(threshold);
                event.data.message.as_mut().expect("a message").size_bytes = size as usize;
                events.push(event);
            }
        }
    }
    (events, messages, bytes)
}

fn bytes(event: &TraceEvent) -> Option<f64> {
    Some(event.data.message.as_ref()?.size_bytes as f64)
}

#[test]
fn the_standard_error_is_that_of_the_double_sum() {
    for seed in 0..20 {
        let (events, ..) = sampled(seed, 40);
        let estimate = FlowIndex::new(&events).estimate(bytes);
        let mut variance = 0.0;
        for one in &events {
            for other in events.iter().filter(|other| other.trace_id == one.trace_id) {
                let p = [one, other].map(|event| 1.0 / event.weight().expect("sampled"));
                let both = p[0].min(p[1]);
                let y = [one, other].map(|event| bytes(event).expect("a message"));
                variance += y[0] * y[1] * (both - p[0] * p[1]) / (p[0] * p[1]) / both;
            }
        }
        let error = estimate.standard_error.expect("every weight is known");
        assert!(
            (error - variance.sqrt()).abs() <= 1e-6 * error,
            "seed {seed}"
        );
    }
}

#[test]
fn the_truth_lies_within_two_standard_errors_as_often_as_promised() {
    const RUNS: u64 = 400;
    let (mut of_messages, mut of_bytes, mut as_if_independent) = (0, 0, 0);
    for seed in 0..RUNS {
        let (events, messages, size) = sampled(seed * 1_000_003 + 17, 800);
        let index = FlowIndex::new(&events);
        let within = |estimate: Estimate, truth: f64| {
            let (value, error) = (estimate.value, estimate.standard_error);
            let (value, error) = value.zip(error).expect("every weight is known");
            u64::from((value - truth).abs() <= 2.0 * error)
        };
        of_messages += within(index.estimate(|_| Some(1.0)), messages);
        of_bytes += within(index.estimate(bytes), size);
        let mut apart = events.clone();
        apart.iter_mut().for_each(|event| event.trace_id = None);
        as_if_independent += within(FlowIndex::new(&apart).estimate(|_| Some(1.0)), messages);
    }
    // 95.4 % of 400 are 382, with a standard deviation of 4.2; five of them, and a little for the skew.
    for (what, count) in [("messages", of_messages), ("bytes", of_bytes)] {
        assert!(
            (355..=400).contains(&count),
            "{what}: {count} of {RUNS} runs"
        );
    }
    assert!(
        as_if_independent < 355,
        "the test cannot tell: {as_if_independent}"
    );
}

#[test]
fn what_does_not_say_what_it_stands_for_leaves_the_estimate_undefined() {
    let (mut events, ..) = sampled(3, 100);
    events[0].sampling = SamplingInfo::default();
    let index = FlowIndex::new(&events);
    let estimate = index.estimate(|_| Some(1.0));
    assert_eq!((estimate.value, estimate.standard_error), (None, None));
    assert_eq!(estimate.events, events.len() as u64);
    assert_eq!(FlowIndex::new(&[]).estimate(|_| Some(1.0)).value, Some(0.0));
}

#[test]
fn estimates_stand_beside_the_exact_counters() {
    let (mut events, messages, size) = sampled(5, 2_000);
    let edges = vec![crate::ledger::EdgeCounters {
        from_actor: "a".into(),
        from_port: "out".into(),
        to_actor: "b".into(),
        to_port: "in".into(),
        message_type: "T".into(),
        messages: messages as u64,
        bytes: size as u64,
        ..Default::default()
    }];
    let snapshot = crate::ledger::CounterSnapshot { producer: P, edges };
    // A repeated snapshot changes nothing.
    events.push(TraceEvent::edge_counters(&snapshot));
    events.push(TraceEvent::edge_counters(&snapshot));
    let estimates = FlowIndex::new(&events).edge_estimates();
    let [edge] = &estimates[..] else {
        panic!("one edge: {estimates:?}");
    };
    assert_eq!(edge.counted_messages, Some(messages as u64));
    assert_eq!(edge.counted_bytes, Some(size as u64));
    let (value, error) = (edge.messages.value, edge.messages.standard_error);
    let (value, error) = value.zip(error).expect("every weight is known");
    assert!((value - messages).abs() < 5.0 * error, "{edge:?}");
}
