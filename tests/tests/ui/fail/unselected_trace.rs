//! `#[trace]` on a method that nothing records.

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
    fn send(&self, message: u32) {}

    #[trace(ok = "*result")]
    fn forward(&self, message: u32) -> bool {
        true
    }
}

fn main() {}
