//! A macro for impls on a method inside.

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
    #[traced_connector(depth = false)]
    fn send(&self, message: u32) {}
}

fn main() {}
