//! What the tracing says of many messages, against a count that does not come from it.
//!
//! Random networks of real actors send over traced connectors and traced channels; atomics beside them
//! count the truth. The tests here are quick; `cargo xtask measure statistics` runs them with a million messages a
//! run (`STATISTICS_FULL`), and prints the figures of `docs/STATISTICS.md`.
//!
//! Every run prints its seed. `STATISTICS_SEED=17` runs the network of that seed only; threads take
//! turns as they like, and R is random, so that it is the same network and not the same run.

#![deny(warnings)]
#![forbid(unsafe_code)]

mod bound;
mod chain;
mod chance;
mod coverage;
mod job;
mod judge;
mod network;
mod runs;
mod truth;
