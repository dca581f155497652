//! Mistakes in bodies are shown where they are, and generated names cannot be named.

#![allow(dead_code, unused_variables)]

use reflow_trace::traced_connector;

struct Connector {
    from_actor: String,
    from_port: String,
    to_actor: String,
    to_port: String,
}

#[traced_connector]
impl Connector {
    async fn send(&self, message: u32) -> Result<u32, String> {
        let doubled: u64 = message * 2;
        Ok("three")
    }

    fn try_send(&self, message: u32) -> bool {
        flow.is_active();
        message
    }

    fn send_timeout(&self, (message, retries): (u32, u8)) -> u8 {
        argument_1.1
    }
}

fn main() {}
