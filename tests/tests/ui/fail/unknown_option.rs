//! Options that are not known, near ones and far ones.

#![allow(dead_code, unused_variables)]

use reflow_trace::{traced_connector};

struct Connector {
    from_actor: String,
    from_port: String,
    to_actor: String,
    to_port: String,
}

#[traced_connector(protcol = "tcp", form = "self.from", colour = "red")]
impl Connector {
    fn send(&self, message: u32) {}
}

fn main() {}
