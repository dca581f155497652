//! What was sent and did not flow.
//!
//! The rule is that of [`FlowIndex::missing_flows`](reflow_trace::lineage::FlowIndex::missing_flows). The messages that
//! the question chooses are taken some at a time; their data flows are looked up by cause and by message id, all at
//! once, and those that nothing but the order links by walking on from the first of them, as far as it takes.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use reflow_trace::api::{ApiError, ErrorCode, EventsQuestion, MissingAnswer, MissingFound};
use reflow_trace::lineage::{MissingReason, PAIRED_WITHIN_NS, Pairing, is_flow_of, named_causes};
use reflow_trace::query::{CompiledQuery, TraceQuery};
use reflow_trace::{EventId, TraceEvent, TraceEventType};
use serde_json::Value;

use super::Asking;
use super::bounded::find;
use super::engine::of_query;
use crate::store::rollup::Happening;
use crate::store::{Found, Key, Scan, Snapshot, TimeRange, Watch};

/// Messages that are looked at together.
const TOGETHER: usize = 512;
/// So many times as many messages as an answer may have events are looked at for a page.
const LOOKED_AT_TIMES: usize = 8;
/// Most events that are walked over to pair those of one time.
const WALKED_MAX: usize = 1 << 18;
/// Most data flows that are looked at for the messages of one time.
const FLOWS_MAX: usize = 1 << 16;

/// What was sent and did not flow.
pub(crate) fn missing(
    view: &dyn Snapshot,
    asked: &EventsQuestion,
    asking: &Asking,
) -> Result<MissingAnswer, ApiError> {
    check(asked)?;
    let query = asked.query.question().compile();
    let query = query.map_err(|error| of_query(&error))?;
    let most = query
        .limit()
        .unwrap_or(usize::MAX)
        .min(asking.limits.events_max);
    // Of a later page, what is left out was left out before.
    let mut left_out = if asked.after.is_none() {
        query.offset()
    } else {
        0
    };
    let scan = Scan {
        kind: Some("MessageSent"),
        after: asked.after,
        newest_first: asked.newest_first,
        most: TOGETHER,
        ..Scan::new(query)
    };
    let mut answer = MissingAnswer::default();
    let mut looking = Looking::new(view, asking);
    let mut messages = view.scan(&scan, asking);
    let looked_at_max = asking.limits.events_max.saturating_mul(LOOKED_AT_TIMES) as u64;
    loop {
        asking.go_on()?;
        let mut some = Vec::with_capacity(TOGETHER);
        for found in messages.by_ref().take(TOGETHER) {
            some.push(found.map_err(|error| asking.of_store(&error))?);
        }
        let is_last = some.len() < TOGETHER;
        let reasons = looking.reasons(&some)?;
        for (found, reason) in some.into_iter().zip(reasons) {
            if answer.missing.len() >= most {
                return Ok(finished(answer, asking));
            }
            answer.looked_at += 1;
            answer.next = Some(found.place);
            let Some(reason) = reason else { continue };
            if left_out > 0 {
                left_out -= 1;
                continue;
            }
            answer.missing.push(MissingFound {
                reason,
                outcome: found.event.outcome,
                sent: asking.shown(found.event),
            });
        }
        if is_last {
            answer.next = None;
            return Ok(finished(answer, asking));
        }
        // What is to be left out is left out of this page: the next one begins behind it.
        if answer.looked_at >= looked_at_max && left_out == 0 {
            return Ok(finished(answer, asking));
        }
    }
}

fn finished(answer: MissingAnswer, asking: &Asking) -> MissingAnswer {
    MissingAnswer {
        work: asking.work(),
        ..answer
    }
}

fn check(asked: &EventsQuestion) -> Result<(), ApiError> {
    let query = &asked.query;
    let of_traces = [
        ("flow_id", query.flow_id.is_some()),
        ("execution_id", query.execution_id.is_some()),
        ("status", query.status.is_some()),
    ];
    match of_traces.iter().find(|(_, is_given)| *is_given) {
        None => Ok(()),
        Some((field, _)) => Err(ApiError::new(
            ErrorCode::InvalidQuestion,
            format!(
                "`{field}` is a condition for traces of Reflow: messages that were sent are chosen by `time_range`, `actor_filter`, `custom_filter` and `performance_filter`"
            ),
        )),
    }
}

/// What is looked at to find out.
struct Looking<'a> {
    view: &'a dyn Snapshot,
    asking: &'a Asking,
    something_lost: bool,
    /// Actors and ports that data flows leave; made when it is first needed.
    senders: Option<HashSet<(String, String)>>,
}

impl<'a> Looking<'a> {
    fn new(view: &'a dyn Snapshot, asking: &'a Asking) -> Self {
        let mut losses = view
            .producers()
            .iter()
            .flat_map(|ledger| ledger.losses.values());
        Self {
            view,
            asking,
            something_lost: losses.any(|&lost| lost > 0),
            senders: None,
        }
    }

    /// Why each of these messages has no data flow; `None` where it has one.
    fn reasons(&mut self, sent: &[Found]) -> Result<Vec<Option<MissingReason>>, ApiError> {
        if sent.is_empty() {
            return Ok(Vec::new());
        }
        let linked = self.linked(sent)?;
        let (flowing, all_looked_at) = (linked.flowing, linked.is_whole);
        let mut unlinked: Vec<&TraceEvent> = Vec::new();
        for found in sent
            .iter()
            .filter(|found| !flowing.contains(&found.event.event_id))
        {
            if Pairing::is_unlinked(&found.event) && self.has_flows(&found.event)? {
                unlinked.push(&found.event);
            }
        }
        let paired = self.paired(&unlinked)?;
        let mut reasons = Vec::with_capacity(sent.len());
        for found in sent {
            let id = found.event.event_id;
            let has_flow = flowing.contains(&id) || paired.flowing.contains(&id);
            if has_flow {
                reasons.push(None);
                continue;
            }
            let has_flows = !Pairing::is_unlinked(&found.event) || self.has_flows(&found.event)?;
            let reason = MissingReason::of(&found.event, has_flows, self.something_lost);
            let was_looked_for =
                all_looked_at && (paired.is_whole || !Pairing::is_unlinked(&found.event));
            let reason = match reason {
                MissingReason::NotDelivered(_) => reason,
                _ if was_looked_for => reason,
                _ => MissingReason::NotKnown,
            };
            reasons.push(Some(reason));
        }
        Ok(reasons)
    }

    /// The messages whose data flow says that it is theirs.
    fn linked(&self, sent: &[Found]) -> Result<Flowing, ApiError> {
        let mut by_id: HashMap<&Value, Vec<&TraceEvent>> = HashMap::new();
        let mut by_event: HashMap<EventId, &TraceEvent> = HashMap::new();
        let mut keys = Vec::with_capacity(2 * sent.len());
        for found in sent {
            keys.push(Key::Parent(found.event.event_id));
            by_event.insert(found.event.event_id, &found.event);
            if let Some(id) = found.event.message_id() {
                let same = by_id.entry(id).or_default();
                if same.is_empty() {
                    keys.push(Key::Message(id));
                }
                same.push(&found.event);
            }
        }
        let Some(found) = find(self.view, &keys, FLOWS_MAX, self.asking)? else {
            return Ok(Flowing {
                flowing: HashSet::new(),
                is_whole: false,
            });
        };
        let mut flowing = HashSet::new();
        for Found { event: flow, .. } in found.iter().filter(|found| found.event.is_data_flow()) {
            let causes = named_causes(flow);
            let of_cause = causes.filter_map(|cause| by_event.get(&cause).copied());
            let of_id = flow.message_id().and_then(|id| by_id.get(id));
            for sent in of_cause.chain(of_id.into_iter().flatten().copied()) {
                if is_flow_of(flow, sent) {
                    flowing.insert(sent.event_id);
                }
            }
        }
        Ok(Flowing {
            flowing,
            is_whole: true,
        })
    }

    /// The messages that have a data flow by their order.
    fn paired(&self, unlinked: &[&TraceEvent]) -> Result<Flowing, ApiError> {
        let mut open: HashSet<EventId> = unlinked.iter().map(|sent| sent.event_id).collect();
        let mut flowing = Flowing {
            flowing: HashSet::new(),
            is_whole: true,
        };
        let times = || unlinked.iter().map(|sent| sent.timestamp);
        let (Some(first), Some(last)) = (times().min(), times().max()) else {
            return Ok(flowing);
        };
        let scan = Scan::new(self.around(unlinked, first, last)?);
        let mut pairing = Pairing::default();
        // Events of one moment, which have an order of their own.
        let mut moment: Vec<TraceEvent> = Vec::new();
        let mut walked = 0;
        let mut see = |moment: &mut Vec<TraceEvent>, open: &mut HashSet<EventId>| {
            moment.sort_by(Pairing::order);
            for event in moment.drain(..) {
                if let Some(sent) = pairing.see(&event)
                    && open.remove(&sent)
                {
                    flowing.flowing.insert(sent);
                }
            }
        };
        for found in self.view.scan(&scan, self.asking) {
            let event = found.map_err(|error| self.asking.of_store(&error))?.event;
            if moment
                .first()
                .is_some_and(|first| first.timestamp != event.timestamp)
            {
                see(&mut moment, &mut open);
                if open.is_empty() {
                    return Ok(flowing);
                }
            }
            walked += 1;
            if walked > WALKED_MAX {
                flowing.is_whole = false;
                return Ok(flowing);
            }
            moment.push(event);
        }
        see(&mut moment, &mut open);
        Ok(flowing)
    }

    /// What is walked over: messages and data flows from the first of these on, as long as there can be one.
    fn around(
        &self,
        unlinked: &[&TraceEvent],
        first: DateTime<Utc>,
        last: DateTime<Utc>,
    ) -> Result<CompiledQuery, ApiError> {
        let actor = &unlinked[0].actor_id;
        let is_of_one = unlinked.iter().all(|sent| sent.actor_id == *actor);
        let within = TimeDelta::nanoseconds(PAIRED_WITHIN_NS);
        let end = last
            .checked_add_signed(within)
            .unwrap_or(DateTime::<Utc>::MAX_UTC);
        let query = TraceQuery {
            time_range: Some((first, end)),
            event_types: Some(vec![
                TraceEventType::MessageSent,
                TraceEventType::DataFlow {
                    to_actor: "*".to_owned(),
                    to_port: "*".to_owned(),
                },
            ]),
            actor_filter: is_of_one.then(|| actor.clone()),
            ..TraceQuery::default()
        };
        query.compile().map_err(|error| of_query(&error))
    }

    /// Whether a data flow leaves the actor and port of this message.
    fn has_flows(&mut self, sent: &TraceEvent) -> Result<bool, ApiError> {
        let senders = match &mut self.senders {
            Some(senders) => senders,
            none => none.insert(senders(self.view, self.asking)?),
        };
        let port = sent.data.port.clone().unwrap_or_default();
        Ok(senders.contains(&(sent.actor_id.clone(), port)))
    }
}

/// Messages that have a data flow, and whether all data flows were looked at.
struct Flowing {
    flowing: HashSet<EventId>,
    is_whole: bool,
}

/// Every actor and port that a data flow leaves.
fn senders(view: &dyn Snapshot, asking: &Asking) -> Result<HashSet<(String, String)>, ApiError> {
    let mut senders = HashSet::new();
    let visited = view.each_rollup(TimeRange::ALL, &mut |part| {
        Watch::go_on(asking)?;
        for (key, sum) in part.sums().iter() {
            // What has failed was told by a `MessageSent`.
            let has_flows = sum.all.events > sum.failed.events;
            if key.happening == Happening::Sent
                && has_flows
                && let Some(edge) = part.edges().get(key.edge as usize)
            {
                senders.insert((edge.from_actor.clone(), edge.from_port.clone()));
            }
        }
        Ok(())
    });
    visited.map_err(|error| asking.of_store(&error))?;
    Ok(senders)
}
