//! Answers as text for people.

mod amount;
mod edges;
mod event;
mod fit;
mod lineage;
mod work;

pub(super) use amount::{bytes, counted, counted_batches, moment};
pub(super) use edges::{edges, losses};
pub(super) use event::{events, line};
pub(super) use fit::{Fit, Head};
pub(super) use lineage::lineage;
pub(super) use work::work;
