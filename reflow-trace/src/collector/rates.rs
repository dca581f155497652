//! Rates over the last second.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::process::cpu_seconds;
use crate::edge::EdgeNumber;

/// The window over which rates are measured.
const WINDOW: Duration = Duration::from_secs(1);

/// Measures anew whenever a window has passed.
pub(super) struct Rates {
    since: Instant,
    cpu_before: Option<f64>,
    messages_before: HashMap<EdgeNumber, u64>,
    collected_before: u64,
    latency_sum_ns: f64,
    latency_count: u32,
    pub(super) cpu_usage_percent: Option<f32>,
    pub(super) throughput: Arc<HashMap<EdgeNumber, f64>>,
    pub(super) events_per_second: f64,
    pub(super) latency_ms: f64,
}

impl Rates {
    pub(super) fn new() -> Self {
        Self {
            since: Instant::now(),
            cpu_before: cpu_seconds(),
            messages_before: HashMap::new(),
            collected_before: 0,
            latency_sum_ns: 0.0,
            latency_count: 0,
            cpu_usage_percent: None,
            throughput: Arc::default(),
            events_per_second: 0.0,
            latency_ms: 0.0,
        }
    }

    pub(super) fn note_latency(&mut self, ns: u64) {
        self.latency_sum_ns += ns as f64;
        self.latency_count += 1;
    }

    /// Looks at the totals; before the first window is over the rates are those since the start.
    pub(super) fn look(
        &mut self,
        collected: u64,
        messages: impl FnOnce() -> HashMap<EdgeNumber, u64>,
    ) {
        let elapsed = self.since.elapsed();
        if elapsed < WINDOW {
            return;
        }
        let seconds = elapsed.as_secs_f64();
        let cpu = cpu_seconds();
        self.cpu_usage_percent = cpu
            .zip(self.cpu_before)
            .map(|(now, before)| (100.0 * (now - before) / seconds) as f32);
        let now = messages();
        let rate = |(&edge, &count): (&EdgeNumber, &u64)| {
            let before = self.messages_before.get(&edge).copied().unwrap_or(0);
            (edge, count.saturating_sub(before) as f64 / seconds)
        };
        self.throughput = Arc::new(now.iter().map(rate).collect());
        self.events_per_second = collected.saturating_sub(self.collected_before) as f64 / seconds;
        if self.latency_count > 0 {
            self.latency_ms = self.latency_sum_ns / f64::from(self.latency_count) / 1e6;
        }
        (self.latency_sum_ns, self.latency_count) = (0.0, 0);
        self.messages_before = now;
        self.collected_before = collected;
        self.cpu_before = cpu;
        self.since = Instant::now();
    }

    /// The rates so far, for a question that comes before the first window is over.
    pub(super) fn provisional(&self, collected: u64) -> (f64, f64) {
        let seconds = self.since.elapsed().as_secs_f64();
        let is_first = self.collected_before == 0 && self.events_per_second == 0.0;
        let rate = if is_first && seconds > 0.0 {
            collected as f64 / seconds
        } else {
            self.events_per_second
        };
        let latency = if self.latency_ms == 0.0 && self.latency_count > 0 {
            self.latency_sum_ns / f64::from(self.latency_count) / 1e6
        } else {
            self.latency_ms
        };
        (rate, latency)
    }
}
