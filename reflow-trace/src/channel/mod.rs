//! Channels that carry the context of every message, unseen.
#[cfg(feature = "crossbeam")]
pub mod crossbeam;
mod ends;
mod link;
mod name;
mod parcel;
#[cfg(feature = "tokio")]
mod spare;
pub mod std;
#[cfg(feature = "tokio")]
pub mod tokio;

pub use parcel::Parcel;
