//! The command line from outside: the real program, a real server, real directories.
//!
//! One program, so that everything is linked once. Nothing here looks at a clock or waits for a time: what is
//! waited for is an answer.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of tests that unwraps says where it failed"
)]

mod ask;
mod doctor;
mod events;
mod export;
mod harm;
mod import;
mod program;
#[cfg(target_os = "linux")]
mod signal;
mod tail;
mod words;
