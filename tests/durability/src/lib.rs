//! What dies, breaks and fills up between a probe and the store, and what must hold all the same.
//!
//! A [`process::ServerProcess`] and a [`process::ClientProcess`] are real programs that a test may kill at
//! any moment. Between them stands a [`proxy::Proxy`], which cuts the bytes into messages, does to them what
//! a seed says, and lets a [`witness::Witness`] see everything: what was sent, what was acknowledged, and so
//! what was under way when something died. Afterwards the [`oracle`] reads the store as the next server would,
//! and compares.
//!
//! [`load`] is for measurements: how much, how fast, at what price.
//!
//! The simulation of the same, with a clock, a disk and a network of its own, is in `tests/simulation`.

pub mod histogram;
pub mod load;
pub mod oracle;
pub mod process;
pub mod proxy;
pub mod runs;
pub mod shared;
pub mod spool;
pub mod websocket;
pub mod witness;
