//! Strings and tokens that are no expressions.

#![allow(dead_code, unused_variables)]

use reflow_trace::{traced_connector};

struct Connector {
    from_actor: String,
    from_port: String,
    to_actor: String,
    to_port: String,
}

#[traced_connector(from_actor = "self.", from_port = "", to_actor = "sensor reader", to_port = self.)]
impl Connector {
    fn send(&self, message: u32) {}
}

fn main() {}
