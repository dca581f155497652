//! Literals, keywords and signs where the name of an option is expected.

#![allow(dead_code, unused_variables)]

use reflow_trace::{sample, traced_actor, traced_connector};

struct Connector {
    from_actor: String,
    from_port: String,
    to_actor: String,
    to_port: String,
}

#[traced_connector("from" = self.from, 3 = "x", fn = "1", self = "2", type, = "4", (depth = false))]
impl Connector {
    #[trace("send")]
    fn send(&self, message: u32) {}

    #[trace(async, message = 3, returns = future)]
    fn try_send(&self, message: u32) {}
}

struct Actor;

#[traced_actor(&"port")]
impl Actor {
    #[trace(match)]
    fn handle(&self, message: u32) {}
}

#[sample("rate" = 0.5, while = 1)]
struct Reading {
    #[trace(0)]
    number: u32,
}

fn main() {}
