//! The same macro twice, and both macros on one impl.

#![allow(dead_code, unused_variables)]

use reflow_trace::{traced_actor, traced_connector};

struct Connector {
    from_actor: String,
    from_port: String,
    to_actor: String,
    to_port: String,
}

#[traced_connector]
#[traced_connector(depth = false)]
impl Connector {
    fn send(&self, message: u32) {}
}

struct Actor;

#[traced_actor]
#[traced_connector]
impl Actor {
    fn handle(&self, message: u32) {}
}

fn main() {}
