//! `ok` where nothing is returned, and on a receive.

#![allow(dead_code, unused_variables)]

use reflow_trace::{traced_connector};

struct Connector {
    from_actor: String,
    from_port: String,
    to_actor: String,
    to_port: String,
}

#[traced_connector]
impl Connector {
    #[trace(ok = "result.is_some()")]
    fn send(&self, message: u32) {}

    #[trace(ok = "result.is_some()", size = "1")]
    fn recv(&self) -> Option<u32> {
        None
    }
}

fn main() {}
