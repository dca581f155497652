//! `traceparent`: version, trace id, parent id, flags.

use std::fmt;

use super::{hex, hex_128};

/// Length of version 00.
const LENGTH: usize = 55;
const SAMPLED: u8 = 1 << 0;
const RANDOM: u8 = 1 << 1;

/// The value, as far as every version has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Traceparent {
    pub(super) trace_id: u128,
    pub(super) parent_id: u64,
    pub(super) is_sampled: bool,
    pub(super) is_random: bool,
}

impl Traceparent {
    /// `None` when it is malformed.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim_matches([' ', '\t']);
        let known = text.get(..LENGTH)?;
        let mut fields = known.split('-');
        let mut field = |digits: usize| fields.next().filter(|field| field.len() == digits);
        let (version, trace_id, parent_id, flags) = (field(2)?, field(32)?, field(16)?, field(2)?);
        let version = hex(version)?;
        let rest = &text[LENGTH..];
        // A version to come may say more, behind another dash.
        let may_have_more = version > 0 && rest.starts_with('-');
        if version == 0xff || !(rest.is_empty() || may_have_more) {
            return None;
        }
        let flags = hex(flags)? as u8;
        let parsed = Self {
            trace_id: hex_128(trace_id)?,
            parent_id: hex(parent_id)?,
            is_sampled: flags & SAMPLED != 0,
            is_random: flags & RANDOM != 0,
        };
        (parsed.trace_id != 0 && parsed.parent_id != 0).then_some(parsed)
    }
}

impl fmt::Display for Traceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sampled = if self.is_sampled { SAMPLED } else { 0 };
        let random = if self.is_random { RANDOM } else { 0 };
        let (trace, parent, flags) = (self.trace_id, self.parent_id, sampled | random);
        write!(f, "00-{trace:032x}-{parent:016x}-{flags:02x}")
    }
}
