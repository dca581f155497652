//! A lineage by its hops: a message, from the begin of its send to the end of its handling.

use std::time::Duration;

use super::story::Lineage;
use super::times;
use crate::event::TraceEvent;

/// A message on its way over one edge.
///
/// The three times overlap: a wait begins with the send, and what a handler sends is sent within its
/// handling. [`Lineage::critical_path`] adds up what may be added up.
#[derive(Clone, Copy, Debug)]
pub struct Hop<'a> {
    /// The send; `None` when it is not among the events.
    pub sent: Option<&'a TraceEvent>,
    /// The taking up; `None` when it is not among the events.
    pub taken: Option<&'a TraceEvent>,
    /// How long the send ran.
    pub transfer: Option<Duration>,
    /// How long the message lay between the begin of the send and the begin of its handling.
    pub waiting: Option<Duration>,
    /// How long it was handled.
    pub handling: Option<Duration>,
}

impl<'a> Lineage<'a> {
    /// The hops, causes before effects. A message that several took up, or one more than once, is one
    /// hop for each.
    pub fn hops(&self) -> Vec<Hop<'a>> {
        let steps = self.steps();
        let mut is_taken = vec![false; steps.len()];
        let sender = |at: usize| {
            let cause = steps[at].causes.first().copied();
            cause.filter(|&cause| times::is_send(steps[cause].event))
        };
        let is_receive = |at: usize| times::is_receive(steps[at].event);
        for at in (0..steps.len()).filter(|&at| is_receive(at)) {
            if let Some(sender) = sender(at) {
                is_taken[sender] = true;
            }
        }
        let hop = |at: usize| {
            let event = steps[at].event;
            if is_receive(at) {
                let sent = sender(at).map(|sender| steps[sender].event);
                return Some(Hop {
                    sent,
                    taken: Some(event),
                    transfer: sent.and_then(times::transfer),
                    waiting: times::waiting(event),
                    handling: times::handling(event),
                });
            }
            (times::is_send(event) && !is_taken[at]).then(|| Hop {
                sent: Some(event),
                taken: None,
                transfer: times::transfer(event),
                waiting: None,
                handling: None,
            })
        };
        (0..steps.len()).filter_map(hop).collect()
    }
}
