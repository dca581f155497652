//! Questions about events: what is asked, whether an event is an answer, and the filters in between.
//!
//! [`TraceQuery`] and [`SubscriptionFilters`] are the question as the specification writes it. Compiling
//! it checks everything at once ([`QueryError`]) and gives the form that looks at events, which is the
//! same for events in memory, for a store and for a live stream. What a condition may say is in
//! [`filter`].
//!
//! # What the parts mean
//!
//! * All parts that are given must hold; a part that is left out holds for every event.
//! * `time_range`: from the first time to the second, both included.
//! * `event_types`: one of them. In a `DataFlow`, `"*"` stands for any actor or any port; an actor that is
//!   really called `*` is found by a filter.
//! * Actors: an event concerns an actor that it happened at and the one that it names as its destination.
//!   To ask for one end only, write a filter: `source_actor = 'reader'`.
//! * `custom_filter` and `performance_filter`: two conditions of the same grammar.
//! * `offset` and `limit`: how many answers to leave out first, and how many to give at most.

mod compiled;
mod error;
mod event_types;
pub mod filter;
mod subscription;
#[cfg(test)]
mod tests;
mod trace_query;

pub use compiled::{CompiledQuery, CompiledSubscription};
pub use error::{QueryError, QueryPart};
pub use event_types::EventTypes;
pub use filter::{Filter, FilterError};
pub use subscription::SubscriptionFilters;
pub use trace_query::TraceQuery;

/// Most kinds of events and most actors that one question lists.
pub const LISTED_MAX: usize = 1_024;
