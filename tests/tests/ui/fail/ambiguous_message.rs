//! Several arguments that may be the message.

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
    fn send(&self, message: u32, payload: Vec<u8>) {}

    fn try_send(&self, left: u32, (a, b): (u8, &str)) {}
}

fn main() {}
