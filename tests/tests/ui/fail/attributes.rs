//! Attributes without values, twice, and with keys that are none.

#![allow(dead_code, unused_variables)]

use reflow_trace::{traced_connector};

struct Connector {
    from_actor: String,
    from_port: String,
    to_actor: String,
    to_port: String,
}

#[traced_connector(attributes(priority, 3 = "1", a = "1", a = "2", b = "1 +"))]
impl Connector {
    fn send(&self, message: u32) {}
}

fn main() {}
