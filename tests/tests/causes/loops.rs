//! A loop that feeds itself.

use reflow_trace::traced_actor;
use reflow_trace_tests::Recording;

use crate::{Job, Queue, attribute, find};

struct Echo {
    wire: Queue,
}

#[traced_actor(actor = ("echo"), port = ("in"))]
impl Echo {
    fn handle(&self, message: Job) {
        self.wire.send(Job::new(1, message.number + 1));
    }
}

#[test]
fn a_loop_is_cut_into_traces_that_are_linked() {
    const ROUNDS: u64 = 600;
    let recording = Recording::start();
    let wire = Queue::between("echo", "echo");
    let echo = Echo { wire: wire.clone() };
    wire.send(Job::new(1, 0));
    for _ in 0..ROUNDS {
        let job = wire.jobs.borrow_mut().pop_front().expect("it was sent");
        echo.handle(job);
    }
    let events = recording.events();
    let cuts: Vec<_> = events
        .iter()
        .filter(|event| event.data.custom_attributes.contains_key("trace_cut"))
        .collect();
    assert_eq!(cuts.len(), 2);
    for cut in &cuts {
        let cause = find(
            &events,
            cut.causality.parent_event_id.expect("it links back"),
        );
        assert_ne!(cause.trace_id, cut.trace_id);
        assert_eq!(cause.causality.hop_count, Some(249));
        assert_eq!(attribute(cause, "number"), attribute(cut, "number"));
        let whole = |id| events.iter().filter(|event| event.trace_id == id).count();
        // 249 hops of two events, and the send or the handling and its send with which it begins.
        assert!(
            (499..=500).contains(&whole(cause.trace_id)),
            "the one is found"
        );
        assert!(whole(cut.trace_id) > 1, "and the other");
    }
    // From the last event a way leads back to the first.
    let mut event = events.last().expect("there are some");
    let mut steps = 0;
    while let Some(cause) = event.causality.parent_event_id {
        event = find(&events, cause);
        steps += 1;
    }
    // The last record is that of a handling; the first event is a send.
    assert_eq!(steps, 2 * ROUNDS - 1);
    assert_eq!(event.causality.root_cause_event_id, Some(event.event_id));
}
