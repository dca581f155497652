//! Roles that exclude each other.

#![allow(dead_code, unused_variables)]

use reflow_trace::{traced_connector};

struct Connector {
    from_actor: String,
    from_port: String,
    to_actor: String,
    to_port: String,
}

#[traced_connector(send(forward, forward), skip(forward, recv))]
impl Connector {
    #[trace(skip, send)]
    fn send(&self, message: u32) {}

    fn forward(&self, message: u32) {}

    fn recv(&self) -> u32 {
        1
    }
}

fn main() {}
