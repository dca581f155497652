//! What a handler hands on to tasks, threads and timers.

use std::time::Duration;

use reflow_trace::{CarryCause, Context, carry_cause, traced_actor};
use reflow_trace_tests::Recording;

use crate::{Job, Queue, attribute, find, flow, flows};

struct Spawner {
    name: &'static str,
}

#[traced_actor(actor = "self.name", port = ("in"))]
impl Spawner {
    /// Starts work that goes on when this is over.
    fn handle<R>(&self, message: Job, start: impl FnOnce() -> R) -> R {
        let _about = message.number;
        start()
    }
}

fn received(events: &[reflow_trace::TraceEvent]) -> reflow_trace::EventId {
    let event = events.iter().find(|event| event.actor_id == "spawner");
    event.expect("it was handled").event_id
}

const SPAWNER: Spawner = Spawner { name: "spawner" };

#[tokio::test]
async fn what_a_spawned_task_sends_is_caused_by_the_handler_that_spawned_it() {
    let recording = Recording::start();
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let task = SPAWNER.handle(Job::new(1, 1), || {
                let work = async {
                    tokio::task::yield_now().await;
                    Queue::between("task", "sink")
                        .send_async(Job::new(1, 1))
                        .await;
                };
                tokio::task::spawn_local(work.in_current_cause())
            });
            let unaware = SPAWNER.handle(Job::new(2, 2), || {
                tokio::task::spawn_local(async {
                    Queue::between("unaware", "sink").send(Job::new(2, 2));
                })
            });
            task.await.expect("it does not panic");
            unaware.await.expect("it does not panic");
        })
        .await;
    let events = recording.events();
    let flow_of = |actor| flow(&events, actor).causality.parent_event_id;
    assert_eq!(flow_of("task"), Some(received(&events)));
    assert_eq!(
        flow_of("unaware"),
        None,
        "without the adapter nothing is guessed"
    );
}

#[test]
fn what_a_spawned_thread_sends_is_caused_by_the_handler_that_spawned_it() {
    let recording = Recording::start();
    let thread = SPAWNER.handle(Job::new(1, 1), || {
        std::thread::spawn(carry_cause(|| {
            Queue::between("thread", "sink").send(Job::new(1, 1));
        }))
    });
    thread.join().expect("it does not panic");
    let events = recording.events();
    let parent = flow(&events, "thread").causality.parent_event_id;
    assert_eq!(parent, Some(received(&events)));
}

#[tokio::test]
async fn a_task_knows_what_it_received_through_select_and_timeouts() {
    let recording = Recording::start();
    let (left, right) = (
        Queue::between("left", "task"),
        Queue::between("right", "task"),
    );
    left.send(Job::new(1, 1));
    right.send(Job::new(2, 2));
    let out = Queue::between("task", "sink");
    let never = Queue::between("nobody", "task");
    let task = async {
        let job = tokio::select! {
            biased;
            job = std::future::pending::<Option<Job>>() => job,
            job = left.recv_async() => job,
        };
        let job = job.expect("it was sent");
        out.send(Job::new(job.owner, job.number));
        let minute = Duration::from_secs(60);
        let job = tokio::time::timeout(minute, right.recv_async()).await;
        let job = job.expect("it is there").expect("it was sent");
        // Receives nothing, so that nothing changes.
        assert!(never.recv_async().await.is_none());
        let nothing = tokio::time::timeout(Duration::ZERO, std::future::pending::<()>()).await;
        assert!(nothing.is_err());
        out.send(Job::new(job.owner, job.number));
    };
    Context::NONE.scope(task).await;
    let events = recording.events();
    let flows = flows(&events, "task");
    let causes: Vec<_> = flows
        .iter()
        .map(|flow| {
            let cause = find(&events, flow.causality.parent_event_id.expect("it has one"));
            (cause.event_type.name(), attribute(cause, "owner"))
        })
        .collect();
    assert_eq!(
        causes,
        [("MessageReceived", Some(1)), ("MessageReceived", Some(2))]
    );
}

#[test]
fn a_receive_outside_a_task_causes_nothing_and_inside_a_call_only_there() {
    let recording = Recording::start();
    let inbox = Queue::between("source", "worker");
    let out = Queue::between("worker", "sink");
    for number in 0..3 {
        inbox.send(Job::new(1, number));
    }
    assert_eq!(inbox.try_recv().map(|job| job.number), Some(0));
    out.send(Job::new(1, 0));
    Context::NONE.scope_sync(|| {
        assert_eq!(inbox.try_recv().map(|job| job.number), Some(1));
        out.send(Job::new(1, 1));
        // A handler is no task: who waits for an answer goes on handling.
        SPAWNER.handle(Job::new(9, 9), || {
            assert_eq!(inbox.try_recv().map(|job| job.number), Some(2));
            Queue::between("spawner", "sink").send(Job::new(9, 9));
        });
        out.send(Job::new(1, 1));
    });
    out.send(Job::new(1, 3));
    let events = recording.events();
    let causes: Vec<_> = flows(&events, "worker")
        .iter()
        .map(|flow| flow.causality.parent_event_id.map(|id| find(&events, id)))
        .map(|cause| cause.and_then(|cause| attribute(cause, "number")))
        .collect();
    assert_eq!(causes, [None, Some(1), Some(1), None]);
    let handled = flow(&events, "spawner").causality.parent_event_id;
    let handled = find(&events, handled.expect("it has one"));
    assert_eq!(
        (handled.actor_id.as_str(), attribute(handled, "owner")),
        ("spawner", Some(9))
    );
}

#[test]
fn a_panic_in_a_scope_leaves_nothing_behind() {
    let recording = Recording::start();
    let cause = SPAWNER.handle(Job::new(1, 1), Context::current);
    let panicked = std::panic::catch_unwind(|| cause.scope_sync(|| panic!("as the test wants it")));
    assert!(panicked.is_err());
    assert!(!Context::current().is_linked());
    // What a future sends while it is dropped has its cause too.
    struct Farewell;
    impl Drop for Farewell {
        fn drop(&mut self) {
            Queue::between("farewell", "sink").send(Job::new(1, 1));
        }
    }
    let farewell = Farewell;
    drop(cause.scope(async move {
        let _kept = farewell;
    }));
    let events = recording.events();
    let parent = flow(&events, "farewell").causality.parent_event_id;
    assert_eq!(parent, Some(received(&events)));
}
