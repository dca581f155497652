//! What a thread knows of one flow: its counters, its policy, and the words that all its records share.

use std::sync::Arc;

use super::FlowCell;
use super::flow_table::KindRef;
use crate::clock::has_counter;
use crate::edge::{EdgeNames, EdgeNumber, OVERFLOW_EDGE, TypeNumber};
use crate::probe::Site;
use crate::record::{NO_POLICY, pack_flow, pack_policy};
use crate::runtime::{Runtime, thresholds};
use crate::sampling::{Threshold, Verdict};

/// What a flow is counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum Purpose {
    Send = 0,
    Receive = 1,
    /// The life of an actor.
    Life = 2,
    /// Out of a traced channel.
    Take = 3,
    /// Dropped inside a traced channel.
    Loss = 4,
}

impl Purpose {
    /// Bits that it takes.
    pub(super) const BITS: u32 = 3;

    /// From the lowest bits.
    pub(super) const fn from_bits(bits: usize) -> Self {
        match bits & ((1 << Self::BITS) - 1) {
            0 => Self::Send,
            1 => Self::Receive,
            3 => Self::Take,
            4 => Self::Loss,
            _ => Self::Life,
        }
    }
}

/// What tells the flows of one edge apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FlowId {
    /// Address of the kind, or of the path of the Rust type.
    pub(crate) kind: usize,
    /// One more than the length of that path, or 0 for a kind, above the bits of the purpose.
    pub(crate) length_and_purpose: usize,
    /// Address of the site where it says what protocol the edge has, else 0.
    pub(crate) site: usize,
}

impl FlowId {
    #[inline(always)]
    pub(super) fn new(
        (kind, length): (usize, usize),
        purpose: Purpose,
        site: Option<&'static Site>,
    ) -> Self {
        Self {
            kind,
            length_and_purpose: (length << Purpose::BITS) | purpose as usize,
            site: site.map_or(0, |site| std::ptr::from_ref(site).addr()),
        }
    }

    pub(super) fn purpose(&self) -> Purpose {
        Purpose::from_bits(self.length_and_purpose)
    }
}

/// By what a message is kept that got one of the three verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) threshold: Threshold,
    /// The number of the threshold where the record has it.
    pub(crate) policy_word: u64,
}

impl Kept {
    fn new(threshold: Threshold, policy: u16) -> Self {
        Self {
            threshold,
            policy_word: pack_policy(policy),
        }
    }
}

/// What is known of a flow on this thread. Aligned, so that a table of them is indexed by a shift.
#[repr(align(256))]
pub(crate) struct FlowEntry {
    pub(super) id: FlowId,
    /// Address of the kind, if this is a flow of sends over an edge as its names say, nothing is switched
    /// off and the clock is the counter; else 0. One comparison then stands for many.
    pub(super) quick_kind: usize,
    pub(super) next_of_edge: u32,
    pub(crate) edge: EdgeNumber,
    /// Edge and type where the record has them.
    pub(crate) flow_word: u64,
    pub(crate) cell: Arc<FlowCell>,
    /// By the verdict on the message; a fourth that none has spares a check.
    kept: [Kept; 4],
    /// Nothing here is counted, let alone recorded.
    pub(crate) is_off: bool,
    ends: [NameKey; 4],
    pub(crate) names: Arc<EdgeNames>,
    pub(crate) message_type: TypeNumber,
    kind: KindRef,
    /// What the names of the ends say, in the type's policy and in the sampler.
    actors: Verdict,
}

impl FlowEntry {
    pub(super) fn new(
        id: FlowId,
        names: Arc<EdgeNames>,
        edge: EdgeNumber,
        message_type: TypeNumber,
        kind: KindRef,
        cell: Arc<FlowCell>,
    ) -> Self {
        Self {
            id,
            quick_kind: 0,
            next_of_edge: u32::MAX,
            edge,
            flow_word: pack_flow(edge, message_type),
            cell,
            kept: [Kept::new(Threshold::NEVER, NO_POLICY); 4],
            is_off: false,
            ends: names.ends().map(NameKey::of),
            names,
            message_type,
            kind,
            actors: Verdict::ByRate,
        }
    }

    /// Reads the policy of the type and that of the recording.
    pub(super) fn judge(&mut self, runtime: &Runtime) {
        let [from_actor, _, to_actor, _] = self.names.ends();
        let (by_type, of_type) = match self.kind {
            KindRef::Kind(kind) => (
                kind.verdict_of_actors(from_actor, to_actor),
                kind.threshold(),
            ),
            KindRef::Path(_) | KindRef::None => (Verdict::ByRate, Threshold::ALWAYS),
        };
        let policy = runtime.policy();
        let (by_sampler, of_sampler) = match (self.id.purpose(), &policy.sampler) {
            // A life is no message, and one of it is worth more than a rate of it.
            (Purpose::Life, _) | (_, None) => (Verdict::ByRate, Threshold::ALWAYS),
            (_, Some(sampler)) => (
                sampler.verdict(from_actor, to_actor),
                Threshold::from_rate(sampler.sample_rate),
            ),
        };
        self.actors = by_type.min(by_sampler);
        // The rarer of the two rates: R that reaches the larger threshold reaches both.
        let by_rate = of_type.max(of_sampler);
        let verdicts = [
            Verdict::Never,
            Verdict::Always,
            Verdict::ByRate,
            Verdict::ByRate,
        ];
        self.kept = verdicts.map(|verdict| {
            // The smallest of the two is the one that comes first in the order.
            match verdict.min(self.actors) {
                Verdict::Never => Kept::new(Threshold::NEVER, NO_POLICY),
                Verdict::Always => {
                    Kept::new(Threshold::ALWAYS, thresholds().number(Threshold::ALWAYS))
                }
                Verdict::ByRate => Kept::new(by_rate, thresholds().number(by_rate)),
            }
        });
        for verdict in [Verdict::Never, Verdict::Always, Verdict::ByRate] {
            let threshold = self.kept(verdict).threshold;
            self.cell.note_threshold(verdict, threshold);
        }
        self.is_off = policy
            .switched_off
            .holds(&self.names, self.message_type, self.id.purpose());
        let is_usual = self.id.site == 0
            && self.id.purpose() == Purpose::Send
            && self.edge != OVERFLOW_EDGE
            && !self.is_off
            && has_counter();
        self.quick_kind = match self.kind {
            KindRef::Kind(_) if is_usual => self.id.kind,
            _ => 0,
        };
    }

    /// Takes over what was found out about another edge that it stands for.
    pub(super) fn judge_like(&mut self, other: &Self) {
        self.kept = other.kept;
        self.is_off = other.is_off;
    }

    /// From now on it stands for all edges that the dictionary has no room for.
    pub(super) fn stand_for_all(&mut self, names: Arc<EdgeNames>) {
        debug_assert_eq!(self.edge, OVERFLOW_EDGE);
        self.ends = names.ends().map(NameKey::of);
        self.names = names;
    }

    pub(super) fn actors(&self) -> Verdict {
        self.actors
    }

    /// By what a message with this verdict is kept: never before always before rate.
    #[inline(always)]
    pub(crate) fn kept(&self, verdict: Verdict) -> &Kept {
        self.kept_by(verdict as u64)
    }

    /// The same, by the number of the verdict in the two lowest bits.
    #[inline(always)]
    pub(crate) fn kept_by(&self, verdict: u64) -> &Kept {
        &self.kept[(verdict & 3) as usize]
    }

    #[inline(always)]
    pub(super) fn has_ends(&self, names: &[&str; 4]) -> bool {
        let [a, b, c, d] = &self.ends;
        let whole = &self.names;
        a.is(names[0], &whole.from_actor)
            && b.is(names[1], &whole.from_port)
            && c.is(names[2], &whole.to_actor)
            && d.is(names[3], &whole.to_port)
    }
}

/// The beginning and the end of a name, so that a short one is compared without reaching for it.
#[derive(Clone, Copy, Debug)]
struct NameKey {
    length: usize,
    /// The first and the last bytes: 8, or 4, or 1 of them, as the length has room. They overlap where the
    /// name is shorter than both together.
    first: u64,
    last: u64,
}

impl NameKey {
    fn of(name: &str) -> Self {
        let bytes = name.as_bytes();
        let (first, last) = match bytes.len() {
            0 => (0, 0),
            1..=3 => ends_of_three(bytes),
            4..=7 => ends_of_seven(bytes),
            _ => ends_of_many(bytes),
        };
        Self {
            length: bytes.len(),
            first,
            last,
        }
    }

    /// Whether `name` is the one that this was made of, which is `whole`.
    #[inline(always)]
    fn is(&self, name: &str, whole: &str) -> bool {
        let bytes = name.as_bytes();
        if bytes.len() != self.length {
            return false;
        }
        let (first, last) = match bytes.len() {
            8..=16 => ends_of_many(bytes),
            4..=7 => ends_of_seven(bytes),
            1..=3 => ends_of_three(bytes),
            0 => return true,
            _ => return name == whole,
        };
        (first ^ self.first) | (last ^ self.last) == 0
    }
}

#[inline(always)]
fn ends_of_many(bytes: &[u8]) -> (u64, u64) {
    let word = |chunk: Option<&[u8; 8]>| chunk.map_or(0, |chunk| u64::from_le_bytes(*chunk));
    (word(bytes.first_chunk()), word(bytes.last_chunk()))
}

#[inline(always)]
fn ends_of_seven(bytes: &[u8]) -> (u64, u64) {
    let word =
        |chunk: Option<&[u8; 4]>| chunk.map_or(0, |chunk| u64::from(u32::from_le_bytes(*chunk)));
    (word(bytes.first_chunk()), word(bytes.last_chunk()))
}

/// Of three bytes the middle one counts too.
#[inline(always)]
fn ends_of_three(bytes: &[u8]) -> (u64, u64) {
    let (first, last) = (bytes[0], bytes[bytes.len() - 1]);
    let middle = bytes[bytes.len() / 2];
    (u64::from(first), u64::from(last) | (u64::from(middle) << 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_whole() {
        let text = "abcdefghijklmnopqrstuvwxyz";
        for length in 0..text.len() {
            let one = &text[..length];
            let key = NameKey::of(one);
            assert!(key.is(&String::from(one), one));
            assert!(!key.is(&text[..=length], one));
            for at in 0..length {
                let mut other = one.as_bytes().to_vec();
                other[at] = b'_';
                let other = String::from_utf8(other).expect("ASCII");
                assert!(!key.is(&other, one), "{one} {other}");
            }
        }
    }
}
