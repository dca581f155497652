//! Causes: along tasks, threads and joins, and from elsewhere.

#![deny(warnings)]
#![forbid(unsafe_code)]

mod elsewhere;
mod interleaved;
mod joins;
mod loops;
mod tasks;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use reflow_trace::{Context, EventId, TraceEvent, sample, traced_connector};

/// A message that says whose it is.
#[sample(always)]
#[derive(Clone, Debug, Default)]
pub(crate) struct Job {
    #[trace(attribute)]
    pub(crate) owner: u64,
    #[trace(attribute)]
    pub(crate) number: u64,
    #[trace(context)]
    pub(crate) context: Context,
}

impl Job {
    pub(crate) fn new(owner: u64, number: u64) -> Self {
        Self {
            owner,
            number,
            ..Self::default()
        }
    }
}

/// A queue within one thread, between two actors.
#[derive(Clone)]
pub(crate) struct Queue {
    from_actor: String,
    from_port: &'static str,
    to_actor: String,
    to_port: &'static str,
    jobs: Rc<RefCell<VecDeque<Job>>>,
}

impl Queue {
    pub(crate) fn between(from: &str, to: &str) -> Self {
        Self {
            from_actor: from.to_owned(),
            from_port: "out",
            to_actor: to.to_owned(),
            to_port: "in",
            jobs: Rc::default(),
        }
    }
}

#[traced_connector]
impl Queue {
    pub(crate) fn send(&self, message: Job) {
        self.jobs.borrow_mut().push_back(message);
    }

    pub(crate) fn try_recv(&self) -> Option<Job> {
        self.jobs.borrow_mut().pop_front()
    }

    /// Lets others run first.
    pub(crate) async fn send_async(&self, message: Job) {
        yield_now().await;
        self.jobs.borrow_mut().push_back(message);
        yield_now().await;
    }

    /// Lets others run first.
    pub(crate) async fn recv_async(&self) -> Option<Job> {
        yield_now().await;
        let job = self.jobs.borrow_mut().pop_front();
        yield_now().await;
        job
    }
}

/// Pending once.
pub(crate) async fn yield_now() {
    let mut was_polled = false;
    std::future::poll_fn(|cx| {
        cx.waker().wake_by_ref();
        if std::mem::replace(&mut was_polled, true) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
}

pub(crate) fn attribute(event: &TraceEvent, name: &str) -> Option<u64> {
    event.data.custom_attributes.get(name)?.as_u64()
}

pub(crate) fn find(events: &[TraceEvent], id: EventId) -> &TraceEvent {
    let found = events.iter().find(|event| event.event_id == id);
    found.expect("it was recorded")
}

/// The flows that this actor sent, in order.
pub(crate) fn flows<'a>(events: &'a [TraceEvent], actor: &str) -> Vec<&'a TraceEvent> {
    let flows = events.iter().filter(|event| event.is_data_flow());
    flows.filter(|event| event.actor_id == actor).collect()
}

/// The only flow that this actor sent.
pub(crate) fn flow<'a>(events: &'a [TraceEvent], actor: &str) -> &'a TraceEvent {
    let flows = flows(events, actor);
    assert_eq!(flows.len(), 1, "{actor}: {flows:#?}");
    flows[0]
}

/// A numbered stream of chance.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound
    }
}
