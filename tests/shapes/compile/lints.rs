//! Strict lints find nothing in generated code, and still find what is wrong in the user's.

#![deny(
    warnings,
    clippy::all,
    clippy::pedantic,
    unused_braces,
    unused_parens,
    unused_qualifications,
    missing_docs
)]
#![deny(
    unreachable_pub,
    let_underscore_drop,
    elided_lifetimes_in_paths,
    single_use_lifetimes,
    trivial_casts
)]
#![deny(
    unsafe_op_in_unsafe_fn,
    unused_lifetimes,
    redundant_lifetimes,
    variant_size_differences
)]

use std::future::Future;

use reflow_trace::{sample, traced_connector};

/// Every kind of field that a function of ours serialises.
#[sample(capture)]
#[derive(serde::Serialize)]
pub struct Login<T: serde::Serialize> {
    /// Kept.
    pub user: &'static str,
    #[trace(redact)]
    secret: Option<T>,
    #[trace(redact)]
    #[serde(with = "shouted")]
    words: Option<String>,
    #[trace(redact)]
    #[serde(flatten, serialize_with = "shouted::serialize_more")]
    more: Vec<u32>,
    #[trace(redact)]
    number: u32,
}

mod shouted {
    use serde::Serializer;

    #[expect(clippy::ref_option, reason = "serde asks so")]
    pub(crate) fn serialize<S: Serializer>(
        _: &Option<String>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }

    pub(crate) fn serialize_more<S: Serializer>(
        _: &Vec<u32>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

#[sample(rate = 0.5, always = "self.0 > 1")]
struct Reading(u32);

struct Connector<'a> {
    from_actor: &'a str,
    from_port: &'a str,
    to_actor: &'a str,
    to_port: &'a str,
}

#[traced_connector(depth = "1usize + 1")]
impl Connector<'_> {
    fn send(&self, message: Reading) -> u32 {
        message.0
    }

    fn try_send(&self, message: Reading) {
        self.send(message);
    }

    async fn send_async(&self, message: &Reading) -> u32 {
        std::future::ready(message.0).await
    }

    #[expect(dead_code)]
    fn broadcast(&self, message: Reading) -> u32 {
        message.0
    }

    #[expect(unused_mut, unused_variables)]
    fn send_timeout(&self, message: Reading, mut attempts: u32) {}

    unsafe fn blocking_send(&self, message: *const Reading) -> u32 {
        // SAFETY: the caller promises that it points to a reading.
        unsafe { (*message).0 }
    }

    extern "C" fn send_blocking(&self, message: u32) -> u32 {
        message
    }

    #[expect(dead_code)]
    async fn send_message(&self, message: Reading) -> u32 {
        message.0
    }

    #[expect(dead_code)]
    fn start_send(&self, message: Reading) -> impl Future<Output = u32> {
        async move { message.0 }
    }

    async unsafe fn send_deadline(&self, message: u32) -> u32 {
        message
    }
}

/// Its methods share functions of ours.
struct Sharing {
    from_actor: String,
    from_port: u8,
    to_actor: String,
    to_port: char,
    channel: Vec<u32>,
}

#[traced_connector]
impl Sharing {
    fn send(&self, message: u32) -> usize {
        self.channel.len() + message as usize
    }

    fn try_send(&self, message: u32) -> Result<(), u32> {
        if message > 1 {
            Err(message)
        } else {
            Ok(())
        }
    }

    async fn send_async(&mut self, mut message: u32) {
        message += std::future::ready(1).await;
        self.channel.push(message);
    }

    /// Never gets to its end, and nothing behind it is called unreachable.
    fn send_timeout(&self, message: u32) -> Result<(), u32> {
        std::panic::panic_any(message)
    }

    fn blocking_send(&self, _message: u32) {
        std::panic::panic_any(self.channel.len());
    }

    fn broadcast(&self, _: Vec<u8>) {}

    fn recv(&mut self) -> Option<u32> {
        self.channel.pop()
    }
}

struct Unused {
    from_actor: String,
    from_port: String,
    to_actor: String,
    to_port: String,
}

#[traced_connector]
impl Unused {
    #[expect(dead_code)]
    fn send(&self, message: u32) -> u32 {
        message
    }

    #[expect(dead_code)]
    fn try_send(&self, message: u32) -> u32 {
        message
    }
}

fn main() {
    let login = Login {
        user: "",
        secret: Some(1),
        words: None,
        more: Vec::new(),
        number: 1,
    };
    drop(login);
    let connector = Connector {
        from_actor: "",
        from_port: "",
        to_actor: "",
        to_port: "",
    };
    connector.try_send(Reading(1));
    connector.send_timeout(Reading(1), 1);
    drop(connector.send_async(&Reading(1)));
    connector.send_blocking(1);
    let mut sharing = Sharing {
        from_actor: String::new(),
        from_port: 1,
        to_actor: String::new(),
        to_port: 'a',
        channel: Vec::new(),
    };
    sharing.send(1);
    sharing.broadcast(Vec::new());
    let _ = sharing.try_send(1);
    drop(sharing.send_async(1));
    sharing.recv();
    if sharing.channel.len() > 1 {
        let _ = sharing.send_timeout(1);
        sharing.blocking_send(1);
    }
    let reading = &Reading(1);
    // SAFETY: it points to a reading.
    unsafe {
        connector.blocking_send(&raw const *reading);
        drop(connector.send_deadline(1));
    }
}
