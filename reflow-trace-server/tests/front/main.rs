//! The front of the server from outside: what comes in, what is refused and how, what is acknowledged.
//!
//! One program, so that the server is linked once. Each test starts servers of its own, on any free port,
//! with a store in memory that fails when it is told to.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of tests that unwraps says where it failed"
)]

mod client;
mod doors;
mod frames;
mod operation;
mod program;
mod raw;
mod server;
mod store;
mod tls;
mod whole;
