//! The row of tracing with OpenTelemetry: a span with six fields, batched, exported to nowhere.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider, SpanData, SpanExporter,
};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::Connector;
use crate::shared::rows::{Expect, Row};
use crate::shared::work::{Full, Load, Messages};
use crate::shared::{Failure, RING_SLOTS};

/// Counts the spans and throws them away.
#[derive(Debug)]
struct Discard(Arc<AtomicU64>);

impl SpanExporter for Discard {
    async fn export(&self, spans: Vec<SpanData>) -> OTelSdkResult {
        self.0.fetch_add(spans.len() as u64, Ordering::Release);
        Ok(())
    }
}

/// How many spans have arrived.
pub(crate) struct Arrived {
    provider: SdkTracerProvider,
    arrived: Arc<AtomicU64>,
}

impl Arrived {
    pub(crate) fn drain(&self) -> Result<u64, Failure> {
        self.provider.force_flush()?;
        Ok(self.arrived.load(Ordering::Acquire))
    }
}

pub(crate) fn start() -> Result<Arrived, Failure> {
    let arrived = Arc::new(AtomicU64::new(0));
    // The queue holds as much as our ring; by default it would lose the end of each burst. And it is
    // emptied between bursts, not by a thread that competes with them.
    let config = BatchConfigBuilder::default()
        .with_max_queue_size(RING_SLOTS)
        .with_max_export_batch_size(RING_SLOTS);
    let processor = BatchSpanProcessor::builder(Discard(Arc::clone(&arrived)))
        .with_batch_config(config.build())
        .build();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(processor)
        .build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("record"));
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer))?;
    Ok(Arrived { provider, arrived })
}

impl Connector {
    #[inline(never)]
    fn send_in_tracing_span(&self, message: Load) -> Result<(), Full> {
        let _span = tracing::info_span!(
            "send",
            from_actor = self.from_actor,
            from_port = self.from_port,
            to_actor = self.to_actor,
            to_port = self.to_port,
            message_type = "Load",
            size_bytes = 32_u64,
        )
        .entered();
        self.put(message)
    }
}

pub(crate) fn row() -> Row<'static> {
    let (connector, messages) = (Connector::new(), Messages::new());
    Row::new(
        "tracing + OpenTelemetry, six fields",
        Expect::Recorded,
        move |number| {
            let _sent = black_box(connector.send_in_tracing_span(messages.nth(number)));
        },
    )
}
