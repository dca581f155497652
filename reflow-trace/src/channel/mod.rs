//! Channels that carry the context of every message, unseen.
#[cfg(feature = "async-channel")]
pub mod async_channel;
#[cfg(feature = "crossbeam")]
pub mod crossbeam;
mod ends;
#[cfg(feature = "flume")]
pub mod flume;
mod link;
mod name;
mod parcel;
#[cfg(feature = "tokio")]
mod spare;
pub mod std;
#[cfg(feature = "tokio")]
pub mod tokio;

pub use parcel::Parcel;
