//! What is known about an event.

use std::collections::HashMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The payload of a [`TraceEvent`](crate::TraceEvent).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TraceEventData {
    /// The port of the event's actor.
    pub port: Option<String>,
    /// The message that flowed.
    pub message: Option<MessageSnapshot>,
    /// A change of an actor's state.
    pub state_diff: Option<StateDiff>,
    /// What went wrong, in words.
    pub error: Option<String>,
    /// Times, sizes and depths.
    pub performance_metrics: PerformanceMetrics,
    /// Everything else, by name.
    pub custom_attributes: HashMap<String, serde_json::Value>,
}

/// What is kept of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageSnapshot {
    /// Name of the Rust type or of the enum variant.
    pub message_type: String,
    /// Size in bytes; see `size_is_shallow`.
    pub size_bytes: usize,
    /// `sha256:` and 64 hexadecimal digits over `serialized_data`, or `hmac-sha256:` where the recording
    /// has a key; empty when nothing was captured.
    pub checksum: String,
    /// The captured content, JSON; empty unless capture was asked for.
    pub serialized_data: Vec<u8>,
    /// The size is only that of the value itself, without what it points to.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub size_is_shallow: bool,
    /// `serialized_data` is only the beginning: the rest did not fit, or was nested too deep.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub content_is_truncated: bool,
}

/// A change of state, for debugging backwards in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateDiff {
    /// The serialized state before, where it was kept.
    pub before: Option<Vec<u8>>,
    /// The serialized state, or the change, after.
    pub after: Vec<u8>,
    /// How to read `after`.
    pub diff_type: StateDiffType,
}

/// How a [`StateDiff`] is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StateDiffType {
    /// The whole state.
    Full,
    /// The change only.
    Incremental,
    /// The whole state, never written to storage.
    MemoryOnly,
}

/// Times, sizes and depths of one event. `None` means not known.
///
/// Reflow's protocol has plain numbers here. In JSON an unknown number is written as 0 and named in
/// an additional `unknown` list, so that both readers get what they expect and nothing is lost. So is
/// one that is infinite or no number, which JSON cannot hold. A `null` is read as unknown too.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PerformanceMetrics {
    /// Duration of the send, or of the handling for `MessageReceived`; nanoseconds.
    pub execution_time_ns: Option<u64>,
    /// What the message holds in memory including its heap, where the type tells; bytes.
    pub memory_usage_bytes: Option<usize>,
    /// CPU time of the whole process over the last second; per cent of one core, so it may exceed 100.
    pub cpu_usage_percent: Option<f32>,
    /// How many messages were waiting at the destination before this one.
    pub queue_depth: Option<usize>,
    /// Messages over this edge in the last second, sampled or not.
    pub throughput_msgs_per_sec: Option<f64>,
    /// Time between the send and the taking up, from a stamp that travels with the message; nanoseconds.
    pub waiting_time_ns: Option<u64>,
}

/// The JSON form: the protocol's five numbers, then what it lacks.
#[derive(Serialize)]
struct MetricsInJson {
    execution_time_ns: u64,
    memory_usage_bytes: usize,
    cpu_usage_percent: f32,
    queue_depth: usize,
    throughput_msgs_per_sec: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_time_ns: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unknown: Vec<String>,
}

/// What is read: later versions of the protocol write `null` for what was not measured, or nothing.
#[derive(Default, Deserialize)]
#[serde(default)]
struct MetricsFromJson {
    execution_time_ns: Option<u64>,
    memory_usage_bytes: Option<usize>,
    cpu_usage_percent: Option<f32>,
    queue_depth: Option<usize>,
    throughput_msgs_per_sec: Option<f64>,
    waiting_time_ns: Option<u64>,
    unknown: Vec<String>,
}

impl Serialize for PerformanceMetrics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // JSON has neither infinities nor NaN, and a line with one could be read by nobody.
        let cpu_usage_percent = self.cpu_usage_percent.filter(|cpu| cpu.is_finite());
        let throughput_msgs_per_sec = self
            .throughput_msgs_per_sec
            .filter(|throughput| throughput.is_finite());
        let unknown = [
            ("execution_time_ns", self.execution_time_ns.is_none()),
            ("memory_usage_bytes", self.memory_usage_bytes.is_none()),
            ("cpu_usage_percent", cpu_usage_percent.is_none()),
            ("queue_depth", self.queue_depth.is_none()),
            ("throughput_msgs_per_sec", throughput_msgs_per_sec.is_none()),
        ];
        MetricsInJson {
            execution_time_ns: self.execution_time_ns.unwrap_or_default(),
            memory_usage_bytes: self.memory_usage_bytes.unwrap_or_default(),
            cpu_usage_percent: cpu_usage_percent.unwrap_or_default(),
            queue_depth: self.queue_depth.unwrap_or_default(),
            throughput_msgs_per_sec: throughput_msgs_per_sec.unwrap_or_default(),
            waiting_time_ns: self.waiting_time_ns,
            unknown: unknown
                .into_iter()
                .filter(|&(_, is_unknown)| is_unknown)
                .map(|(name, _)| name.to_owned())
                .collect(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PerformanceMetrics {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = MetricsFromJson::deserialize(deserializer)?;
        let known = |name: &str| !json.unknown.iter().any(|unknown| unknown == name);
        Ok(Self {
            execution_time_ns: json
                .execution_time_ns
                .filter(|_| known("execution_time_ns")),
            memory_usage_bytes: json
                .memory_usage_bytes
                .filter(|_| known("memory_usage_bytes")),
            cpu_usage_percent: json
                .cpu_usage_percent
                .filter(|_| known("cpu_usage_percent")),
            queue_depth: json.queue_depth.filter(|_| known("queue_depth")),
            throughput_msgs_per_sec: json
                .throughput_msgs_per_sec
                .filter(|_| known("throughput_msgs_per_sec")),
            waiting_time_ns: json.waiting_time_ns,
        })
    }
}
