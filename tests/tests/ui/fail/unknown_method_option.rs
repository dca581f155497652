//! Options of `#[trace]` that are not known.

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
    #[trace(sned)]
    fn send(&self, message: u32) {}

    #[trace(send, crate = ::reflow_trace, actor = "self.name")]
    fn forward(&self, message: u32) {}

    #[trace(recv, banana)]
    fn take(&self) -> u32 {
        1
    }
}

fn main() {}
