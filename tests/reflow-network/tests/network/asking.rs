//! Who asks and watches: a socket, and Reflow's own types.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use reflow_tracing_protocol::{
    FlowId, FlowTrace, FlowVersion, TraceEvent, TraceId, TraceQuery, TracingRequest,
    TracingResponse,
};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Asking(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Asking {
    pub async fn connect(url: &str) -> Self {
        let (socket, _) = connect_async(url).await.unwrap();
        Self(socket)
    }

    pub async fn say(&mut self, request: &TracingRequest) {
        let text = serde_json::to_string(request).unwrap();
        self.0.send(Message::Text(text.into())).await.unwrap();
    }

    pub async fn heard(&mut self) -> TracingResponse {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.0.next()).await.unwrap();
            if let Message::Text(text) = next.unwrap().unwrap() {
                return serde_json::from_str(&text)
                    .unwrap_or_else(|error| panic!("{error}: {text}"));
            }
        }
    }

    pub async fn notified(&mut self) -> TraceEvent {
        match self.heard().await {
            TracingResponse::EventNotification { event, .. } => event,
            other => panic!("{other:?}"),
        }
    }

    pub async fn query(&mut self, query: TraceQuery) -> (Vec<FlowTrace>, usize) {
        self.say(&TracingRequest::QueryTraces { query }).await;
        match self.heard().await {
            TracingResponse::QueryResults {
                traces,
                total_count,
            } => (traces, total_count),
            other => panic!("{other:?}"),
        }
    }

    pub async fn trace(&mut self, trace_id: &TraceId) -> Option<FlowTrace> {
        let trace_id = trace_id.clone();
        self.say(&TracingRequest::GetTrace { trace_id }).await;
        match self.heard().await {
            TracingResponse::TraceData { trace } => trace,
            other => panic!("{other:?}"),
        }
    }

    pub async fn versions(&mut self, flow_id: &FlowId) -> Vec<FlowVersion> {
        let flow_id = flow_id.clone();
        self.say(&TracingRequest::GetFlowVersions { flow_id }).await;
        match self.heard().await {
            TracingResponse::FlowVersions { versions } => versions,
            other => panic!("{other:?}"),
        }
    }
}
