//! Options that do not fit a batch, a broadcast, a receive or a poll.

#![allow(dead_code, unused_variables)]

use std::future::Future;
use std::task::Poll;

use reflow_trace::{traced_actor, traced_connector};

struct Connector {
    from_actor: String,
    from_port: String,
    to_actor: String,
    to_port: String,
}

#[traced_connector]
impl Connector {
    #[trace(size = "1")]
    fn send_batch(&self, messages: Vec<u32>) {}

    #[trace(fan_out = "3")]
    fn send(&self, message: u32) {}

    #[trace(attributes(key = "1"))]
    fn recv(&self) -> u32 {
        1
    }

    fn send_all(&self) {}

    #[trace(batch, send)]
    fn send_many(&self, messages: Vec<u32>) {}

    #[track_caller]
    fn send_async(&self, message: u32) -> impl Future<Output = ()> {
        async {}
    }
}

struct Actor;

#[traced_actor]
impl Actor {
    fn handle(&self, message: u32) -> Poll<()> {
        Poll::Pending
    }

    #[trace(handler, protocol = "tcp", depth = false)]
    fn tick(&self, message: u64) {}

    #[trace(batch)]
    fn all(&self, messages: Vec<u32>) {}
}

fn main() {}
