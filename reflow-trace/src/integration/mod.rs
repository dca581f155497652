//! Events recorded by hand, and questions to the tracing itself.
//!
//! What is recorded here goes through a bounded queue to the collector. Nothing waits and nothing
//! fails: when the queue is full the event is lost and counted as `manual_queue_full`. So a `?` behind
//! these calls never turns a fault of the tracing into a fault of the program.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use uuid::Uuid;

use crate::context::{Causes, FurtherCauses};
use crate::event::TraceEvent;
use crate::ledger::TracingMetrics;
use crate::probe::{CAUSES_NOT_NAMED, PARENT_SPAN_ID};
use crate::runtime::{self, ByHand, Runtime};
use crate::sampling::{
    DataFlowSampler, InvalidSampleRate, Randomness, SamplingInfo, Switch, Threshold,
};

/// The recording of this process, or `None` when nothing is recorded.
///
/// # Examples
///
/// ```
/// # async fn send() -> Result<(), reflow_trace::TraceError> {
/// use reflow_trace::global_tracing;
///
/// if let Some(tracing) = global_tracing() {
///     tracing.trace_data_flow("reader", "out", "validator", "in", "SensorReading", 256).await?;
/// }
/// # Ok(())
/// # }
/// ```
pub fn global_tracing() -> Option<TracingIntegration> {
    if !runtime::may_be_on() {
        return None;
    }
    runtime::current().map(|runtime| TracingIntegration { runtime })
}

/// The manual interface to a recording. Cloning is cheap.
#[derive(Clone)]
pub struct TracingIntegration {
    runtime: Arc<Runtime>,
}

/// What the manual interface may answer instead of doing what it was asked: nothing, as of now.
///
/// The type is there for what may come, so that calls are written with a `?` from the beginning. That a recording
/// has ended will not be an error: what is recorded after it goes nowhere, and the program goes on as if it
/// were not traced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {}

impl TracingIntegration {
    /// Records that a message was delivered.
    ///
    /// Inside a handler of a `#[traced_actor]` the event is caused by what is being handled. The
    /// [`DataFlowSampler`](crate::DataFlowSampler) of the recording decides.
    ///
    /// # Errors
    ///
    /// Never; the type is there for what may come.
    #[expect(clippy::unused_async, reason = "the specification awaits it")]
    pub async fn trace_data_flow(
        &self,
        from_actor: &str,
        from_port: &str,
        to_actor: &str,
        to_port: &str,
        message_type: &str,
        size_bytes: usize,
    ) -> Result<(), TraceError> {
        let policy = self.runtime.policy();
        let threshold = policy
            .sampler
            .as_ref()
            .map_or(Threshold::ALWAYS, |sampler| {
                sampler.threshold(from_actor, to_actor)
            });
        let causes = Causes::current();
        let cause = *causes.first();
        let randomness = cause
            .randomness()
            .unwrap_or_else(|| Randomness::from_bits(Uuid::new_v4().as_u128() as u64));
        if !threshold.keeps(randomness) {
            self.runtime
                .by_hand_not_sampled
                .fetch_add(1, Ordering::Relaxed);
            self.runtime
                .by_hand_attempted
                .fetch_add(1, Ordering::Release);
            return Ok(());
        }
        let mut event = TraceEvent::data_flow(
            from_actor,
            from_port,
            to_actor,
            to_port,
            message_type,
            size_bytes,
        );
        event.sampling = SamplingInfo::by(threshold);
        if cause.is_linked() {
            event.trace_id = cause.trace_id();
            event.causality.parent_event_id = cause.event_id();
            event.causality.root_cause_event_id = None;
            event.causality.hop_count = cause.known_hops();
            if let Some(span) = cause.parent_span_id() {
                let attributes = &mut event.data.custom_attributes;
                attributes.insert(PARENT_SPAN_ID.to_owned(), format!("{span:016x}").into());
            }
            name_further(causes.further(), &mut event);
        }
        self.record(event);
        Ok(())
    }

    /// Records an event as it is.
    ///
    /// # Errors
    ///
    /// Never; the type is there for what may come.
    #[expect(clippy::unused_async, reason = "the specification awaits it")]
    pub async fn record_event(&self, event: TraceEvent) -> Result<(), TraceError> {
        self.record(event);
        Ok(())
    }

    /// Records an event as it is, from code that is not async.
    pub fn record(&self, event: TraceEvent) {
        self.runtime
            .by_hand_attempted
            .fetch_add(1, Ordering::Release);
        let queue = &self.runtime.by_hand;
        if queue
            .try_send(ByHand {
                event: Box::new(event),
            })
            .is_err()
        {
            self.runtime.by_hand_lost.fetch_add(1, Ordering::Release);
        }
        // Half full is early enough: the collector looks by itself before long.
        if queue
            .capacity()
            .is_some_and(|capacity| queue.len() * 2 >= capacity)
        {
            self.runtime.wake_collector();
        }
    }

    /// Replaces the [`DataFlowSampler`]; `None` leaves the decision to the types. Every thread decides by
    /// it from its next message on, and no message is decided by both.
    ///
    /// # Errors
    ///
    /// When its rate is no probability; the one before stays in force.
    pub fn set_sampler(&self, sampler: Option<DataFlowSampler>) -> Result<(), InvalidSampleRate> {
        if let Some(sampler) = &sampler {
            sampler.validate()?;
        }
        self.runtime
            .change_policy(|policy| policy.sampler = sampler);
        Ok(())
    }

    /// The sampler in force.
    pub fn sampler(&self) -> Option<DataFlowSampler> {
        self.runtime.policy().sampler.clone()
    }

    /// Switches an edge, a message type or an actor off: its messages are not even counted. True when it was
    /// on.
    ///
    /// Every thread heeds it from its next message on. What is under way goes on; contexts that come with
    /// messages are passed on as they came.
    ///
    /// # Examples
    ///
    /// ```
    /// use reflow_trace::{global_tracing, sampling::Switch};
    ///
    /// if let Some(tracing) = global_tracing() {
    ///     tracing.switch_off(Switch::message_type("DebugInfo"));
    ///     tracing.switch_off(Switch::edge("reader", "out", "validator", "in"));
    ///     // … later …
    ///     tracing.switch_on(&Switch::message_type("DebugInfo"));
    /// }
    /// ```
    pub fn switch_off(&self, switch: Switch) -> bool {
        let mut was_on = false;
        self.runtime
            .change_policy(|policy| was_on = policy.switch_off(switch));
        was_on
    }

    /// Switches on what was switched off; true when it was off.
    pub fn switch_on(&self, switch: &Switch) -> bool {
        let mut was_off = false;
        self.runtime
            .change_policy(|policy| was_off = policy.switch_on(switch));
        was_off
    }

    /// How the tracing performs and where every attempt has gone, as the collector saw it when it last
    /// looked: at most half a second ago, and exactly as of a flush that came right before.
    ///
    /// # Errors
    ///
    /// Never; the type is there for what may come.
    #[expect(clippy::unused_async, reason = "the specification awaits it")]
    pub async fn get_performance_metrics(&self) -> Result<TracingMetrics, TraceError> {
        Ok(self.performance_metrics())
    }

    /// The same, from code that is not async.
    pub fn performance_metrics(&self) -> TracingMetrics {
        self.runtime
            .metrics
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The exact counters of every edge and message type, as they are now.
    pub fn edge_counters(&self) -> crate::ledger::CounterSnapshot {
        self.runtime.counters()
    }
}

fn name_further(further: &FurtherCauses, event: &mut TraceEvent) {
    event.causality.joined_event_ids = further.events().to_vec();
    if further.unnamed() > 0 {
        let attributes = &mut event.data.custom_attributes;
        attributes.insert(CAUSES_NOT_NAMED.to_owned(), further.unnamed().into());
    }
}

impl std::fmt::Debug for TracingIntegration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TracingIntegration").finish_non_exhaustive()
    }
}
