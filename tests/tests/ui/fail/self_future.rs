//! `Self::Future` and aliases that look like futures.

#![allow(dead_code, unused_variables)]

use reflow_trace::{traced_connector};

struct Connector {
    from_actor: String,
    from_port: String,
    to_actor: String,
    to_port: String,
}

type Sending = std::future::Ready<()>;
type SendFuture = Sending;

trait Service {
    type Future;
    fn call(&self, message: u32) -> Self::Future;
}

#[traced_connector(send(call))]
impl Service for Connector {
    type Future = Sending;

    fn call(&self, message: u32) -> Self::Future {
        std::future::ready(())
    }
}

#[traced_connector]
impl Connector {
    fn send(&self, message: u32) -> SendFuture {
        std::future::ready(())
    }

    #[trace(returns = "value")]
    fn try_send(&self, message: u32) -> SendFuture {
        std::future::ready(())
    }

    #[trace(returns = "stream")]
    fn send_async(&self, message: u32) {}

    #[trace(returns = "future")]
    async fn send_timeout(&self, message: u32) {}
}

fn main() {}
