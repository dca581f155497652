//! Who sent what to whom, how long it took, what caused it, and whether it arrived: data-flow tracing
//! for actor networks and message pipelines.
//!
//! Annotate the connectors that carry messages and the messages themselves. Every message is counted
//! from then on; those that the policy keeps are recorded, for 25 to 100 nanoseconds each.
//!
//! ```
//! use std::time::Duration;
//! use reflow_trace::{DataFlowGraph, MemorySink, sample, traced_connector};
//!
//! #[sample(rate = 1.0)]
//! struct Reading { celsius: f64 }
//!
//! struct Connector { from_actor: String, from_port: String, to_actor: String, to_port: String }
//!
//! #[traced_connector]
//! impl Connector {
//!     fn send(&self, message: Reading) -> Result<(), String> {
//!         (message.celsius > -273.15).then_some(()).ok_or_else(|| "too cold".to_owned())
//!     }
//! }
//!
//! let memory = MemorySink::with_capacity(1_000);
//! let guard = reflow_trace::builder().sink(memory.clone()).start()?;
//! let [from_actor, from_port, to_actor, to_port] = ["reader", "out", "store", "in"].map(String::from);
//! let connector = Connector { from_actor, from_port, to_actor, to_port };
//! connector.send(Reading { celsius: 20.0 })?;
//! assert!(connector.send(Reading { celsius: -300.0 }).is_err());
//!
//! guard.flush(Duration::from_secs(5))?;
//! let graph = DataFlowGraph::from_events(&memory.events());
//! println!("{}", graph.edge_table());
//! # assert_eq!(graph.edges()[0].messages.len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # In libraries and in applications
//!
//! A library annotates its connectors and depends on this crate with `default-features = false`: it
//! compiles to its own code alone. An application switches the feature `enable` on and starts a
//! recording, in code ([`init`], [`builder`]) or from outside (`REFLOW_TRACE=file:flow.jsonl ./app`,
//! `REFLOW_TRACE=ws://localhost:8080 ./app`; all variables are at [`TracingConfig`]).
//! Neither of them: silently off.
//!
//! # Concepts
//!
//! * [`traced_connector`], [`traced_actor`], [`sample`]: the annotations.
//! * [`send`], [`send_async`], [`handle`], [`received`]: the same for code that is not a method.
//! * [`Context`]: what travels in a message and links its hops to one trace.
//! * [`channel`]: channels that carry it unseen; [`w3c`]: its way between processes.
//! * [`sampling`]: one random number per trace and one threshold per policy, so that what is kept of a
//!   lineage is kept whole.
//! * [`TraceEvent`]: what a reader sees of a recorded message; JSON-compatible with Reflow's protocol.
//! * [`Sink`]: where events go. [`MemorySink`] and [`JsonLinesSink`] are here; behind the feature `client`
//!   is `ServerSink`, which sends them to a server and keeps them until they are durably stored.
//! * [`ledger`]: exact counters of all messages, and where every attempt has gone.
//! * [`query`]: questions about events, and the conditions people write; [`protocol`]: Reflow's messages.
//! * [`lineage`]: answers over events: what led to a message, what it led to, where it waited.
//! * [`DataFlowGraph`]: the flow as a picture or a table; [`terminal`]: text that does no harm there.
//!
//! # Guarantees
//!
//! Tracing changes no result of the program, fails no send and waits for nothing. Memory is bounded
//! everywhere. What is lost is counted with a reason. What is not known is `None`.
//!
//! # Non-features
//!
//! This is no span tracer, no profiler and no audit log: it records messages between actors, it knows
//! nothing of what happens inside one, and `abort`, `_exit` and fatal signals lose what is in memory.

#![deny(unsafe_op_in_unsafe_fn)]

#[cfg(feature = "api")]
pub mod api;
pub mod channel;
#[cfg(feature = "client")]
pub mod client;
mod clock;
mod collector;
mod context;
mod edge;
pub mod event;
mod function_form;
pub mod graph;
mod integration;
mod lane;
pub mod ledger;
pub mod lineage;
mod message;
mod probe;
pub mod protocol;
pub mod query;
mod record;
mod registry;
mod ring;
mod runtime;
pub mod sampling;
mod sink;
pub mod terminal;
#[cfg(feature = "wire")]
pub mod wire;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

#[cfg(feature = "client")]
pub use client::{
    AskError, ServerSink, ServerSinkBuilder, ServerStatus, ServerWatch, Subscription, TraceEvents,
    TracingClient, TracingClientBuilder,
};
pub use collector::Batch;
pub use context::{CAUSES_MAX, CarryCause, Causes, Context, Scoped, carry_cause, w3c};
pub use edge::{EDGES_MAX, Edge, NAME_BYTES_MAX, OVERFLOW_NAME, TYPES_MAX, bounded_name};
pub use event::{
    CausalityInfo, EventId, MessageSnapshot, Outcome, PerformanceMetrics, StateDiff, StateDiffType,
    TraceEvent, TraceEventData, TraceEventType, TraceId,
};
pub use function_form::{Delivery, handle, handle_async, received, send, send_async};
pub use graph::DataFlowGraph;
pub use integration::{TraceError, TracingIntegration, global_tracing};
pub use ledger::{ContentLedger, Ledger, TracingMetrics};
pub use message::{
    AttributeValue, Attributes, CONTENT_BYTES_DEFAULT, CONTENT_BYTES_MAX, Capturable, Content,
    ContentKey, Labelled, Message, MessageKind, Size, Traced,
};
pub use query::{SubscriptionFilters, TraceQuery};
pub use reflow_trace_macros::{sample, trace, traced_actor, traced_connector};
pub use runtime::{
    Builder, CONTENT_VARIABLE, ContentLimits, ENVIRONMENT_VARIABLE, FlushError, Guard, InitError,
    InvalidEnvironment, InvalidServerUrl, Overflow, ServerOptions, ServerToken, TracingConfig,
    builder, init,
};
pub use sampling::{DataFlowSampler, Verdict};
pub use sink::{JsonLinesSink, MemorySink, Progress, Sink, SinkError, SinkProgress};
