//! What other tracers have said of a trace.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::entry::VENDOR_KEY;
use super::members::{self, Member};
use crate::runtime::{self, count_faults};

/// The members of `tracestate` that belong to other tracers, verbatim and in their order.
///
/// At most 32 members and 512 characters. Cloning is cheap. Keep it beside the [`Context`] of the
/// message, so that it is passed on: [`Context::inject_with`].
///
/// [`Context`]: crate::Context
/// [`Context::inject_with`]: crate::Context::inject_with
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct TraceState(Option<Arc<str>>);

/// A text that is no `tracestate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no `tracestate`: write at most 32 members `key=value` with different keys, divided by commas"
)]
pub struct InvalidTraceState;

impl TraceState {
    /// Nothing.
    pub const EMPTY: Self = Self(None);

    pub(super) fn from_members(mut members: Vec<Member<'_>>) -> Self {
        members.retain(|member| member.key != VENDOR_KEY);
        let left_out = members::fit(&mut members, 0);
        count_faults(|faults| &faults.members_left_out, left_out);
        let text = members::join(&members);
        Self((!text.is_empty()).then(|| text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or("")
    }

    /// Whether nobody has said anything.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// What the tracer with this key has said.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.members()
            .find_map(|(known, value)| (known == key).then_some(value))
    }

    /// Keys and values, the latest first.
    pub fn members(&self) -> impl Iterator<Item = (&str, &str)> {
        self.as_str()
            .split(',')
            .filter_map(|member| member.split_once('='))
    }
}

impl FromStr for TraceState {
    type Err = InvalidTraceState;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let members = members::parse([text]).ok_or(InvalidTraceState)?;
        Ok(Self::from_members(members))
    }
}

impl fmt::Display for TraceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for TraceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceState({:?})", self.as_str())
    }
}

impl Serialize for TraceState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What is malformed is nothing, and counted: tracing fails no message.
impl<'de> Deserialize<'de> for TraceState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(text.parse().unwrap_or_else(|InvalidTraceState| {
            runtime::count_fault(|faults| &faults.malformed_tracestates);
            Self::EMPTY
        }))
    }
}
