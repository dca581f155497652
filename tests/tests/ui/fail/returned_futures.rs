//! Futures that are not what an annotation says of them.

#![allow(dead_code, unused_variables)]

use std::future::{Future, Ready, ready};
use std::pin::Pin;

use reflow_trace::traced_connector;

struct Connector {
    from_actor: String,
    from_port: String,
    to_actor: String,
    to_port: String,
}

type Sending = Ready<()>;
type SendingFut<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

#[traced_connector]
impl Connector {
    #[trace(returns = "future")]
    fn send(&self, message: u32) -> Sending {
        ready(())
    }
}

#[traced_connector]
impl Connector {
    fn try_send(&self, message: u32) -> SendingFut<'_> {
        Box::pin(ready(()))
    }
}

fn main() {}
