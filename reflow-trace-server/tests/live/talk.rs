//! A server of a test, and somebody who talks with it at `/`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use reflow_trace::protocol::{
    JsonLimits, Response, TraceResponse, TracingRequest, TracingResponse, read_response,
};
use reflow_trace::{TraceEvent, TraceId};
use reflow_trace_server::config::Config;
use reflow_trace_server::{RunningServer, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::store::TestStore;

/// Longer than anything takes; a test that waits so long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct TestServer {
    pub(crate) running: RunningServer,
    pub(crate) store: Arc<TestStore>,
}

pub(crate) struct Client(pub(crate) WebSocketStream<MaybeTlsStream<TcpStream>>);

/// What the server says.
#[derive(Debug)]
pub(crate) enum Said {
    Text(String),
    Close(u16, String),
    /// Without a word.
    End,
}

pub(crate) async fn start(change: impl FnOnce(&mut Config)) -> TestServer {
    let mut config = Config::default();
    config.listen.set_port(0);
    change(&mut config);
    let store = Arc::new(TestStore::default());
    let running = Server::start_with(config, Arc::clone(&store) as _);
    TestServer {
        running: running.await.unwrap(),
        store,
    }
}

impl TestServer {
    pub(crate) fn addr(&self) -> SocketAddr {
        self.running.addr()
    }

    pub(crate) async fn connect(&self) -> Client {
        self.connect_with(&[]).await.unwrap()
    }

    /// With these headers; the status, where it is refused.
    pub(crate) async fn connect_with(&self, headers: &[(&str, &str)]) -> Result<Client, u16> {
        connect(self.addr(), headers).await
    }

    /// Waits until a number is what it should become.
    pub(crate) async fn becomes(&self, what: impl Fn(&Self) -> u64, wanted: u64) {
        let reached = async {
            while what(self) != wanted {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, reached).await;
        in_time.unwrap_or_else(|_| panic!("{} instead of {wanted}", what(self)));
    }

    pub(crate) fn subscriptions(&self) -> u64 {
        self.running.metrics().subscriptions.get()
    }

    pub(crate) async fn request(&self, text: &str) -> String {
        let mut stream = TcpStream::connect(self.addr()).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let read = stream.read_to_string(&mut answer);
        tokio::time::timeout(PATIENCE, read).await.unwrap().unwrap();
        answer
    }
}

pub(crate) async fn connect(addr: SocketAddr, headers: &[(&str, &str)]) -> Result<Client, u16> {
    let mut request = format!("ws://{addr}/").into_client_request().unwrap();
    for (name, value) in headers {
        let name: HeaderName = name.parse().unwrap();
        let value = HeaderValue::from_str(value).unwrap();
        request.headers_mut().insert(name, value);
    }
    let opened = tokio::time::timeout(PATIENCE, tokio_tungstenite::connect_async(request));
    match opened.await.unwrap() {
        Ok((socket, _)) => Ok(Client(socket)),
        Err(tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

/// Over a socket that takes little in advance.
pub(crate) async fn connect_narrow(addr: SocketAddr) -> Client {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(64 << 10).unwrap();
    let stream = MaybeTlsStream::Plain(socket.connect(addr).await.unwrap());
    let opened = tokio_tungstenite::client_async(format!("ws://{addr}/"), stream);
    Client(opened.await.unwrap().0)
}

impl Client {
    pub(crate) async fn say(&mut self, text: &str) {
        self.0.send(Message::Text(text.into())).await.unwrap();
    }

    pub(crate) async fn say_bytes(&mut self, bytes: Vec<u8>) {
        self.0.send(Message::Binary(bytes.into())).await.unwrap();
    }

    pub(crate) async fn request(&mut self, request: &TracingRequest) {
        self.say(&serde_json::to_string(request).unwrap()).await;
    }

    pub(crate) async fn record(&mut self, trace_id: TraceId, event: TraceEvent) {
        let event = Box::new(event);
        self.request(&TracingRequest::RecordEvent { trace_id, event })
            .await;
    }

    /// Records and waits until it is stored.
    pub(crate) async fn store(&mut self, trace_id: TraceId, event: TraceEvent) {
        self.record(trace_id, event).await;
        assert_eq!(self.recorded().await, Ok(()));
    }

    pub(crate) async fn said(&mut self) -> Said {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.0.next()).await.unwrap();
            return match next {
                Some(Ok(Message::Text(text))) => Said::Text(text.to_string()),
                Some(Ok(Message::Close(Some(close)))) => {
                    Said::Close(close.code.into(), close.reason.to_string())
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                Some(Ok(other)) => panic!("{other:?}"),
                Some(Err(_)) | None => Said::End,
            };
        }
    }

    pub(crate) async fn text(&mut self) -> String {
        match self.said().await {
            Said::Text(text) => text,
            other => panic!("{other:?}"),
        }
    }

    async fn any_response(&mut self) -> Response {
        let text = self.text().await;
        read_response(&text, &JsonLimits::default())
            .unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    pub(crate) async fn response(&mut self) -> TracingResponse {
        match self.any_response().await {
            Response::Tracing(response) => response,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn older(&mut self) -> TraceResponse {
        match self.any_response().await {
            Response::Trace(response) => response,
            other => panic!("{other:?}"),
        }
    }

    /// The answer to a recorded event.
    pub(crate) async fn recorded(&mut self) -> Result<(), String> {
        match self.response().await {
            TracingResponse::EventRecorded { success, error } => {
                assert_eq!(success, error.is_none());
                error.map_or(Ok(()), Err)
            }
            other => panic!("{other:?}"),
        }
    }

    /// An error: its code and what it says.
    pub(crate) async fn error(&mut self) -> String {
        match self.response().await {
            TracingResponse::Error { message, code } => format!("{code:?}: {message}"),
            other => panic!("{other:?}"),
        }
    }

    /// The next event of a subscription.
    pub(crate) async fn notified(&mut self) -> TraceEvent {
        match self.response().await {
            TracingResponse::EventNotification { trace_id, event } => {
                assert_eq!(
                    event.trace_id.unwrap_or(TraceId(uuid::Uuid::nil())),
                    trace_id
                );
                *event
            }
            other => panic!("{other:?}"),
        }
    }

    /// The server answers, and has nothing else to say before it.
    pub(crate) async fn lives(&mut self) {
        self.request(&TracingRequest::Ping).await;
        assert_eq!(self.response().await, TracingResponse::Pong);
    }

    pub(crate) async fn is_closed_with(&mut self, status: u16) -> String {
        match self.said().await {
            Said::Close(is, reason) => {
                assert_eq!(is, status, "{reason}");
                reason
            }
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) fn flow(to: &str) -> TraceEvent {
    TraceEvent::data_flow("reader", "out", to, "in", "Reading", 8)
}
