//! The annotated connectors and messages, as a user writes them.
//!
//! The package `compiled-out` includes this file too: the same source, without the feature `enable`.

use reflow_trace::{Context, Edge, Message, sample, traced_connector};

use crate::shared::work::{Channel, Full};

/// A connector whose four names are read at each send.
pub(crate) struct Named<M> {
    from_actor: String,
    from_port: String,
    to_actor: String,
    to_port: String,
    channel: Channel<M>,
}

impl<M: Copy + From<u64>> Named<M> {
    pub(crate) fn new() -> Self {
        Self {
            from_actor: "sensor_reader".to_owned(),
            from_port: "out".to_owned(),
            to_actor: "validator".to_owned(),
            to_port: "in".to_owned(),
            channel: Channel::new(M::from(0)),
        }
    }
}

#[traced_connector(depth = false)]
impl<M: Message + Copy> Named<M> {
    #[inline(never)]
    pub(crate) fn send(&self, message: M) -> Result<(), Full> {
        self.channel.put(message)
    }

    pub(crate) async fn send_async(&self, message: M) -> Result<(), Full> {
        self.channel.put(message)
    }
}

/// A connector that holds a handle to its edge.
pub(crate) struct Held<M> {
    edge: Edge,
    channel: Channel<M>,
}

impl<M: Copy + From<u64>> Held<M> {
    pub(crate) fn new() -> Self {
        Self {
            edge: Edge::new("sensor_reader", "out", "validator", "in"),
            channel: Channel::new(M::from(0)),
        }
    }
}

#[traced_connector(edge = "self.edge", depth = false)]
impl<M: Message + Copy> Held<M> {
    #[inline(never)]
    pub(crate) fn send(&self, message: M) -> Result<(), Full> {
        self.channel.put(message)
    }

    pub(crate) async fn send_async(&self, message: M) -> Result<(), Full> {
        self.channel.put(message)
    }
}

/// A connector with a handle that does not know its messages to be any.
pub(crate) struct Unaware<M> {
    edge: Edge,
    channel: Channel<M>,
}

impl<M: Copy + From<u64>> Unaware<M> {
    pub(crate) fn new() -> Self {
        Self {
            edge: Edge::new("sensor_reader", "out", "validator", "in"),
            channel: Channel::new(M::from(0)),
        }
    }
}

#[traced_connector(edge = "self.edge", depth = false)]
impl<M: Copy> Unaware<M> {
    #[inline(never)]
    pub(crate) fn send(&self, message: M) -> Result<(), Full> {
        self.channel.put(message)
    }
}

/// Has no policy.
#[derive(Clone, Copy)]
#[expect(dead_code, reason = "nobody receives it")]
pub(crate) struct Unannotated {
    number: u64,
    bytes: [u8; 24],
}

/// Always recorded.
#[sample(size = "32")]
#[derive(Clone, Copy)]
#[expect(dead_code, reason = "nobody receives it")]
pub(crate) struct Reading {
    number: u64,
    bytes: [u8; 24],
}

/// Never recorded and always counted.
#[sample(rate = 0.0, size = "32")]
#[derive(Clone, Copy)]
#[expect(dead_code, reason = "nobody receives it")]
pub(crate) struct Rare {
    number: u64,
    bytes: [u8; 24],
}

/// Has an id, which is recorded.
#[sample(size = "32")]
#[derive(Clone, Copy)]
#[expect(dead_code, reason = "nobody receives it")]
pub(crate) struct Numbered {
    #[trace(id)]
    number: u64,
    bytes: [u8; 24],
}

/// Carries the context to its receiver.
#[sample(size = "32")]
#[derive(Clone, Copy)]
#[expect(dead_code, reason = "nobody receives it")]
pub(crate) struct Linked {
    number: u64,
    bytes: [u8; 24],
    #[trace(context)]
    context: Context,
}

macro_rules! messages {
    ($($message:ident)*) => {$(
        impl From<u64> for $message {
            fn from(number: u64) -> Self {
                Self { number, bytes: [number as u8; 24] }
            }
        }
    )*};
}

messages!(Reading Rare Numbered Unannotated);

impl From<u64> for Linked {
    fn from(number: u64) -> Self {
        Self {
            number,
            bytes: [number as u8; 24],
            context: Context::NONE,
        }
    }
}
