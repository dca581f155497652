//! `#[trace]` under a condition.

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
    #[cfg_attr(unix, trace(skip))]
    fn send(&self, message: u32) {}
}

fn main() {}
