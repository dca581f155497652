//! A `crate` path that could mean anything.

#![allow(dead_code, unused_variables)]

use reflow_trace::{traced_connector};

struct Connector {
    from_actor: String,
    from_port: String,
    to_actor: String,
    to_port: String,
}

#[traced_connector(crate = reflow_trace)]
impl Connector {
    fn send(&self, message: u32) {}
}

fn main() {}
