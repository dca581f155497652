//! Options whose values are of the wrong type.

#![allow(dead_code, unused_variables)]

use reflow_trace::{Edge, traced_connector};

struct Opaque;

struct Connector {
    name: Opaque,
    names: Vec<String>,
    edge: String,
}

#[traced_connector(from_actor = "self.name", from_port = self.names, to_actor = "\"b\"", to_port = "\"in\"")]
impl Connector {
    fn send(&self, message: u32) {}
}

#[traced_connector(edge = "self.edge")]
impl Connector {
    fn try_send(&self, message: u32) {}
}

struct Fine(Edge);

#[traced_connector(edge = "self.0")]
impl Fine {
    #[trace(depth = "\"three\"")]
    fn send(&self, message: u32) {}

    #[trace(size = "\"three\"")]
    fn try_send(&self, message: u32) {}

    #[trace(ok = "result")]
    fn start_send(&self, message: u32) -> u32 {
        message
    }

    #[trace(attributes(opaque = "Opaque"))]
    fn send_message(&self, message: u32) {}

    #[trace(fan_out = "Opaque")]
    fn broadcast(&self, message: u32) {}
}

fn main() {}
