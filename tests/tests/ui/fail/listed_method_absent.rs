//! A listed method that is not there.

#![allow(dead_code, unused_variables)]

use reflow_trace::{traced_connector};

struct Connector {
    from_actor: String,
    from_port: String,
    to_actor: String,
    to_port: String,
}

#[traced_connector(send(foward), recv(banana), skip(3))]
impl Connector {
    fn forward(&self, message: u32) {}
}

fn main() {}
