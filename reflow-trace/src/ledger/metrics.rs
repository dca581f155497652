//! What the tracing says of itself.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ContentLedger, Loss, PropagationFaults};

/// Where every attempt has gone.
///
/// Exact once nothing records any more; while threads record, numbers that are read one after the
/// other may be a few attempts apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Everything a probe saw, and every event recorded by hand.
    pub attempted: u64,
    /// Left out by a policy.
    pub not_sampled: u64,
    /// Handed to the sinks.
    pub collected: u64,
    /// Begun and not ended, or ended and not collected yet.
    pub in_flight: u64,
    /// Lost before collection, by reason; only reasons that occurred.
    pub lost: Vec<Loss>,
    /// What became of the collected events at each sink.
    pub sinks: Vec<SinkLedger>,
}

/// What became of the collected events at one sink: `collected = stored + queued + pending + Σ lost`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinkLedger {
    /// Name of the sink.
    pub name: String,
    /// Written; at a server client, acknowledged as durably stored.
    pub stored: u64,
    /// Waiting for the sink.
    pub queued: u64,
    /// Taken by the sink and not settled: at a server client, what waits in memory or in the spool for
    /// the server's acknowledgement. 0 for sinks that write what they take.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub pending: u64,
    /// Lost for this sink, by reason; only reasons that occurred.
    pub lost: Vec<Loss>,
    /// The last thing that went wrong, in words.
    pub last_error: Option<String>,
}

/// Only few sinks leave anything pending.
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Ledger {
    /// Attempts lost before collection.
    pub fn lost_total(&self) -> u64 {
        self.lost.iter().map(|loss| loss.count).sum()
    }

    /// Whether the law holds: `attempted = not sampled + collected + in flight + Σ lost`, and for each
    /// sink `collected = stored + queued + pending + Σ lost`.
    pub fn balances(&self) -> bool {
        let accounted = self.not_sampled + self.collected + self.in_flight + self.lost_total();
        self.attempted == accounted
            && self.sinks.iter().all(|sink| {
                let lost: u64 = sink.lost.iter().map(|loss| loss.count).sum();
                self.collected == sink.stored + sink.queued + sink.pending + lost
            })
    }
}

/// How the tracing performs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TracingMetrics {
    /// Events collected in the last second.
    pub events_per_second: f64,
    /// Time from the end of the first event of a batch until the batch went to the sinks; mean over the
    /// batches of the last second; milliseconds.
    pub avg_latency_ms: f64,
    /// Memory of rings, queues and dictionaries; megabytes of 10⁶ bytes.
    pub memory_usage_mb: f64,
    /// Where every attempt has gone.
    pub ledger: Ledger,
    /// Contents that were asked for and are not whole.
    #[serde(default)]
    pub content: ContentLedger,
    /// What came in from outside and could not be used.
    #[serde(default, skip_serializing_if = "PropagationFaults::is_empty")]
    pub propagation_faults: PropagationFaults,
    /// Message types whose `#[sample]` was not found; in the order of their names.
    #[serde(default)]
    pub policies_not_found: Vec<PolicyNotFound>,
}

/// A message type that has a policy, of which the connector or actor knows nothing.
///
/// Its messages were recorded as those of any type without one. The type is generic, and the impl that sends or
/// handles it is generic over its messages: there the policy is found only with the bound
/// `M: reflow_trace::Message`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyNotFound {
    /// Name of the type.
    pub message_type: String,
    /// Messages sent, received or handled without the policy.
    pub messages: u64,
}

impl fmt::Display for TracingMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "events per second  {:.0}", self.events_per_second)?;
        writeln!(f, "average latency    {:.3} ms", self.avg_latency_ms)?;
        writeln!(f, "memory             {:.2} MB", self.memory_usage_mb)?;
        write!(f, "{}{}", self.ledger, self.propagation_faults)?;
        if !self.content.is_whole() {
            writeln!(f, "{}", self.content)?;
        }
        for PolicyNotFound {
            message_type,
            messages,
        } in &self.policies_not_found
        {
            writeln!(
                f,
                "policy not found for {messages} messages `{message_type}`: a generic type needs the bound \
                 `M: reflow_trace::Message` where it is sent or handled"
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "attempted {} = not sampled {} + collected {} + lost {} + in flight {}",
            self.attempted,
            self.not_sampled,
            self.collected,
            self.lost_total(),
            self.in_flight
        )?;
        for loss in &self.lost {
            writeln!(f, "  lost {}: {}", loss.reason, loss.count)?;
        }
        for sink in &self.sinks {
            let lost: u64 = sink.lost.iter().map(|loss| loss.count).sum();
            write!(
                f,
                "sink {}: stored {}, queued {}, ",
                sink.name, sink.stored, sink.queued
            )?;
            if sink.pending > 0 {
                write!(f, "pending {}, ", sink.pending)?;
            }
            writeln!(f, "lost {lost}")?;
            for loss in &sink.lost {
                writeln!(f, "  lost {}: {}", loss.reason, loss.count)?;
            }
            if let Some(error) = &sink.last_error {
                writeln!(f, "  {}", error.escape_debug())?;
            }
        }
        Ok(())
    }
}
