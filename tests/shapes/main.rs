//! The shapes of methods that real connectors have: each does what it did, and records what happened.

#![deny(warnings, clippy::pedantic)]
#![forbid(unsafe_code)]

mod arguments;
mod asynchronous;
mod batches;
mod behaviours;
mod bodies;
mod broadcasts;
mod cancelled;
mod depths;
mod drop_order;
mod grammar;
mod impls;
mod loops;
mod made_by_macros;
mod one_event;
mod options;
mod polled;
mod polling;
mod qualifiers;
mod receivers;
mod receives;
mod returned_futures;
mod silent;
mod synchronous;
mod traits;
mod unusual;
mod values;

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use futures::executor::block_on;
use reflow_trace::{sample, traced_connector, Edge};
use reflow_trace_tests::{Recording, Silence};

#[sample(rate = 1.0)]
#[derive(Clone, Debug, PartialEq)]
struct Reading(u32);

#[derive(Debug, PartialEq)]
struct Full(u32);

/// The fields that every connector here has.
struct Wire {
    from_actor: String,
    from_port: &'static str,
    to_actor: Arc<str>,
    to_port: Port,
    sent: Mutex<Vec<u32>>,
}

/// A port that can only be shown.
struct Port(u8);

impl std::fmt::Display for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "in{}", self.0)
    }
}

impl Wire {
    fn new() -> Self {
        Wire {
            from_actor: "a".into(),
            from_port: "out",
            to_actor: "b".into(),
            to_port: Port(1),
            sent: Mutex::default(),
        }
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "a queue takes what it is given"
    )]
    fn push(&self, reading: Reading) -> Result<(), Full> {
        let mut sent = self.sent.lock().expect("nobody panics here");
        if reading.0 > 100 {
            return Err(Full(reading.0));
        }
        sent.push(reading.0);
        Ok(())
    }

    fn sent(&self) -> Vec<u32> {
        self.sent.lock().expect("nobody panics here").clone()
    }
}

const DELIVERED: &str = "DataFlow a:out -> b:in1 Reading delivered";
const FAILED: &str = "MessageSent a:out -> b:in1 Reading failed";
