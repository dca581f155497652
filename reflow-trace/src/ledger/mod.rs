//! What was counted and what was lost.
//!
//! Every message is counted, sampled or not, and every attempt that was to be recorded and is not
//! stored is counted as lost with a reason. The law that tests check and users can read:
//!
//! `attempted = not sampled + collected + Σ lost by reason + in flight`
//!
//! Counters and losses travel among the events as `NetworkEvent`s of the actor
//! [`TRACING_ACTOR`], so that a file of events tells the whole truth about itself.

mod content;
mod counters;
mod coverage;
mod loss;
mod metrics;
mod propagation;

pub use content::ContentLedger;
pub use counters::{CounterSnapshot, EdgeCounters};
pub use coverage::{Coverage, RingCoverage};
pub use loss::{Loss, LossReason};
pub use metrics::{Ledger, SinkLedger, TracingMetrics};
pub use propagation::PropagationFaults;

/// The `actor_id` of events that the tracing reports about itself.
pub const TRACING_ACTOR: &str = "reflow-trace";
