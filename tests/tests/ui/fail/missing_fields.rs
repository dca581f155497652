//! A connector without the fields that are the default.

#![allow(dead_code, unused_variables)]

use reflow_trace::traced_connector;

struct Connector {
    from_actor: String,
    target: String,
}

#[traced_connector]
impl Connector {
    fn send(&self, message: u32) {}
}

fn main() {}
