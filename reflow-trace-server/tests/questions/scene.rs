//! A server of a test, plain requests, a WebSocket that may say anything, and events to be found.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use reflow_trace::TraceEvent;
use reflow_trace::api::{ApiError, ClientMessage, SUBPROTOCOL, ServerMessage};
use reflow_trace::event::ProducerId;
use reflow_trace::wire::frame::{Hello, Message as Wire};
use reflow_trace::wire::seal_events;
use reflow_trace_server::config::Config;
use reflow_trace_server::http::token::{NewToken, Scopes};
use reflow_trace_server::store::Store;
use reflow_trace_server::store::memory::MemoryStore;
use reflow_trace_server::{RunningServer, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async, connect_async};

/// Longer than anything takes; a test that waits so long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// An answer to a plain request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

pub(crate) async fn start(change: impl FnOnce(&mut Config)) -> RunningServer {
    start_with(Arc::new(MemoryStore::new()), change).await
}

pub(crate) async fn start_with(
    store: Arc<dyn Store>,
    change: impl FnOnce(&mut Config),
) -> RunningServer {
    let mut config = Config::default();
    config.listen.set_port(0);
    change(&mut config);
    Server::start_with(config, store).await.unwrap()
}

/// A token, and the line of the configuration.
pub(crate) fn token(scopes: &str) -> NewToken {
    NewToken::draw(
        scopes.split('+').next().unwrap(),
        Scopes::parse(scopes).unwrap(),
    )
    .unwrap()
}

pub(crate) fn bearer(token: &NewToken) -> String {
    format!("Bearer {}", token.secret)
}

impl Answer {
    /// What is wrong, which below `/api` is always said as JSON.
    pub(crate) fn error(&self) -> ApiError {
        assert!(
            self.head.contains("content-type: application/json"),
            "{self:?}"
        );
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A request with these headers and this body; `Host` is the address unless a header says otherwise.
pub(crate) fn request(
    addr: SocketAddr,
    line: &str,
    headers: &[(&str, &str)],
    body: Option<&str>,
) -> String {
    let mut text = format!("{line} HTTP/1.1\r\nConnection: close\r\n");
    let has = |wanted: &str| {
        headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case(wanted))
    };
    if !has("host") {
        text.push_str(&format!("Host: {addr}\r\n"));
    }
    if let Some(body) = body {
        if !has("content-type") {
            text.push_str("Content-Type: application/json\r\n");
        }
        text.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    format!("{text}\r\n{}", body.unwrap_or_default())
}

pub(crate) async fn say(addr: SocketAddr, text: &str) -> Answer {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    // Who is refused before everything was said may find the connection closed.
    let _heard = stream.write_all(text.as_bytes()).await;
    heard(&mut stream).await
}

pub(crate) async fn heard(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes));
    let _reset_after_the_answer = read.await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    Answer {
        status: status.unwrap_or_else(|| panic!("no status in {text:?}")),
        head: head.to_ascii_lowercase(),
        body: body.to_owned(),
    }
}

pub(crate) async fn get(server: &RunningServer, path: &str) -> Answer {
    let addr = server.addr();
    say(addr, &request(addr, &format!("GET {path}"), &[], None)).await
}

pub(crate) async fn post(server: &RunningServer, path: &str, body: &str) -> Answer {
    post_with(server, path, &[], body).await
}

pub(crate) async fn post_with(
    server: &RunningServer,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let addr = server.addr();
    say(
        addr,
        &request(addr, &format!("POST {path}"), headers, Some(body)),
    )
    .await
}

/// Sends events as a client does, and waits until they are stored.
pub(crate) async fn record(addr: SocketAddr, events: &[TraceEvent]) {
    let mut request = format!("ws://{addr}/ingest").into_client_request().unwrap();
    let protocol = HeaderValue::from_static("reflow-trace.v1");
    request
        .headers_mut()
        .insert("sec-websocket-protocol", protocol);
    let (mut socket, _) = connect_async(request).await.unwrap();
    let producer = ProducerId::random();
    let stream = producer.bits() | 1;
    let hello = Wire::Hello(Hello {
        protocol: 1,
        agent: "test".to_owned(),
        stream,
        ..Hello::default()
    });
    let begin = Wire::Skip {
        stream,
        number: 0,
        after: 0,
    };
    let batch = seal_events(events, producer, stream, 1, None).unwrap();
    for bytes in [
        hello.encode().into_bytes(),
        begin.encode().into_bytes(),
        batch.into_bytes(),
    ] {
        socket.send(Message::Binary(bytes)).await.unwrap();
    }
    let acknowledged = async {
        loop {
            let Some(Ok(Message::Binary(bytes))) = socket.next().await else {
                panic!("the server went away");
            };
            let frame = reflow_trace::wire::Frame::parse(bytes, &Default::default()).unwrap();
            match Wire::decode(&frame).unwrap() {
                Wire::Ack(ack) if ack.number == 1 => return,
                Wire::Refusal(refusal) => panic!("{refusal:?}"),
                _ => {}
            }
        }
    };
    tokio::time::timeout(PATIENCE, acknowledged).await.unwrap();
}

/// A connection that asks.
pub(crate) struct Asker {
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Asker {
    pub(crate) async fn open(server: &RunningServer) -> Self {
        Self::open_with(server, &[]).await.unwrap()
    }

    /// With these headers beside those that are needed; else the status and the body of the refusal.
    pub(crate) async fn open_with(
        server: &RunningServer,
        headers: &[(&str, &str)],
    ) -> Result<Self, (u16, String)> {
        let mut request = format!("ws://{}/api", server.addr())
            .into_client_request()
            .unwrap();
        let protocol = HeaderValue::from_static(SUBPROTOCOL);
        request
            .headers_mut()
            .insert("sec-websocket-protocol", protocol);
        for (name, value) in headers {
            let name: HeaderName = name.parse().unwrap();
            request
                .headers_mut()
                .insert(name, HeaderValue::from_str(value).unwrap());
        }
        match connect_async(request).await {
            Ok((socket, _)) => Ok(Self { socket }),
            Err(Error::Http(response)) => {
                let body = response.body().clone().unwrap_or_default();
                Err((response.status().as_u16(), String::from_utf8(body).unwrap()))
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Over a socket that takes little in advance.
    pub(crate) async fn open_narrow(server: &RunningServer) -> Self {
        let mut request = format!("ws://{}/api", server.addr())
            .into_client_request()
            .unwrap();
        let protocol = HeaderValue::from_static(SUBPROTOCOL);
        request
            .headers_mut()
            .insert("sec-websocket-protocol", protocol);
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(64 << 10).unwrap();
        let stream = MaybeTlsStream::Plain(socket.connect(server.addr()).await.unwrap());
        let (socket, _) = client_async(request, stream).await.unwrap();
        Self { socket }
    }

    pub(crate) async fn say(&mut self, message: &ClientMessage) {
        self.say_text(&serde_json::to_string(message).unwrap())
            .await;
    }

    /// A server that has gone hears nothing, which is no fault of who speaks.
    pub(crate) async fn say_text(&mut self, text: &str) {
        let _heard = self.socket.send(Message::text(text)).await;
    }

    pub(crate) async fn hear(&mut self) -> ServerMessage {
        match self.hear_any().await {
            Ok(message) => message,
            Err(closed) => panic!("closed: {closed:?}"),
        }
    }

    /// A message, or the status and the reason with which the server closes.
    pub(crate) async fn hear_any(&mut self) -> Result<ServerMessage, Option<(u16, String)>> {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.socket.next())
                .await
                .unwrap();
            return match next {
                Some(Ok(Message::Text(text))) => {
                    Ok(serde_json::from_str(&text)
                        .unwrap_or_else(|error| panic!("{error}: {text}")))
                }
                Some(Ok(Message::Close(Some(frame)))) => {
                    Err(Some((frame.code.into(), frame.reason.to_string())))
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                Some(Ok(_) | Err(_)) | None => Err(None),
            };
        }
    }

    /// What is wrong, and with which id.
    pub(crate) async fn refusal(&mut self) -> (Option<u64>, ApiError) {
        match self.hear().await {
            ServerMessage::Failed { id, error } => (id, error),
            other => panic!("{other:?}"),
        }
    }
}

/// Waits until something holds that another task brings about.
pub(crate) async fn until(mut holds: impl FnMut() -> bool) {
    let waited = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waited).await.unwrap();
}
