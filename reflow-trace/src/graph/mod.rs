//! Pictures and tables of who sends what to whom.
//!
//! A [`DataFlowGraph`] is gathered from events, or from numbers that a store already has, and shown as
//! SVG, DOT, Mermaid, JSON or a table. The way of the data through this folder: `collect` counts, `model`
//! holds what was counted, `label` chooses the words and `text` makes names harmless; then `layout`
//! finds the places and `svg`, `dot`, `mermaid`, `json` and `table` write.
//!
//! # How names are shown
//!
//! A name is hostile until proven otherwise. [`DataFlowGraph`] keeps it whole; every output shows it
//! by these rules:
//!
//! - Control characters appear as their symbols (`␊`, `␛`); what XML forbids, marks that turn the
//!   direction of writing and invisible characters appear as `�`. Blanks alone appear as `␣`.
//! - An empty name appears as `(no name)`, `(no type)` or `(no port)`.
//! - In a picture an actor has 28 columns, a message type 30 and a port 16; in a table it is 36, 36 and
//!   18. A wider name keeps its beginning and its end around a `…`. Tooltips have up to 1 000
//!   characters and say how many there are.

mod collect;
mod dot;
mod file;
mod json;
mod label;
mod layout;
mod mermaid;
mod model;
pub(crate) mod numbers;
mod percentile;
mod svg;
mod table;
pub(crate) mod text;

pub use file::RenderError;
pub use model::{ActorNode, Count, DataFlowGraph, FlowEdge, MessageFlow, Percentiles};

#[cfg(test)]
mod tests;
