//! Which messages are recorded, and how many each of them stands for.
//!
//! A random number drawn at every hop would leave a lineage of five hops at a rate of 10 % with a
//! chance of one in 100 000. Here one random number R belongs to the whole trace and one threshold
//! T to each policy, and a message is kept if and only if R ≥ T. So lower rates nest inside higher
//! ones, and what is kept of a trace is kept along its whole way. This is OpenTelemetry's consistent
//! probability sampling, with its encodings (`th`, `rv` of the `ot` entry in `tracestate`).
//!
//! Each event stores its T, so that 1/p, the number of messages it stands for, is known and counts
//! estimated from samples are unbiased. The exact counters beside them count every message.

mod info;
mod randomness;
mod sampler;
mod switch;
mod table;
mod threshold;
mod verdict;

pub use info::SamplingInfo;
pub use randomness::Randomness;
pub(crate) use randomness::RootNumbering;
pub use sampler::{DataFlowSampler, InvalidSampleRate};
pub(crate) use switch::RunPolicy;
pub use switch::Switch;
pub(crate) use table::ThresholdTable;
pub use threshold::{InvalidThreshold, Threshold};
pub use verdict::Verdict;
