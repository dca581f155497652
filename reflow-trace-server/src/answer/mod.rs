//! Answers to the questions of [`reflow_trace::api`].
//!
//! [`Engine`] takes a question from the door, waits for a place among a bounded number, pins a snapshot
//! of the store, and answers on a thread where waiting is allowed, within a time, a memory and a number of
//! events ([`Asking`]). Every kind of question is a file here, a function of a snapshot; none of them
//! knows where the question came from.

mod asking;
mod bounded;
mod dependencies;
mod edges;
mod engine;
mod events;
mod flows;
mod graph;
mod lineage;
mod metrics;
mod missing;
#[cfg(feature = "sql")]
mod sql;
#[cfg(test)]
mod tests;

pub(crate) use asking::{Asking, Rights};
pub(crate) use engine::{Engine, of_query};
