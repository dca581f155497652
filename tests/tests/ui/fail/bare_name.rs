//! A name where an expression is read.

#![allow(dead_code, unused_variables)]

use reflow_trace::{traced_connector};

struct Connector {
    from_actor: String,
    from_port: String,
    to_actor: String,
    to_port: String,
}

#[traced_connector(from_actor = "sensor", to_actor = reader)]
impl Connector {
    fn send(&self, message: u32) {}
}

fn main() {}
