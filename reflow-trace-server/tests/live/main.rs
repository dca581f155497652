//! The server's live side from outside: Reflow's protocol, pages that listen, tickets, and what goes wrong.
//!
//! One program, so that the server is linked once. Each test starts servers of its own.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of tests that unwraps says where it failed"
)]

mod faults;
mod page;
mod reflow;
mod store;
mod talk;
