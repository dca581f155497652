//! One message from many.

use reflow_trace::{CAUSES_MAX, Causes, Context, global_tracing, sample, traced_connector};
use reflow_trace_tests::Recording;

use crate::{Chance, Job, Queue, attribute, flow, flows};

#[test]
fn a_join_names_every_cause() {
    let recording = Recording::start();
    let inbox = Queue::between("source", "joiner");
    for number in 0..3 {
        inbox.send(Job::new(1, number));
    }
    let parts: Vec<Job> = std::iter::from_fn(|| inbox.try_recv()).collect();
    let causes = Causes::of(parts.iter().map(|part| &part.context));
    causes.clone().scope_sync(|| {
        // What the message itself says is less than what is said here.
        let context = parts[2].context;
        let whole = Job {
            context,
            ..Job::new(1, 9)
        };
        Queue::between("joiner", "sink").send(whole);
    });
    futures::executor::block_on(causes.scope(async {
        Queue::between("later", "sink").send(Job::new(1, 9));
    }));
    Queue::between("after", "sink").send(Job::new(1, 9));
    let events = recording.events();
    let sent: Vec<_> = flows(&events, "source")
        .iter()
        .map(|flow| flow.event_id)
        .collect();
    for actor in ["joiner", "later"] {
        let whole = flow(&events, actor);
        assert_eq!(whole.causality.parent_event_id, Some(sent[0]));
        assert_eq!(whole.causality.joined_event_ids, sent[1..]);
        assert_eq!(whole.trace_id, flows(&events, "source")[0].trace_id);
        assert_eq!(attribute(whole, "causes_not_named"), None);
    }
    assert_eq!(flow(&events, "after").causality.parent_event_id, None);
    assert_eq!(flow(&events, "after").causality.joined_event_ids, []);
}

#[test]
fn a_receive_in_a_task_takes_the_place_of_all_causes_before() {
    let recording = Recording::start();
    let inbox = Queue::between("source", "joiner");
    (0..3).for_each(|number| inbox.send(Job::new(1, number)));
    let (first, second) = (inbox.try_recv(), inbox.try_recv());
    let [first, second] = [first, second].map(|job| job.expect("it was sent").context);
    Causes::of([&first, &second]).scope_sync(|| {
        let inner = Causes::current();
        assert_eq!(inner.first().event_id(), first.event_id());
        inbox.try_recv();
        Queue::between("joiner", "sink").send(Job::new(1, 9));
        inner.scope_sync(|| Queue::between("again", "sink").send(Job::new(1, 9)));
    });
    let events = recording.events();
    assert_eq!(flow(&events, "joiner").causality.joined_event_ids, []);
    let again = &flow(&events, "again").causality;
    assert_eq!(again.parent_event_id, first.event_id());
    assert_eq!(
        again.joined_event_ids,
        [second.event_id().expect("recorded")]
    );
}

#[test]
fn causes_beyond_the_bound_are_counted_in_the_event_and_in_the_metrics() {
    let recording = Recording::start();
    let inbox = Queue::between("source", "joiner");
    let causes = (0..CAUSES_MAX as u64 + 5).fold(Causes::default(), |causes, number| {
        inbox.send(Job::new(1, number));
        causes.and(&inbox.try_recv().expect("it was sent").context)
    });
    causes.scope_sync(|| Queue::between("joiner", "sink").send(Job::new(1, 9)));
    let events = recording.events();
    let whole = flow(&events, "joiner");
    assert_eq!(whole.causality.joined_event_ids.len(), CAUSES_MAX - 1);
    assert_eq!(attribute(whole, "causes_not_named"), Some(5));
    let metrics = global_tracing().expect("recording").performance_metrics();
    assert_eq!(metrics.propagation_faults.unnamed_causes, 5);
    assert!(metrics.to_string().contains("causes beyond the bound: 5"));
}

#[test]
fn an_event_recorded_by_hand_names_every_cause_too() {
    let recording = Recording::start();
    let inbox = Queue::between("source", "joiner");
    (0..2).for_each(|number| inbox.send(Job::new(1, number)));
    let parts: Vec<Job> = std::iter::from_fn(|| inbox.try_recv()).collect();
    let tracing = global_tracing().expect("recording");
    Causes::of(parts.iter().map(|part| &part.context)).scope_sync(|| {
        let recorded = tracing.trace_data_flow("hand", "out", "sink", "in", "Whole", 1);
        futures::executor::block_on(recorded).expect("never fails");
    });
    let events = recording.events();
    let by_hand = &flow(&events, "hand").causality;
    assert_eq!(by_hand.parent_event_id, parts[0].context.event_id());
    assert_eq!(
        by_hand.joined_event_ids,
        [parts[1].context.event_id().expect("recorded")]
    );
}

#[sample(rate = 0.1)]
#[derive(Clone, Default)]
struct Part {
    #[trace(context)]
    context: Context,
}

struct Wire {
    from_actor: &'static str,
    to_actor: &'static str,
}

#[traced_connector(from_port = ("out"), to_port = ("in"))]
impl Wire {
    fn send(&self, message: Part) -> Part {
        message
    }
}

#[test]
fn the_weight_behind_a_join_is_right_or_unknown() {
    const JOINS: usize = 20_000;
    let seed = 7;
    let mut chance = Chance::new(seed);
    let recording = Recording::start();
    let parts = Wire {
        from_actor: "source",
        to_actor: "joiner",
    };
    let whole = Wire {
        from_actor: "joiner",
        to_actor: "sink",
    };
    for _ in 0..JOINS {
        let parents: Vec<Part> = (0..=chance.below(5))
            .map(|_| parts.send(Part::default()))
            .collect();
        let causes = Causes::of(parents.iter().map(|parent| &parent.context));
        causes.scope_sync(|| whole.send(Part::default()));
    }
    let events = recording.events();
    let wholes = flows(&events, "joiner");
    let estimate: f64 = wholes
        .iter()
        .map(|whole| whole.weight().expect("known"))
        .sum();
    // The standard error of a count of n at a rate p is √(n (1 − p) / p): 424 here. Five of them.
    assert!(
        (estimate - JOINS as f64).abs() < 5.0 * 424.3,
        "seed {seed}: {estimate}"
    );
    // Whoever is recorded names those of its causes that were, and counts the others.
    for whole in wholes {
        let unnamed = attribute(whole, "causes_not_named").unwrap_or(0);
        assert!(
            whole.causality.parent_event_id.is_some(),
            "the first decides for both"
        );
        assert!(whole.causality.joined_event_ids.len() as u64 + unnamed <= 4);
    }
}
