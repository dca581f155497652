//! A client that may break every rule.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use reflow_trace::wire::frame::{Ack, Frame, FrameLimits, Hello, Message, Refusal, Welcome};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue, Response};
use tokio_tungstenite::tungstenite::{self, protocol::CloseFrame};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::raw::batch;
use crate::server::PATIENCE;

pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub(crate) stream: u64,
    next: u64,
    /// The last number that was sent; 0: none.
    sent: u64,
    has_begun: bool,
}

/// What the server says.
#[derive(Debug)]
pub(crate) enum Said {
    Message(Message),
    Close(Option<CloseFrame>),
    /// Without a word.
    End,
}

static STREAMS: AtomicU64 = AtomicU64::new(1);

/// Opens the WebSocket with these headers beside those that it needs.
pub(crate) async fn connect(
    addr: SocketAddr,
    headers: &[(&str, &str)],
) -> Result<Client, Response<Option<Vec<u8>>>> {
    let mut request = format!("ws://{addr}/ingest").into_client_request().unwrap();
    for (name, value) in headers {
        let name: HeaderName = name.parse().unwrap();
        request
            .headers_mut()
            .insert(name, HeaderValue::from_str(value).unwrap());
    }
    let opened = tokio::time::timeout(PATIENCE, tokio_tungstenite::connect_async(request));
    match opened.await.unwrap() {
        Ok((socket, _)) => Ok(Client {
            socket,
            stream: STREAMS.fetch_add(1, Ordering::Relaxed),
            next: 1,
            sent: 0,
            has_begun: false,
        }),
        Err(tungstenite::Error::Http(response)) => Err(*response),
        Err(error) => panic!("{error}"),
    }
}

pub(crate) const SUBPROTOCOL: (&str, &str) = ("sec-websocket-protocol", "reflow-trace.v1");

impl Client {
    /// Connected, nothing said.
    pub(crate) async fn connected(addr: SocketAddr) -> Self {
        match connect(addr, &[SUBPROTOCOL]).await {
            Ok(client) => client,
            Err(response) => panic!("refused: {response:?}"),
        }
    }

    /// Connected and welcomed.
    pub(crate) async fn open(addr: SocketAddr) -> Self {
        let mut client = Self::connected(addr).await;
        client.hello().await;
        client
    }

    pub(crate) async fn hello(&mut self) -> Welcome {
        let hello = Hello {
            protocol: 1,
            agent: "test".to_owned(),
            stream: self.stream,
            ..Hello::default()
        };
        self.send(&Message::Hello(hello)).await;
        match self.message().await {
            Message::Welcome(welcome) => welcome,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn send(&mut self, message: &Message) {
        self.send_bytes(message.encode().into_bytes()).await;
    }

    /// A server that has refused may have closed already: then nobody hears it, which is no fault.
    pub(crate) async fn send_bytes(&mut self, bytes: impl Into<Bytes>) {
        let _heard = self
            .socket
            .send(tungstenite::Message::Binary(bytes.into()))
            .await;
    }

    /// Begins the stream where it was not, with the next number.
    pub(crate) async fn begin(&mut self) {
        if !self.has_begun {
            self.has_begun = true;
            self.skip(self.next - 1).await;
        }
    }

    pub(crate) async fn skip(&mut self, number: u64) {
        let (stream, after) = (self.stream, self.sent);
        self.send(&Message::Skip {
            stream,
            number,
            after,
        })
        .await;
        self.next = number + 1;
    }

    /// The next good batch; its number.
    pub(crate) async fn send_batch(&mut self, events: usize) -> u64 {
        self.begin().await;
        let number = self.take_number();
        self.send_bytes(batch(self.stream, number, events).into_bytes())
            .await;
        number
    }

    pub(crate) fn take_number(&mut self) -> u64 {
        self.sent = self.next;
        self.next += 1;
        self.sent
    }

    pub(crate) async fn said(&mut self) -> Said {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.socket.next())
                .await
                .unwrap();
            return match next {
                Some(Ok(tungstenite::Message::Binary(bytes))) => {
                    let frame = Frame::parse(bytes, &FrameLimits::default()).unwrap();
                    Said::Message(Message::decode(&frame).unwrap())
                }
                Some(Ok(tungstenite::Message::Close(close))) => Said::Close(close),
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => Said::End,
            };
        }
    }

    pub(crate) async fn message(&mut self) -> Message {
        match self.said().await {
            Said::Message(message) => message,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn ack(&mut self) -> Ack {
        match self.message().await {
            Message::Ack(ack) => ack,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn refusal(&mut self) -> Refusal {
        match self.message().await {
            Message::Refusal(refusal) => refusal,
            other => panic!("{other:?}"),
        }
    }

    /// The server closes with this status.
    pub(crate) async fn is_closed_with(&mut self, status: u16) {
        match self.said().await {
            Said::Close(Some(close)) => assert_eq!(u16::from(close.code), status, "{close}"),
            other => panic!("{other:?}"),
        }
    }
}
