//! What flowed over each edge.

use reflow_trace::api::{ApiError, EdgeSums, EdgesAnswer, ErrorCode, LossSum, SpanQuestion, Times};

use super::Asking;
use super::flows::{Flow, gather};
use crate::store::Snapshot;
use crate::store::rollup::{EdgeName, Histogram};

/// Bytes of a row as JSON without its names, nearly.
const ROW_BYTES: usize = 480;

/// What flowed over each edge.
pub(crate) fn edges(
    view: &dyn Snapshot,
    asked: &SpanQuestion,
    asking: &Asking,
) -> Result<EdgesAnswer, ApiError> {
    let gathered = gather(view, asked.time_range, asked.actor.as_deref(), asking)?;
    let bytes = gathered.flows.keys().map(|(edge, message_type)| {
        let names = [
            &edge.from_actor,
            &edge.from_port,
            &edge.to_actor,
            &edge.to_port,
            message_type,
        ];
        ROW_BYTES + names.iter().map(|name| name.len()).sum::<usize>()
    });
    check_size(bytes.sum(), gathered.flows.len(), asking)?;
    let edges = gathered.flows.into_iter();
    let losses = gathered.losses.iter().map(|loss| LossSum {
        reason: loss.reason,
        count: loss.count,
    });
    Ok(EdgesAnswer {
        edges: edges
            .map(|((edge, name), flow)| sums(edge, name, &flow))
            .collect(),
        losses: losses.collect(),
        time_range: gathered.span,
        work: asking.work(),
    })
}

/// That an answer of so many bytes about so many edges may be given.
pub(super) fn check_size(bytes: usize, edges: usize, asking: &Asking) -> Result<(), ApiError> {
    let bytes_max = asking.limits.answer_bytes_max;
    if bytes <= bytes_max {
        return Ok(());
    }
    Err(ApiError::new(
        ErrorCode::TooLarge,
        format!(
            "the answer has {edges} edges and about {bytes} bytes, more than the {bytes_max} of `query.answer_bytes_max`: name an `actor`, or ask about a shorter time"
        ),
    ))
}

fn sums(edge: EdgeName, message_type: String, flow: &Flow) -> EdgeSums {
    EdgeSums {
        from_actor: edge.from_actor,
        from_port: edge.from_port,
        to_actor: edge.to_actor,
        to_port: edge.to_port,
        message_type,
        messages: flow.messages,
        failures: flow.failures,
        received: flow.received,
        dropped: flow.dropped,
        events: flow.events,
        bytes: flow.bytes,
        execution: times(&flow.execution),
        waiting: times(&flow.waiting),
    }
}

fn times(histogram: &Histogram) -> Option<Times> {
    let at = |share| histogram.quantile(share);
    Some(Times {
        count: histogram.count(),
        mean_ns: histogram.total_ns() as f64 / histogram.count().max(1) as f64,
        p50_ns: at(0.50)?,
        p90_ns: at(0.90)?,
        p99_ns: at(0.99)?,
        max_ns: histogram.max_ns(),
    })
}
