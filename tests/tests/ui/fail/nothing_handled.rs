//! No method is called like a handler.

#![allow(dead_code, unused_variables)]

use reflow_trace::{traced_actor};

struct Actor;

#[traced_actor]
impl Actor {
    fn forward(&self, message: u32) {}
}

fn main() {}
