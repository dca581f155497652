//! Answers over events: where a message came from, what it led to, where it waited, what is missing.
//!
//! Everything here is computed from the events that a sink has kept ([`MemorySink::events`], the lines of
//! a file), in this process, without a server. A [`FlowIndex`] is built once and asked often:
//!
//! | question | ask |
//! | --- | --- |
//! | what led to this message, what did it lead to, which way took longest | [`FlowIndex::lineage`] |
//! | is all of this trace there | [`FlowIndex::completeness`] |
//! | what was sent and did not flow | [`FlowIndex::missing_flows`] |
//! | who depends on which sources | [`FlowIndex::dependency_map`] |
//! | where does the time go | [`FlowIndex::edge_shares`] |
//! | who is slow, who only waits | [`FlowIndex::bottleneck`] |
//! | how many were there, by the samples | [`FlowIndex::estimate`], [`FlowIndex::edge_estimates`] |
//!
//! [`fill_causality`] fills the causality fields of the specification in the events themselves.
//!
//! [`MemorySink::events`]: crate::MemorySink::events
//!
//! # What holds everywhere
//!
//! - Events are hostile input: cycles, events that cause themselves, missing causes, repeated ids, chains
//!   of any length and names of any kind are answered, without recursion and in nearly linear time.
//! - What is not known is `None`, *unknown* or *at least*, never invented.
//! - The order of the events means nothing, but for which of several events with one id is believed (the
//!   first) and which step of a made-up cycle is not.
//! - Texts for the terminal show names with their control characters made harmless.
//!
#![doc = include_str!("rules.md")]

mod actor_sets;
#[cfg(feature = "api")]
mod answered;
mod bottleneck;
mod complete;
mod critical;
mod depend;
mod estimate;
mod fill;
mod hop;
mod index;
mod lists;
mod missing;
mod network;
mod notices;
mod numbers;
mod pairing;
mod shares;
mod show;
mod story;
mod times;

#[cfg(test)]
mod tests;

pub use bottleneck::{ActorPressure, Bottleneck, EVIDENCE_MIN, Pressure};
pub use complete::{Completeness, CoverageHistory, Doubt, Missing, Testimony};
pub use critical::{CriticalPart, CriticalPath};
pub use depend::{Dependency, DependencyMap};
pub use estimate::{EdgeEstimate, Estimate};
pub use fill::{CHAIN_MAX, fill_causality};
pub use hop::Hop;
pub use index::{FlowIndex, named_causes};
pub use missing::{MissingFlow, MissingReason, is_flow_of};
pub use numbers::{Numbers, Run};
pub use pairing::{PAIRED_WITHIN_NS, Pairing};
pub use shares::EdgeShare;
pub use story::{Lineage, Role, Step, Subject};
