//! Questions from outside: what is answered, what is refused and how, and that nobody harms anybody else.
//!
//! One program, so that the server is linked once. Each test starts servers of its own, on any free port.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of tests that unwraps says where it failed"
)]

mod client;
mod endless;
mod faults;
mod http;
mod scene;
mod slow;
mod socket;
