//! The life of an actor: one event when it begins, one when it ends.

use super::ends::Name;
use super::flow::{Attempt, Flow, State};
use super::send::with_shown_names;
use super::site::Site;
use super::write::write_record;
use crate::clock::ticks;
use crate::context::task;
use crate::lane::{FlowKey, KindRef, LaneInUse, LaneOwned, Purpose, with_lane};
use crate::record::{Fields, Kind, NO_POLICY, Record};
use crate::sampling::Verdict;

/// Records that an actor started; its end is recorded when `flow` ends.
///
/// A life is no message: it belongs to no trace, so that what a long-lived actor sends does not
/// become one endless trace.
pub fn begin_life(flow: &mut Flow, actor: Name<'_>, site: &'static Site) {
    let nothing = Name::Text("");
    match actor {
        Name::Text(actor) => begin(flow, actor, site),
        Name::Shown(_) => with_shown_names(&[actor, nothing, nothing, nothing], |names| {
            if let Name::Text(actor) = names[0] {
                begin(flow, actor, site);
            }
        }),
    }
}

fn begin(flow: &mut Flow, actor: &str, site: &'static Site) {
    task::begin();
    let began = with_lane(|hand, lane| {
        let entry = lane.flows.find(
            FlowKey::Names(&[actor, "", "", ""].map(Name::Text)),
            &KindRef::None,
            Purpose::Life,
            site,
            &lane.shared,
            &hand.runtime,
        );
        // Two events: the begin now, the end to come.
        entry.cell.messages.add(2);
        if entry.actors == Verdict::Never {
            entry.cell.not_sampled.add(2);
            return;
        }
        let edge = entry.edge;
        let mut started = words(edge);
        lane.sequence += 1;
        lane.shared.begun.add(1);
        started[0] |= lane.sequence << 16;
        started[1] = ticks();
        started.finish(Kind::ActorStarted, None, None);
        write_record(&mut started, &[], hand, lane);
        flow.open(begin_record(edge, hand, lane));
    });
    if began.is_none() {
        crate::runtime::count_without_ring();
    }
}

fn begin_record(edge: u32, hand: &LaneInUse, lane: &mut LaneOwned) -> Attempt {
    lane.sequence += 1;
    lane.shared.begun.add(1);
    let mut words = words(edge);
    words[0] |= lane.sequence << 16;
    words[1] = ticks();
    Attempt {
        words,
        details: None,
        trace_producer: hand.producer,
        producer: hand.producer,
        threshold: 0,
        generation: hand.generation,
        ring: lane.shared.ring,
        state: State::Recorded,
        purpose: Purpose::Life,
        is_on_stack: false,
    }
}

fn words(edge: u32) -> crate::ring::Words {
    Record {
        slots: 0,
        sequence: 0,
        start: 0,
        duration: Some(0),
        policy: NO_POLICY,
        edge,
        message_type: 0,
        kind: Kind::Send,
        outcome: None,
        size: None,
        depth: None,
        cause_ring: 0,
        cause_sequence: 0,
        flags: 0,
        randomness: 0,
        trace_high: 0,
        hops: 0,
        wide: None,
    }
    .pack()
}
