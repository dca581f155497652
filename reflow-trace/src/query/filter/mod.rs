//! Conditions on events, written by people: `execution_time_ns > 10ms AND source_actor LIKE 'sensor_%'`.
//!
//! One grammar serves queries, subscriptions, the command line and the server. A text is read into one
//! tree ([`Expr`]) and checked on the way: fields by a list, values by the kind of their field, size and
//! depth by limits. Nobody pastes a filter into SQL; who wants SQL translates the tree.
//!
//! # Grammar
//!
//! ```text
//! filter     = all { OR all }
//! all        = one { AND one }
//! one        = NOT one | "(" filter ")" | test
//! test       = operand ( "=" | "!=" | "<>" | "<" | "<=" | ">" | ">=" ) operand
//!            | field [ NOT ] IN "(" value { "," value } ")"
//!            | field [ NOT ] BETWEEN value AND value          both ends belong to it
//!            | field [ NOT ] LIKE text [ ESCAPE text ]
//!            | field IS [ NOT ] NULL
//! operand    = field | value                                  at least one of the two is a field
//! field      = a column of the list | attr.name | attr."any name"
//! value      = text | number | TRUE | FALSE
//! text       = 'in single quotes, with '' for a quote inside'
//! number     = [ - ] digits [ . digits ] [ e digits ] [ unit ]    10ms  1.5s  4KiB  10_000_000
//! unit       = ns us µs ms s min h  |  B KB MB GB KiB MiB GiB
//! ```
//!
//! Keywords are written in any case, names of fields as they are. AND binds closer than OR. A unit goes
//! with fields that end in `_ns` or `_bytes`.
//!
//! # Fields
//!
//! | columns | compared with |
//! | --- | --- |
//! | `timestamp` | a time: `'2026-01-31T12:00:00Z'`, `'2026-01-31 12:00'` and `'2026-01-31'` are UTC |
//! | `event_id`, `trace_id`, `parent_event_id`, `root_cause_event_id` | a UUID, for equality |
//! | `event_type`, `outcome` | one of their names, for equality |
//! | `actor_id`, `port` | the actor of the event and its port |
//! | `source_actor`, `source_port`, `destination_actor`, `destination_port` | the ends of the edge, as far as the event knows them |
//! | `message_type`, `message_id`, `checksum`, `error`, `span_id` | text; an id that is a number is its digits |
//! | `execution_time_ns`, `waiting_time_ns` | a number of nanoseconds |
//! | `size_bytes`, `memory_usage_bytes` | a number of bytes |
//! | `queue_depth`, `throughput_msgs_per_sec`, `cpu_usage_percent`, `hop_count`, `weight` | a number |
//!
//! What a program attached to a message is `attr.name`: text, numbers and booleans, each compared with
//! its own kind only. A bare name that is no column is an error, so that a typo finds nothing silently;
//! the four attributes that the specification prints (`protocol`, `compression`, `message_priority`,
//! `message_correlation_id`) are known by their bare names too.
//!
//! # What is not known
//!
//! As in SQL, a comparison with what an event does not know is neither true nor false, and only what is
//! true is found: neither `queue_depth > 3` nor `NOT queue_depth > 3` finds an event without a depth;
//! `queue_depth IS NULL` does. An attribute of another kind than its value is not known either.
//!
//! # LIKE
//!
//! `%` stands for any characters, `_` for one; upper and lower case differ. A backslash takes the
//! meaning from the character behind it, or the character that `ESCAPE` names does; `ESCAPE ''`
//! switches that off.
//!
//! # Limits
//!
//! A text has at most [`FILTER_BYTES_MAX`] bytes, a tree at most [`FILTER_TERMS_MAX`] tests and listed
//! values and [`FILTER_DEPTH_MAX`] levels, a pattern at most [`PATTERN_CHARS_MAX`] characters.

mod asked;
mod bounds;
mod error;
mod evaluate;
mod field;
mod literal;
mod number;
mod parse;
mod pattern;
mod print;
mod similar;
#[cfg(test)]
mod tests;
mod token;
mod tree;
mod value;

use std::fmt;
use std::str::FromStr;

pub use bounds::{Bounds, Range};
#[cfg(feature = "api")]
pub(crate) use error::excerpt_of;
pub use error::{FilterError, FilterErrorKind};
pub use field::{Column, Field, ValueKind};
pub use pattern::{PATTERN_CHARS_MAX, Pattern, PatternError, PatternPart};
pub use print::quoted;
pub(crate) use similar::nearest;
pub use tree::{Comparison, Expr, Literal, Operand, TreeError};
pub use value::{Number, Row, Value};

/// Longest text of a filter, in bytes: 4 KiB.
pub const FILTER_BYTES_MAX: usize = 4 * 1024;
/// Most tests and listed values in a filter.
pub const FILTER_TERMS_MAX: usize = 512;
/// Most levels: each AND, OR, NOT and pair of parentheses on the way down to a test is one.
pub const FILTER_DEPTH_MAX: usize = 64;

/// A condition on events that was read and checked.
///
/// See the [module](self) for what may be written. Printing gives the condition in one form, which is
/// read as the same tree; it may be longer than what was written (`10GiB` has eleven digits).
///
/// # Examples
///
/// ```
/// use reflow_trace::TraceEvent;
/// use reflow_trace::query::filter::Filter;
///
/// let mut event = TraceEvent::data_flow("reader", "out", "store", "in", "Reading", 256);
/// event.data.performance_metrics.execution_time_ns = Some(15_000_000);
///
/// let filter = Filter::parse("execution_time_ns > 10ms and message_type in ('Reading', 'Alarm')")?;
/// assert!(filter.matches(&event));
/// assert_eq!(
///     filter.to_string(),
///     "execution_time_ns > 10000000 AND message_type IN ('Reading', 'Alarm')"
/// );
///
/// let error = Filter::parse("exection_time_ns > 10ms").unwrap_err();
/// assert_eq!(
///     format!("{error:#}"),
///     "no field is called `exection_time_ns`; did you mean `execution_time_ns`? (column 1)\n\
///      exection_time_ns > 10ms\n\
///      ^^^^^^^^^^^^^^^^"
/// );
/// # Ok::<(), reflow_trace::query::filter::FilterError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Filter(Expr);

impl Filter {
    /// Reads a condition.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, with its place and, where there is one, a suggestion.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        parse::parse(text).map(Self)
    }

    /// Takes a tree that was built by a program.
    ///
    /// # Errors
    ///
    /// A tree that no text could have: an AND of nothing, a value of the wrong kind for its field, or one
    /// that is larger than the limits.
    pub fn new(expr: Expr) -> Result<Self, TreeError> {
        tree::check(&expr)?;
        Ok(Self(expr))
    }

    /// The tree, for those who translate it.
    pub fn expr(&self) -> &Expr {
        &self.0
    }

    /// What the column must be for the condition to be true: for pruning before anything is decoded.
    pub fn bounds(&self, column: Column) -> Bounds {
        bounds::bounds(&self.0, column, true)
    }

    /// Whether the condition is true of the row; what is not known is not true.
    pub fn matches(&self, row: &impl Row) -> bool {
        self.evaluate(row) == Some(true)
    }

    /// True, false, or `None` where what the row does not know would decide.
    pub fn evaluate(&self, row: &impl Row) -> Option<bool> {
        evaluate::evaluate(&self.0, row)
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        Self::parse(text)
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
