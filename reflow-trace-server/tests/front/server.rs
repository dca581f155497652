//! A server of a test, and plain requests to it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reflow_trace_server::config::Config;
use reflow_trace_server::{RunningServer, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::Client;
use crate::store::TestStore;

/// Longer than anything takes; a test that waits so long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct TestServer {
    pub(crate) running: RunningServer,
    pub(crate) store: Arc<TestStore>,
}

/// An answer to a plain request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

pub(crate) async fn start(change: impl FnOnce(&mut Config)) -> TestServer {
    let mut config = Config::default();
    config.listen.set_port(0);
    change(&mut config);
    let store = Arc::new(TestStore::default());
    let running = Server::start_with(config, Arc::clone(&store) as _)
        .await
        .unwrap();
    TestServer { running, store }
}

impl TestServer {
    pub(crate) fn addr(&self) -> SocketAddr {
        self.running.addr()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[]).await
    }

    /// A request; `Host` is the address unless a header says otherwise.
    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        ask(self.addr(), &request(self.addr(), path, headers)).await
    }

    /// The server still does all that it is there for, after whatever was done to it.
    pub(crate) async fn is_alive(&self) {
        assert_eq!(self.get("/health").await.status, 200);
        let mut client = Client::open(self.addr()).await;
        let stream = client.stream;
        let number = client.send_batch(3).await;
        assert_eq!(client.ack().await.number, number);
        assert!(self.store.has(stream, number));
    }

    /// The value of a line of the metrics.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let page = self.get("/metrics").await.body;
        let line = page
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().unwrap())
    }
}

pub(crate) fn request(addr: SocketAddr, path: &str, headers: &[(&str, &str)]) -> String {
    let mut text = format!("GET {path} HTTP/1.1\r\nConnection: close\r\n");
    if !headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("host"))
    {
        text.push_str(&format!("Host: {addr}\r\n"));
    }
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    text
}

pub(crate) async fn ask(addr: SocketAddr, text: &str) -> Answer {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    read_answer(&mut stream).await
}

pub(crate) async fn read_answer(stream: &mut (impl AsyncReadExt + Unpin)) -> Answer {
    let mut bytes = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes))
        .await
        .unwrap()
        .unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    Answer {
        status: status.unwrap_or_else(|| panic!("no status in {text:?}")),
        head: head.to_owned(),
        body: body.to_owned(),
    }
}
