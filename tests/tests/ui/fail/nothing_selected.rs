//! No method is called like one that is recorded.

#![allow(dead_code, unused_variables)]

use reflow_trace::{traced_connector};

struct Connector {
    from_actor: String,
    from_port: String,
    to_actor: String,
    to_port: String,
}

#[traced_connector]
impl Connector {
    fn forward(&self, message: u32) {}
    fn len(&self) -> usize {
        0
    }
}

fn main() {}
