//! A WebSocket, one binary message for a frame.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::{Sink as _, Stream as _};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::connect::Connection;
use crate::client::machine::Disconnect;
use crate::wire::frame::Frame;

/// What lies below: TCP, or TLS over it.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

/// Largest message from a server. It sends acknowledgements and refusals, and no batches.
const MESSAGE_BYTES_MAX: usize = 64 << 10;
/// What is gathered before it is written, so that small batches share a system call.
const WRITE_BUFFER_BYTES: usize = 128 << 10;

/// A connection over which frames go.
pub(super) struct Socket {
    stream: Connection,
}

/// What came over it.
pub(super) enum Heard {
    Frame(Bytes),
    /// What no server of ours sends.
    Nonsense(&'static str),
    /// Something that the protocol below does by itself.
    Nothing,
    End(Disconnect),
}

impl Socket {
    pub(super) fn new(stream: Connection) -> Self {
        Self { stream }
    }

    /// The bounds of the protocol below. `frame_bytes_max`: of what we send.
    pub(super) fn config(frame_bytes_max: usize) -> WebSocketConfig {
        WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX))
            .read_buffer_size(16 << 10)
            .write_buffer_size(WRITE_BUFFER_BYTES)
            // One frame beyond what is gathered: nothing is added before that is written.
            .max_write_buffer_size(2 * WRITE_BUFFER_BYTES + frame_bytes_max)
    }

    /// The next thing that comes.
    pub(super) fn poll_hear(&mut self, context: &mut Context<'_>) -> Poll<Heard> {
        let Poll::Ready(next) = Pin::new(&mut self.stream).poll_next(context) else {
            return Poll::Pending;
        };
        Poll::Ready(match next {
            Some(Ok(Message::Binary(bytes))) => Heard::Frame(bytes),
            Some(Ok(Message::Text(_))) => Heard::Nonsense("text"),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Heard::Nothing,
            Some(Ok(Message::Close(reason))) => {
                let reason = reason.map_or_else(String::new, |reason| {
                    format!(": {} {}", u16::from(reason.code), shortened(&reason.reason))
                });
                Heard::End(Disconnect::passing(format!(
                    "the server closed the connection{reason}"
                )))
            }
            Some(Err(error)) => Heard::End(ended(&error)),
            None => Heard::End(Disconnect::passing("the server closed the connection")),
        })
    }

    /// Sends what there is to say, as long as the socket takes it.
    pub(super) fn poll_say(
        &mut self,
        context: &mut Context<'_>,
        mut next: impl FnMut() -> Option<Frame>,
    ) -> Result<(), Disconnect> {
        let mut stream = Pin::new(&mut self.stream);
        loop {
            match stream.as_mut().poll_ready(context) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Err(ended(&error)),
                Poll::Pending => return Ok(()),
            }
            let Some(frame) = next() else { break };
            stream
                .as_mut()
                .start_send(Message::Binary(frame.into_bytes()))
                .map_err(|error| ended(&error))?;
        }
        match stream.as_mut().poll_flush(context) {
            Poll::Ready(Err(error)) => Err(ended(&error)),
            Poll::Ready(Ok(())) | Poll::Pending => Ok(()),
        }
    }

    /// Says that it ends, as far as the socket takes that at once.
    pub(super) fn close(mut self, context: &mut Context<'_>) {
        let _nobody_waits_for_it = Pin::new(&mut self.stream).poll_close(context);
    }
}

fn ended(error: &Error) -> Disconnect {
    Disconnect::passing(format!("the connection was lost: {error}"))
}

/// Words of a server, which may be anything.
pub(super) fn shortened(text: &str) -> String {
    text.chars()
        .take(200)
        .collect::<String>()
        .escape_debug()
        .to_string()
}
