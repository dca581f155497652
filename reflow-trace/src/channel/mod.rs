//! Channels that carry the context of every message, unseen.
mod ends;
mod link;
mod name;
mod parcel;
pub mod std;
pub use parcel::Parcel;
