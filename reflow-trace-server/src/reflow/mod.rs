//! Reflow's own protocol, answered truthfully: what a network that was never changed says and asks.
//!
//! The messages are those of [`reflow_trace::protocol`]. Reflow's server keeps nothing of what it is told;
//! here everything that is acknowledged is stored, in the one store that there is, among the events of
//! everybody else. So a Reflow network is found by the same questions, SQL and pictures, and a trace of
//! Reflow's survives a restart without a second database.
//!
//! # What a trace of Reflow's is in the store
//!
//! * `RecordEvent`: the event, with the trace that the request names ([`adopted`](reflow_trace::protocol::adopted)).
//! * `StartTrace`, `EndTrace`: a `NetworkEvent` at the actor `reflow`, in that trace, whose attribute
//!   `reflow.trace` is `started` or `ended`, with `reflow.flow_id` and `reflow.version`, or with
//!   `reflow.status`.
//! * `StoreTrace`: such an event that is `stored`, with everything that the trace says beside its events
//!   (`reflow.execution_id`, `reflow.start_time`, `reflow.end_time`, `reflow.metadata`), and its events.
//!
//! A trace that is asked for is put together from what has its id ([`traces`]). Who starts none, as the
//! clients of 0.2.1 do, has traces all the same: their flow is `unknown`.
//!
//! | file | what |
//! | --- | --- |
//! | `unpack` | from a frame to its text, bounded before anything else is known |
//! | `notes` | what is stored of a trace beside its events, written and read |
//! | `known` | the little of them that is kept of each trace in questions about many |
//! | `recorder` | from requests to batches, to the committer, to acknowledgements |
//! | `traces` | from stored events to traces |
//! | `flows` | which flow and state an event belongs to, for subscriptions that ask |
//!
//! The conversation itself, with a socket, is `http/reflow`.

mod flows;
mod known;
mod notes;
mod recorder;
mod traces;
mod unpack;

pub(crate) use flows::FlowFilter;
pub(crate) use notes::{ended, started, stored};
pub(crate) use recorder::{Ack, Recorder, Unit};
pub(crate) use traces::{flow_versions, known_flows, query, trace};
pub(crate) use unpack::unpack;
