//! Many tasks on one thread, polled in any order.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Task, Waker};

use reflow_trace::{Context, traced_actor};
use reflow_trace_tests::Recording;

use crate::{Chance, Job, Queue, attribute, find, flows, yield_now};

const TASKS: u64 = 6;
const JOBS: u64 = 5;
const SEEDS: u64 = 40;

/// Polls one of the futures after the other, as chance has it, until all are done.
fn run(seed: u64, mut tasks: Vec<Pin<Box<dyn Future<Output = ()> + '_>>>) {
    let mut chance = Chance::new(seed);
    let mut task = Task::from_waker(Waker::noop());
    while !tasks.is_empty() {
        let index = chance.below(tasks.len());
        if tasks[index].as_mut().poll(&mut task).is_ready() {
            drop(tasks.swap_remove(index));
        }
    }
}

struct Worker {
    name: String,
    replies: Queue,
    out: Queue,
}

#[traced_actor(actor = "self.name", port = ("in"))]
impl Worker {
    async fn handle(&self, message: Job) {
        yield_now().await;
        let again = Job::new(message.owner, message.number);
        self.out.send_async(again.clone()).await;
        // Asks somebody else meanwhile; the answer is not what is being handled.
        self.replies.recv_async().await;
        self.out.send(again.clone());
        yield_now().await;
        self.out.send_async(again).await;
    }

    /// A life without handlers: what it receives is what it works on.
    async fn run(self, inbox: Queue) {
        while let Some(job) = inbox.recv_async().await {
            self.out.send_async(Job::new(job.owner, job.number)).await;
            yield_now().await;
            self.out.send(Job::new(job.owner, job.number));
        }
    }
}

/// Every flow out of a worker is caused by the event about the same job.
fn no_cause_is_mixed(seed: u64, recording: &Recording, flows_per_job: u64) {
    let events = recording.events();
    for owner in 0..TASKS {
        let flows = flows(&events, &format!("worker {owner}"));
        assert_eq!(flows.len() as u64, JOBS * flows_per_job, "seed {seed}");
        for flow in flows {
            let parent = flow.causality.parent_event_id;
            let parent = find(
                &events,
                parent.unwrap_or_else(|| panic!("seed {seed}: {flow:#?}")),
            );
            assert_eq!(parent.event_type.name(), "MessageReceived", "seed {seed}");
            assert_eq!(parent.trace_id, flow.trace_id, "seed {seed}");
            for name in ["owner", "number"] {
                let (cause, effect) = (attribute(parent, name), attribute(flow, name));
                assert_eq!(cause, effect, "seed {seed}: {name}");
            }
        }
    }
}

/// The inbox of each worker, filled; the queue for its results; one for replies, never empty.
fn queues(owner: u64) -> (Queue, Queue, Queue) {
    let name = format!("worker {owner}");
    let inbox = Queue::between("source", &name);
    let replies = Queue::between("oracle", &name);
    for number in 0..JOBS {
        inbox.send(Job::new(owner, number));
        replies.send(Job::new(owner + 100, number));
    }
    (inbox, Queue::between(&name, "sink"), replies)
}

fn worker(owner: u64) -> (Worker, Queue) {
    let (inbox, out, replies) = queues(owner);
    let name = format!("worker {owner}");
    (Worker { name, replies, out }, inbox)
}

#[test]
fn handlers_that_interleave_at_every_await_never_mix_their_causes() {
    for seed in 0..SEEDS {
        let recording = Recording::start();
        let tasks = (0..TASKS).map(|owner| {
            let (worker, inbox) = worker(owner);
            Box::pin(async move {
                while let Some(job) = inbox.recv_async().await {
                    worker.handle(job).await;
                }
            }) as Pin<Box<dyn Future<Output = ()>>>
        });
        run(seed, tasks.collect());
        assert!(
            !Context::current().is_linked(),
            "nothing is left on the thread"
        );
        no_cause_is_mixed(seed, &recording, 3);
    }
}

#[test]
fn tasks_that_interleave_are_caused_by_their_own_last_receive() {
    for seed in 0..SEEDS {
        let recording = Recording::start();
        let tasks = (0..TASKS).map(|owner| {
            let (worker, inbox) = worker(owner);
            let task = async move {
                while let Some(job) = inbox.recv_async().await {
                    worker.out.send_async(Job::new(job.owner, job.number)).await;
                    yield_now().await;
                    worker.out.send(Job::new(job.owner, job.number));
                }
            };
            Box::pin(Context::NONE.scope(task)) as Pin<Box<dyn Future<Output = ()>>>
        });
        run(seed, tasks.collect());
        assert!(
            !Context::current().is_linked(),
            "nothing is left on the thread"
        );
        no_cause_is_mixed(seed, &recording, 2);
    }
}

#[test]
fn the_life_of_an_actor_is_a_task() {
    for seed in 0..SEEDS {
        let recording = Recording::start();
        let tasks = (0..TASKS).map(|owner| {
            let (worker, inbox) = worker(owner);
            Box::pin(worker.run(inbox)) as Pin<Box<dyn Future<Output = ()>>>
        });
        run(seed, tasks.collect());
        assert!(
            !Context::current().is_linked(),
            "nothing is left on the thread"
        );
        no_cause_is_mixed(seed, &recording, 2);
    }
}
