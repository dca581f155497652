//! The life of an actor: one event when it begins, one when it ends.

use super::ends::Name;
use super::flow::Flow;
use super::send::{count_without_ring, with_shown_names};
use super::site::Site;
use super::write::write_record;
use crate::clock::ticks;
use crate::context::active;
use crate::lane::{Asking, FlowKey, Held, KindRef, Purpose, Standing, State, with_held};
use crate::record::{Fields, Kind, NO_POLICY, Record};
use crate::ring::Words;
use crate::sampling::{Threshold, Verdict};

/// Records that an actor started; its end is recorded when `flow` ends.
///
/// A life is no message: it belongs to no trace, so that what a long-lived actor sends does not
/// become one endless trace.
pub fn begin_life(flow: &mut Flow, actor: Name<'_>, site: &'static Site) {
    flow.begin(match actor {
        Name::Text(actor) => begin(&[actor, "", "", ""], site),
        Name::Shown(_) => {
            let nothing = Name::Text("");
            with_shown_names(&[actor, nothing, nothing, nothing], |names| {
                begin(names, site)
            })
        }
    });
}

fn begin(names: &[&str; 4], site: &'static Site) -> Flow {
    with_held(|held| {
        let Held {
            hand, lane, stack, ..
        } = held;
        let asking = Asking {
            kind: KindRef::None,
            purpose: Purpose::Life,
            site: site.if_not_plain(),
            lane: &lane.shared,
            runtime: &hand.runtime,
        };
        let entry = lane.flows.find(FlowKey::Names(names), asking);
        if entry.is_off {
            return Flow::idle();
        }
        // Two events: the begin now, the end to come.
        entry.cell.messages.add(2);
        if entry.kept(Verdict::Always).threshold == Threshold::NEVER {
            entry.cell.leave_out(0);
            entry.cell.leave_out(0);
            return Flow::idle();
        }
        let edge = entry.edge;
        let mut started = words(edge, lane.shared.numbered.next());
        started.finish(Kind::ActorStarted, None, None);
        write_record(&mut started, &[], hand, lane);

        let place = active::depth();
        active::set_depth(place + 1);
        let attempt = stack.at(place);
        attempt.words = words(edge, lane.shared.numbered.next());
        attempt.standing = Standing::new(hand.generation, State::Recorded, Purpose::Life);
        Flow::at(place, true)
    })
    .unwrap_or_else(count_without_ring)
}

/// A record that belongs to no trace, from now on.
fn words(edge: u32, number: u64) -> Words {
    let words = Record {
        slots: 0,
        sequence: number,
        start: ticks(),
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
    };
    words.pack()
}
