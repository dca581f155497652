//! The begin of a send: suppressed or counted, sampled or not, stamped.
//!
//! There are two ways. A *plain* message says nothing of where it came from and is not sent from within a
//! handler: it begins a trace, and all that is to be known of it fits into registers. Any other message is
//! *linked*, or may be. What the two share is inlined into both.

use std::fmt::Write as _;

use super::depth::Depth;
use super::ends::{Ends, Name};
use super::flow::Flow;
use super::site::Site;
use super::trace::Trace;
use crate::clock::{counter_ticks, ticks};
use crate::context::{Context, has};
use crate::edge::{BoundedName, Edge, OVERFLOW_EDGE};
use crate::lane::{
    Asking, Attempt, FlowEntry, FlowKey, Held, Here, KindRef, LaneInUse, LaneShared, Purpose,
    Stack, with_here,
};
use crate::message::{MessageKind, Size, SizeSource};
use crate::record::{Fields, Open, SMALL_WIDE_MAX, flag, pack_amounts, with_small_wide};
use crate::sampling::{Randomness, Verdict};

/// What a probe knows of the message.
#[derive(Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) kind: KindRef,
    pub(crate) verdict: Verdict,
    pub(crate) size: Size,
    /// Room for a context, as it came; `None` where the type has no room.
    pub(crate) context: Option<&'a Context>,
    /// R by the message's id, by which the hops of a message without context are sampled together. Found before
    /// the lane is taken, because an id may be shown by the user's code.
    pub(crate) by_id: Option<Randomness>,
}

/// What a probe knows of a plain message beside its kind, in two words that stay in registers.
#[derive(Clone, Copy)]
pub(super) struct Plain {
    /// Size and depth where the record has them.
    pub(super) amounts: u64,
    /// The flags where the record has them; below them the verdict (bits 0–1) and whether the size is
    /// deep (bit 2), which is only said of one that a small `wide` holds.
    pub(super) said: u64,
}

const DEEP: u64 = 1 << 2;

impl Plain {
    #[inline(always)]
    pub(super) fn new(verdict: Verdict, size: Size, depth: Depth) -> Self {
        let deep = if size.source == SizeSource::Deep && size.bytes <= SMALL_WIDE_MAX {
            DEEP
        } else {
            0
        };
        let flags = flag::IN_TRACE | flag::HOPS | flag::ROOT | shallow(size.source);
        Self {
            amounts: pack_amounts(size.bytes, depth.known()),
            said: (u64::from(flags) << 48) | deep | verdict as u64,
        }
    }

    fn verdict(self) -> Verdict {
        match self.said & 3 {
            0 => Verdict::Never,
            1 => Verdict::Always,
            _ => Verdict::ByRate,
        }
    }

    #[inline(always)]
    fn is_deep(self) -> bool {
        self.said & DEEP != 0
    }

    /// Word 5 of the record.
    #[inline(always)]
    fn flags_word(self) -> u64 {
        self.said & !0xffff
    }

    /// Bytes; more than a tebibyte is counted as one.
    #[inline(always)]
    fn bytes(self) -> u64 {
        self.amounts & ((1 << 40) - 1)
    }

    fn size(self) -> Size {
        let source = if self.is_deep() {
            SizeSource::Deep
        } else if self.flags_word() >> 48 & u64::from(flag::SHALLOW_SIZE) != 0 {
            SizeSource::Shallow
        } else {
            SizeSource::Told
        };
        Size {
            bytes: self.bytes(),
            source,
        }
    }
}

/// Begins something with the place of this thread's lane, or counts that it could not.
#[inline(always)]
pub(super) fn on_lane(begin: impl FnOnce(&Here) -> Flow) -> Flow {
    with_here(begin).unwrap_or_else(count_without_ring)
}

/// The begin of a plain send, quickly where everything is as it usually is: this thread has a lane, it has met
/// the flow, and nothing else is under way. Then nothing is called, so that no register has to be saved.
macro_rules! begins {
    ($(#[$doc:meta])* $name:ident or $slowly:ident, $key:ident: $Key:ty, $kind:ident: $Kind:ty as $as:path) => {
        $(#[$doc])*
        #[inline(never)]
        pub(super) fn $name(
            here: &Here,
            $key: $Key,
            site: Option<&'static Site>,
            $kind: $Kind,
            amounts: u64,
            said: u64,
        ) -> Flow {
            match begin_quickly(here, $key, site, $as($kind), Plain { amounts, said }) {
                Some(flow) => flow,
                None => $slowly(here, $key, site, $kind, amounts, said),
            }
        }

        #[inline(never)]
        fn $slowly(
            here: &Here,
            $key: $Key,
            site: Option<&'static Site>,
            $kind: $Kind,
            amounts: u64,
            said: u64,
        ) -> Flow {
            begin_slowly(here, $key.into(), site, $as($kind), Plain { amounts, said })
        }
    };
}

begins! {
    /// Begins the send of a plain message with a policy over an edge with a handle.
    begin_kind_by_handle or kind_by_handle_slowly, edge: &Edge, kind: &'static MessageKind as KindRef::Kind
}
begins! {
    /// The same for a message without a policy.
    begin_path_by_handle or path_by_handle_slowly, edge: &Edge, path: &'static str as KindRef::Path
}
begins! {
    /// Begins the send of a plain message with a policy over an edge with four names.
    begin_kind_by_names or kind_by_names_slowly, names: &[&str; 4], kind: &'static MessageKind as KindRef::Kind
}
begins! {
    /// The same for a message without a policy.
    begin_path_by_names or path_by_names_slowly, names: &[&str; 4], path: &'static str as KindRef::Path
}

/// `None`, and nothing has happened, where something is not as it usually is.
#[inline(always)]
fn begin_quickly<'a>(
    here: &Here,
    key: impl Into<FlowKey<'a>>,
    site: Option<&'static Site>,
    kind: KindRef,
    plain: Plain,
) -> Option<Flow> {
    if here.cause.is_set() {
        return None;
    }
    let mut held = here.take_current()?;
    let Held {
        hand, lane, stack, ..
    } = &mut *held;
    let place = here.place.depth.get();
    let usual = match (kind, site) {
        (KindRef::Kind(kind), None) => lane.flows.usual(key.into(), kind),
        _ => None,
    };
    let flow = match (usual, stack.get(place)) {
        (Some(entry), Some(attempt)) if place == here.place.base.get() => {
            here.place.depth.set(place + 1);
            let (roots, shared) = (&mut lane.roots, &lane.shared);
            Some(begin_root(
                attempt,
                place,
                entry,
                plain,
                roots,
                shared,
                hand,
                counter_ticks,
            ))
        }
        _ => None,
    };
    here.put_back(held);
    flow
}

fn begin_slowly(
    here: &Here,
    key: FlowKey<'_>,
    site: Option<&'static Site>,
    kind: KindRef,
    plain: Plain,
) -> Flow {
    if here.cause.is_set() {
        let facts = Facts {
            kind,
            verdict: plain.verdict(),
            size: plain.size(),
            context: None,
            by_id: None,
        };
        return begin_linked(here, key, site, &facts, plain.amounts, None);
    }
    here.with_held(|held| {
        let Held {
            hand, lane, stack, ..
        } = held;
        let entry = match lane.flows.known(key, kind, Purpose::Send, site) {
            Some(entry) => entry,
            None => {
                let asking = Asking {
                    kind,
                    purpose: Purpose::Send,
                    site,
                    lane: &lane.shared,
                    runtime: &hand.runtime,
                };
                lane.flows.entered(key, &asking)
            }
        };
        let place = here.place.depth.get();
        if !is_new(entry, stack, hand, here.place.base.get(), place) {
            return Flow::idle();
        }
        here.place.depth.set(place + 1);
        let attempt = stack.at(place);
        let (roots, shared) = (&mut lane.roots, &lane.shared);
        begin_root(attempt, place, entry, plain, roots, shared, hand, ticks)
    })
    .unwrap_or_else(count_without_ring)
}

/// Counts a message that begins a trace, decides, and records what is known of it.
#[expect(
    clippy::too_many_arguments,
    reason = "inlined into both of its callers"
)]
#[inline(always)]
fn begin_root(
    attempt: &mut Attempt,
    place: usize,
    entry: &FlowEntry,
    plain: Plain,
    roots: &mut u64,
    lane: &LaneShared,
    hand: &LaneInUse,
    clock: fn() -> u64,
) -> Flow {
    let cell = &*entry.cell;
    cell.messages.add(1);
    cell.bytes.add(plain.bytes());

    *roots += 1;
    let randomness = hand.numbering.randomness(*roots);
    let kept = entry.kept_by(plain.said);
    if !kept.threshold.keeps(randomness) {
        cell.leave_out(plain.said);
        attempt.words[3] = entry.flow_word;
        attempt.standing = hand.counted;
        return Flow::at(place, false);
    }
    attempt.standing = hand.recorded;
    let (flow_word, root_word) = if plain.is_deep() {
        with_small_wide(entry.flow_word, hand.root_word, plain.amounts)
    } else {
        (entry.flow_word, hand.root_word)
    };
    attempt.words[0] = lane.numbered.next() << 16;
    attempt.words[2] = kept.policy_word;
    attempt.words[3] = flow_word;
    attempt.words[4] = plain.amounts;
    attempt.words[5] = plain.flags_word();
    attempt.words[6] = randomness.bits();
    attempt.words[7] = root_word;
    // The clock starts after all that had to be asked before.
    attempt.words[1] = clock();
    Flow::at(place, true)
}

/// Whether a send over this edge is a message of its own. One send that goes through several methods of a
/// connector is one event, the outermost.
pub(super) fn is_new(
    entry: &FlowEntry,
    stack: &Stack,
    hand: &LaneInUse,
    base: usize,
    place: usize,
) -> bool {
    !entry.is_off
        && (entry.edge == OVERFLOW_EDGE
            || !stack.sends_over(entry.edge, hand.generation, base, place))
}

#[inline(always)]
fn shallow(source: SizeSource) -> u16 {
    if source == SizeSource::Shallow {
        flag::SHALLOW_SIZE
    } else {
        0
    }
}

/// Begins the send of a message that came from somewhere, or that has an id. `outgoing` becomes the
/// context to travel with it, unless nothing is traced.
#[inline(never)]
pub(super) fn begin_linked(
    here: &Here,
    key: FlowKey<'_>,
    site: Option<&'static Site>,
    facts: &Facts<'_>,
    amounts: u64,
    outgoing: Option<&mut Context>,
) -> Flow {
    let handling = here.cause.get();
    here.with_held(|held| {
        let Held {
            hand, lane, stack, ..
        } = held;
        let entry = match lane.flows.known(key, facts.kind, Purpose::Send, site) {
            Some(entry) => entry,
            None => {
                let asking = Asking {
                    kind: facts.kind,
                    purpose: Purpose::Send,
                    site,
                    lane: &lane.shared,
                    runtime: &hand.runtime,
                };
                lane.flows.entered(key, &asking)
            }
        };
        let place = here.place.depth.get();
        if (place != here.place.base.get() || entry.is_off)
            && !is_new(entry, stack, hand, here.place.base.get(), place)
        {
            return Flow::idle();
        }
        entry.cell.messages.add(1);
        entry.cell.bytes.add(facts.size.bytes);
        here.place.depth.set(place + 1);

        let cause = cause_of_send(facts.context, handling.as_ref());
        let trace = Trace::of(cause, facts, &mut lane.roots, hand);
        let kept = entry.kept(facts.verdict);
        let threshold = kept.threshold;
        let attempt = stack.at(place);
        let sampled = threshold.keeps(trace.randomness);
        if sampled {
            attempt.open(
                &open(
                    entry,
                    kept.policy_word,
                    amounts,
                    facts.size.memory(),
                    facts.size.source,
                    &trace,
                ),
                hand.recorded,
            );
            if trace.flags & flag::ELSEWHERE != 0 {
                attempt.stand_in(&trace, threshold, hand);
            }
            let edge = entry.edge;
            attempt.number(lane);
            // The message goes in when its send begins: one reading of the clock for both.
            let now = hand.ticks();
            if let Some(outgoing) = outgoing {
                let event = Some((lane.shared.ring, attempt.words.sequence()));
                trace.stamp(outgoing, threshold, event, edge, now, hand);
            }
            attempt.words[1] = now;
        } else {
            entry.cell.leave_out(facts.verdict as u64);
            attempt.words[3] = entry.flow_word;
            attempt.standing = hand.counted;
            if let Some(outgoing) = outgoing {
                trace.stamp(outgoing, threshold, None, entry.edge, hand.ticks(), hand);
            }
        }
        Flow::at(place, sampled)
    })
    .unwrap_or_else(count_without_ring)
}

#[cold]
pub(super) fn count_without_ring() -> Flow {
    crate::runtime::count_without_ring();
    Flow::idle()
}

/// What is known of an attempt at its begin.
#[inline(always)]
pub(super) fn open(
    entry: &FlowEntry,
    policy_word: u64,
    amounts: u64,
    wide: Option<u64>,
    source: SizeSource,
    trace: &Trace,
) -> Open {
    Open {
        policy_word,
        flow_word: entry.flow_word,
        amounts,
        wide,
        cause_ring: trace.cause_ring,
        cause_sequence: trace.cause_sequence,
        flags: trace.flags | shallow(source),
        randomness: trace.randomness.bits(),
        trace_high: trace.trace_high,
        hops: trace.hops,
    }
}

/// What leads to this send: the handling that is under way, unless the message says that it belongs
/// to another trace.
#[inline]
pub(super) fn cause_of_send<'a>(
    came_with: Option<&'a Context>,
    handling: Option<&'a Context>,
) -> Option<&'a Context> {
    match (came_with.filter(|context| context.is_linked()), handling) {
        // Who says that there are several causes has said which.
        (_, Some(handling)) if handling.has(has::FURTHER_CAUSES) => Some(handling),
        (Some(came_with), Some(handling)) if came_with.same_trace(handling) => Some(handling),
        (Some(came_with), _) => Some(came_with),
        (None, handling) => handling,
    }
}

/// Runs `then` with the key of these ends. What is not text is formatted into buffers on the stack; the
/// user's `Display` runs before the lane is taken, so it may send messages itself.
#[inline(always)]
pub(super) fn with_key<R>(ends: &Ends<'_>, then: impl FnOnce(FlowKey<'_>) -> R) -> R {
    match ends {
        Ends::Handle(edge) => then(FlowKey::Handle(edge)),
        Ends::Names(
            [
                Name::Text(from_actor),
                Name::Text(from_port),
                Name::Text(to_actor),
                Name::Text(to_port),
            ],
        ) => then(FlowKey::Names(&[
            *from_actor,
            *from_port,
            *to_actor,
            *to_port,
        ])),
        Ends::Names(names) => with_shown_names(names, |names| then(FlowKey::Names(names))),
    }
}

/// Formats what is not text.
#[cold]
#[inline(never)]
pub(super) fn with_shown_names<R>(names: &[Name<'_>; 4], then: impl FnOnce(&[&str; 4]) -> R) -> R {
    let mut buffers = names.map(|name| {
        let mut buffer = BoundedName::default();
        if let Name::Shown(shown) = name {
            // An error of the user's `Display` leaves what it wrote.
            let _failed = write!(buffer, "{shown}");
        }
        buffer
    });
    let mut buffers = buffers.iter_mut();
    then(&names.map(|name| {
        let shown = buffers.next().map_or("", BoundedName::finish);
        match name {
            Name::Text(text) => text,
            Name::Shown(_) => shown,
        }
    }))
}
