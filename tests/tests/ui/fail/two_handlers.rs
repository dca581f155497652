//! Two handlers for one message type.

#![allow(dead_code, unused_variables)]

use reflow_trace::{traced_actor};

struct Actor;

#[traced_actor]
impl Actor {
    fn handle(&self, message: Vec<u32>) {}

    fn process(&self, message: Vec<u32>) {}
}

fn main() {}
