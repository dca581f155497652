//! Encrypted connections, with a certificate made for the test.

use std::sync::Arc;
use std::time::Duration;

use reflow_trace_server::config::Config;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::server::{PATIENCE, TestServer, read_answer, request, start};

struct Encrypted {
    server: TestServer,
    connector: TlsConnector,
    _files: tempfile::TempDir,
}

async fn encrypted(change: impl FnOnce(&mut Config)) -> Encrypted {
    let files = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (certificate, key) = (files.path().join("cert.pem"), files.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let server = start(|config| {
        config.tls.certificate = Some(certificate);
        config.tls.key = Some(key);
        change(config);
    })
    .await;
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let client =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
    Encrypted {
        server,
        connector: TlsConnector::from(Arc::new(client)),
        _files: files,
    }
}

impl Encrypted {
    async fn connect(&self) -> tokio_rustls::client::TlsStream<TcpStream> {
        let stream = TcpStream::connect(self.server.addr()).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        self.connector.connect(name, stream).await.unwrap()
    }
}

#[tokio::test]
async fn pages_and_batches_come_through_an_encrypted_connection() {
    let encrypted = encrypted(|_| {}).await;
    assert!(encrypted.server.running.url().starts_with("https://"));
    let mut stream = encrypted.connect().await;
    let text = request(encrypted.server.addr(), "/health", &[]);
    stream.write_all(text.as_bytes()).await.unwrap();
    assert_eq!(read_answer(&mut stream).await.status, 200);

    let mut request = "wss://localhost/ingest".into_client_request().unwrap();
    request
        .headers_mut()
        .insert("sec-websocket-protocol", "reflow-trace.v1".parse().unwrap());
    let (socket, response) = tokio_tungstenite::client_async(request, encrypted.connect().await)
        .await
        .unwrap();
    assert_eq!(
        response.headers()["sec-websocket-protocol"],
        "reflow-trace.v1"
    );
    drop(socket);
}

#[tokio::test]
async fn who_speaks_in_the_clear_or_not_at_all_is_let_go() {
    let encrypted = encrypted(|config| config.http.tls_timeout = Duration::from_millis(100)).await;
    let clear = request(encrypted.server.addr(), "/health", &[]);
    for words in [clear.as_str(), ""] {
        let mut stream = TcpStream::connect(encrypted.server.addr()).await.unwrap();
        stream.write_all(words.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer))
            .await
            .unwrap()
            .unwrap();
        assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    }
    let mut stream = encrypted.connect().await;
    stream
        .write_all(request(encrypted.server.addr(), "/metrics", &[]).as_bytes())
        .await
        .unwrap();
    let page = read_answer(&mut stream).await.body;
    assert!(
        page.contains("reflow_trace_connections_refused_total{reason=\"tls\"} 2"),
        "{page}"
    );
}
