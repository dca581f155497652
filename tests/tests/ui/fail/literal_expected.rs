//! A literal that is something else.

#![allow(dead_code, unused_variables)]

use reflow_trace::{traced_connector};

struct Connector {
    from_actor: String,
    from_port: String,
    to_actor: String,
    to_port: String,
}

#[traced_connector(protocol = tcp, compression = 3, depth = true, attributes = "x", send = "forward")]
impl Connector {
    fn send(&self, message: u32) {}
}

fn main() {}
