//! Options of an actor.

#![allow(dead_code, unused_variables)]

use reflow_trace::{traced_actor};

struct Actor;

#[traced_actor(actor = "validator", prot = "in", depth = false)]
impl Actor {
    fn handle(&self, message: u32) {}
}

fn main() {}
