//! What came in from outside and could not be used.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What was wrong with contexts that came from elsewhere, since recording began.
///
/// None of it is an error of the program: what cannot be used is ignored, by the rules of W3C Trace
/// Context, and the message starts a trace of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PropagationFaults {
    /// `traceparent` values that are none.
    pub malformed_traceparents: u64,
    /// `tracestate` values that are none, as a whole, or whose `ot` or `reflow-trace` member is none.
    pub malformed_tracestates: u64,
    /// Members of a `tracestate` that were left out, because it had become too long.
    pub members_left_out: u64,
    /// Serialized contexts that nobody can have written.
    pub malformed_contexts: u64,
    /// Causes at a join beyond the number that is named.
    pub unnamed_causes: u64,
}

impl PropagationFaults {
    /// Whether there was nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for PropagationFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (count, what) in [
            (self.malformed_traceparents, "malformed traceparent"),
            (self.malformed_tracestates, "malformed tracestate"),
            (self.members_left_out, "tracestate members left out"),
            (self.malformed_contexts, "malformed serialized context"),
            (self.unnamed_causes, "causes beyond the bound"),
        ] {
            if count > 0 {
                writeln!(f, "  {what}: {count}")?;
            }
        }
        Ok(())
    }
}
