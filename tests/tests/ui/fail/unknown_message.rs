//! `message` names no argument.

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
    #[trace(message = "mesage")]
    fn send(&self, message: u32, priority: u8) {}

    #[trace(send, message = envelope)]
    fn flush(&self) {}
}

fn main() {}
