//! A connection whose last words arrive.
//!
//! When a socket is closed while bytes lie unread in it, the kernel resets the connection, and what was
//! written last (the refusal that says why) may never reach the other side. So a connection that is dropped
//! is shut down for writing first, and what still comes is read and thrown away, for a short time.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;

/// How long what still comes is thrown away.
const LINGER: Duration = Duration::from_secs(1);

/// A connection and its place among the connections of the server.
#[derive(Debug)]
pub(super) struct Lingering {
    /// `None` only while it is dropped.
    inner: Option<(TcpStream, Place)>,
}

/// A place among the connections of the server, given back when it is dropped.
pub(super) type Place = (OwnedSemaphorePermit, super::connection::Counted);

impl Lingering {
    pub(super) fn new(stream: TcpStream, place: Place) -> Self {
        Self {
            inner: Some((stream, place)),
        }
    }

    fn stream(self: Pin<&mut Self>) -> io::Result<Pin<&mut TcpStream>> {
        let inner = self.get_mut().inner.as_mut();
        inner
            .map(|(stream, _)| Pin::new(stream))
            .ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        // Without a runtime the process is about to end, and the connection with it.
        if let Some((stream, place)) = self.inner.take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(async move {
                let _how = tokio::time::timeout(LINGER, hear_out(stream)).await;
                drop(place);
            });
        }
    }
}

async fn hear_out(mut stream: TcpStream) -> io::Result<()> {
    stream.shutdown().await?;
    let mut thrown_away = [0; 4096];
    while stream.read(&mut thrown_away).await? > 0 {}
    Ok(())
}

impl AsyncRead for Lingering {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream()?.poll_read(context, buffer)
    }
}

impl AsyncWrite for Lingering {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream()?.poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream()?.poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(context)
    }
}
