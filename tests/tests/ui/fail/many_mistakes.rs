//! All mistakes of one annotation are reported at once.

#![allow(dead_code, unused_variables)]

use reflow_trace::{traced_connector};

struct Connector {
    from_actor: String,
    from_port: String,
    to_actor: String,
    to_port: String,
}

#[traced_connector(protcol = "tcp", from_actor = "sensor reader", skip(forwrad))]
impl Connector {
    #[trace(send, message = "letter")]
    fn forward(&self, message: u32) {}

    const fn send(&self, message: u32) {}

    fn try_send(&self) {}
}

// The item is still there.
fn use_it(connector: &Connector) {
    connector.forward(1);
    connector.try_send();
}

fn main() {}
