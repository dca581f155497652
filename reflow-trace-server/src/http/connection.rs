//! Connections: taken in up to a number, each with bounded times, ended in good order.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::linger::Lingering;
use super::stall::Unstalled;
use super::{Door, Peer, Phase, Shared};
use crate::observe::{Limited, Metrics};

/// What a connection beyond the limit is told, if it listens at once.
const TOO_MANY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Content-Length: 80\r\nRetry-After: 1\r\nConnection: close\r\n\r\n\
    the server has as many connections as `http.connections_max` allows; try later\n\n";
/// Connections that are told so at one time; further ones are only closed.
const TOLD_MAX: usize = 16;
/// After an error of `accept`, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

static TOO_MANY_CONNECTIONS: Limited = Limited::new();
static ACCEPT_FAILS: Limited = Limited::new();
static TLS_FAILS: Limited = Limited::new();

/// An open connection in the metrics.
#[derive(Debug)]
pub(super) struct Counted(Arc<Metrics>);

/// Takes connections in until the server stops, and then waits until all have ended.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    shared: Arc<Shared>,
) {
    let house = House {
        places: Arc::new(Semaphore::new(shared.config.http.connections_max)),
        told: Arc::new(Semaphore::new(TOLD_MAX)),
        tls: tls.map(TlsAcceptor::from),
        door: Door::new(Arc::clone(&shared)),
        shared,
    };
    house.serve(listener).await;
}

struct House {
    places: Arc<Semaphore>,
    told: Arc<Semaphore>,
    tls: Option<TlsAcceptor>,
    door: Door,
    shared: Arc<Shared>,
}

impl House {
    async fn serve(self, listener: TcpListener) {
        let mut phase = self.shared.phase.clone();
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = until(&mut phase, Phase::Stopping) => break,
                Some(_ended) = connections.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => self.take_in(stream, peer, &mut connections),
                    Err(error) => rest_after(&error).await,
                },
            }
        }
        drop(listener);
        let all = u32::try_from(self.shared.config.http.connections_max).unwrap_or(u32::MAX);
        let everybody_gone = async {
            while connections.join_next().await.is_some() {}
            // Upgraded and lingering connections are no tasks of ours, but keep their places.
            let _all = self.places.acquire_many(all).await;
        };
        tokio::select! {
            () = everybody_gone => {}
            () = until(&mut phase, Phase::Now) => {}
        }
    }

    fn take_in(&self, stream: TcpStream, peer: SocketAddr, connections: &mut JoinSet<()>) {
        let metrics = &self.shared.metrics;
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            metrics.connections_refused.add("too_many", 1);
            if let Some(left_out) = TOO_MANY_CONNECTIONS.permit() {
                tracing::warn!(%peer, left_out, "refused a connection: `http.connections_max` are open");
            }
            self.turn_away(stream);
            return;
        };
        // Acknowledgements are small and wanted at once.
        let _as_it_is = stream.set_nodelay(true);
        let counted = Counted::new(Arc::clone(metrics));
        let stream = Unstalled::new(
            Lingering::new(stream, (place, counted)),
            self.shared.config.http.write_timeout,
        );
        let (door, shared, tls) = (
            self.door.clone(),
            Arc::clone(&self.shared),
            self.tls.clone(),
        );
        connections.spawn(async move {
            match tls {
                None => speak(stream, peer, door, &shared).await,
                Some(acceptor) => {
                    let limit = shared.config.http.tls_timeout;
                    let fault = match tokio::time::timeout(limit, acceptor.accept(stream)).await {
                        Ok(Ok(stream)) => return speak(stream, peer, door, &shared).await,
                        Ok(Err(error)) => error.to_string(),
                        Err(_) => "it took longer than `http.tls_timeout`".to_owned(),
                    };
                    shared.metrics.connections_refused.add("tls", 1);
                    if let Some(left_out) = TLS_FAILS.permit() {
                        tracing::warn!(%peer, fault, left_out, "a connection could not be encrypted");
                    }
                }
            }
        });
    }

    /// Says why, to a few at a time, in the clear only: a handshake would be the work that is refused.
    fn turn_away(&self, mut stream: TcpStream) {
        if self.tls.is_some() {
            return;
        }
        if let Ok(place) = Arc::clone(&self.told).try_acquire_owned() {
            let counted = Counted::new(Arc::clone(&self.shared.metrics));
            tokio::spawn(async move {
                let told = stream.write_all(TOO_MANY);
                if tokio::time::timeout(ACCEPT_PAUSE, told).await.is_ok() {
                    drop(Lingering::new(stream, (place, counted)));
                }
            });
        }
    }
}

/// Requests and answers on one connection, until it ends or the server does.
async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    door: Door,
    shared: &Shared,
) {
    let http = &shared.config.http;
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let door = door.clone();
        async move {
            let response = door.answer(Peer(peer), request.map(Body::new)).await;
            Ok::<_, std::convert::Infallible>(response)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(http.header_timeout)
        .max_buf_size(http.header_bytes_max)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    let mut phase = shared.phase.clone();
    // What is waited for next.
    let mut wanted = Phase::Stopping;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    if error.is_timeout() {
                        shared.metrics.connections_refused.add("slow", 1);
                    }
                    tracing::debug!(%peer, %error, "a connection ended early");
                }
                return;
            }
            () = until(&mut phase, wanted) => match wanted {
                Phase::Now => return,
                _ => {
                    wanted = Phase::Now;
                    connection.as_mut().graceful_shutdown();
                }
            },
        }
    }
}

/// Ends when the server has come to this phase, or is gone.
pub(super) async fn until(phase: &mut watch::Receiver<Phase>, wanted: Phase) {
    let has_come = |phase: &Phase| match wanted {
        Phase::Serving => true,
        Phase::Stopping => *phase != Phase::Serving,
        Phase::Now => *phase == Phase::Now,
    };
    // An error: the server was dropped, which ends everything.
    let _gone = phase.wait_for(has_come).await;
}

async fn rest_after(error: &io::Error) {
    if let Some(left_out) = ACCEPT_FAILS.permit() {
        tracing::error!(%error, left_out, "cannot accept a connection");
    }
    // A connection that was gone before it was taken in is no reason to rest; too many files are.
    if error.kind() != io::ErrorKind::ConnectionAborted
        && error.kind() != io::ErrorKind::ConnectionReset
    {
        tokio::time::sleep(ACCEPT_PAUSE).await;
    }
}

impl Counted {
    fn new(metrics: Arc<Metrics>) -> Self {
        metrics.connections.add(1);
        Self(metrics)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.connections.sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_one_connection_too_many_is_as_long_as_it_says() {
        let text = std::str::from_utf8(TOO_MANY).expect("text");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        assert!(
            head.contains(&format!("Content-Length: {}\r\n", body.len())),
            "{}",
            body.len()
        );
    }
}
