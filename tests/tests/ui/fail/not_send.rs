//! A future that is not `Send` is shown where it waits.

#![allow(dead_code, unused_variables)]

use std::rc::Rc;

use reflow_trace::traced_connector;

struct Connector {
    from_actor: String,
    from_port: String,
    to_actor: String,
    to_port: String,
}

#[traced_connector]
impl Connector {
    async fn send(&self, message: u32) {
        let shared = Rc::new(message);
        std::future::ready(()).await;
        drop(shared);
    }
}

fn assert_send(future: impl Send) {}

fn check(connector: &Connector) {
    assert_send(connector.send(1));
}

fn main() {}
