//! What may be wrong with a question.

use std::fmt;

use chrono::{DateTime, Utc};
use thiserror::Error;

use super::LISTED_MAX;
use super::filter::FilterError;

/// Why a question was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum QueryError {
    /// A condition cannot be read.
    #[error("`{part}`: {error}")]
    Filter {
        /// Which of the two.
        part: QueryPart,
        /// What is wrong, and where.
        #[source]
        error: FilterError,
    },
    /// The time range ends before it begins.
    #[error(
        "`time_range` ends at {end}, before it begins at {start}; write the earlier time first"
    )]
    TimeRangeReversed {
        /// The first time.
        start: DateTime<Utc>,
        /// The second.
        end: DateTime<Utc>,
    },
    /// A list without members, which no event could be in.
    #[error("`{0}` is an empty list, which finds nothing; leave it out to find everything")]
    EmptyList(QueryPart),
    /// A list with more than [`LISTED_MAX`] members.
    #[error("`{part}` lists {listed}, and at most {LISTED_MAX} are looked for")]
    ListTooLong {
        /// Which list.
        part: QueryPart,
        /// How many it lists.
        listed: usize,
    },
}

impl QueryError {
    /// The line of the condition and a line with carets under the place, where a condition is wrong.
    pub fn excerpt(&self) -> Option<&str> {
        match self {
            Self::Filter { error, .. } => Some(error.excerpt()),
            _ => None,
        }
    }
}

/// A part of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QueryPart {
    /// `custom_filter`
    CustomFilter,
    /// `performance_filter`
    PerformanceFilter,
    /// `event_types`
    EventTypes,
    /// `actor_ids`
    ActorIds,
}

impl QueryPart {
    /// The name of the field.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CustomFilter => "custom_filter",
            Self::PerformanceFilter => "performance_filter",
            Self::EventTypes => "event_types",
            Self::ActorIds => "actor_ids",
        }
    }
}

impl fmt::Display for QueryPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
