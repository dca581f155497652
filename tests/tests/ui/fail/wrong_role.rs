//! Roles of the other macro.

#![allow(dead_code, unused_variables)]

use reflow_trace::{traced_actor, traced_connector};

struct Connector {
    from_actor: String,
    from_port: String,
    to_actor: String,
    to_port: String,
}

#[traced_connector]
impl Connector {
    fn send(&self, message: u32) {}

    #[trace(handler)]
    fn handle(&self, message: u32) {}
}

struct Actor;

#[traced_actor]
impl Actor {
    fn handle(&self, message: u32) {}

    #[trace(send)]
    fn send(&self, message: u64) {}

    #[trace(handler, to_actor = "self.name")]
    fn tick(&self, message: u8) {}
}

fn main() {}
