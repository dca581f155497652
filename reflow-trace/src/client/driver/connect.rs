//! Making a connection: name, TCP, TLS, WebSocket.

use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::{Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::{
    AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL, USER_AGENT,
};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::counted::Counted;
use super::socket::{Socket, Transport, shortened};
use crate::client::machine::Disconnect;
use crate::runtime::{ServerToken, ServerUrl};

/// What we speak over the socket.
pub(super) const SUBPROTOCOL: &str = "reflow-trace.v1";
/// How we call ourselves.
pub(crate) const AGENT: &str = concat!("reflow-trace/", env!("CARGO_PKG_VERSION"));

/// A WebSocket over TCP, or over TLS.
pub(crate) type Connection = WebSocketStream<Counted>;

/// Makes connections to one server.
pub(crate) struct Connector {
    url: ServerUrl,
    token: Option<ServerToken>,
    frame_bytes_max: usize,
    /// Of the system, unless there is a file of our own; looked for when they are first needed.
    tls: OnceLock<Arc<ClientConfig>>,
}

impl Connector {
    /// # Errors
    ///
    /// When the file of certificates cannot be read, or holds none.
    pub(crate) fn new(
        url: ServerUrl,
        token: Option<ServerToken>,
        ca_file: Option<&Path>,
        frame_bytes_max: usize,
    ) -> Result<Self, TrustError> {
        let tls = OnceLock::new();
        if url.is_encrypted
            && let Some(file) = ca_file
        {
            let config = trusting(roots_in(file)?)?;
            let _first = tls.set(config);
        }
        Ok(Self {
            url,
            token,
            frame_bytes_max,
            tls,
        })
    }

    /// Makes a connection over which frames go. However long that takes: the machine knows when it is too
    /// long.
    pub(super) async fn connect(self: Arc<Self>) -> Result<Socket, Disconnect> {
        let config = Socket::config(self.frame_bytes_max);
        self.open(SUBPROTOCOL, config).await.map(Socket::new)
    }

    /// Makes a connection over which this is spoken.
    pub(crate) async fn open(
        &self,
        subprotocol: &'static str,
        config: WebSocketConfig,
    ) -> Result<Connection, Disconnect> {
        let url = &self.url;
        let tcp = TcpStream::connect((url.host.as_str(), url.port))
            .await
            .map_err(|error| match error.kind() {
                io::ErrorKind::ConnectionRefused => self.passing(&format_args!(
                    "{error}; is the server running there? `reflow-trace serve` starts one"
                )),
                _ => self.passing(&error),
            })?;
        // Acknowledgements are small, and waited for.
        let _slower_without = tcp.set_nodelay(true);
        let transport: Box<dyn Transport> = if url.is_encrypted {
            let name = ServerName::try_from(url.host.clone())
                .map_err(|error| self.hopeless(&error.to_string()))?;
            let config = self
                .tls()
                .map_err(|error| self.hopeless(&error.to_string()))?;
            let tls = TlsConnector::from(config).connect(name, tcp).await;
            Box::new(tls.map_err(|error| {
                // A certificate that is not trusted now will not be in a second.
                if error.kind() == io::ErrorKind::InvalidData {
                    self.hopeless(&error.to_string())
                } else {
                    self.passing(&error)
                }
            })?)
        } else {
            Box::new(tcp)
        };
        let request = self
            .request(subprotocol)
            .map_err(|error| self.passing(&error))?;
        let transport = Counted::new(transport);
        match client_async_with_config(request, transport, Some(config)).await {
            Ok((stream, _)) => Ok(stream),
            Err(Error::Http(response)) => Err(self.refused(&response)),
            Err(error @ Error::Protocol(_)) => {
                Err(self.hopeless(&format!("no reflow-trace server answers there: {error}")))
            }
            Err(error) => Err(self.passing(&error)),
        }
    }

    /// Where it goes.
    pub(crate) fn url(&self) -> &ServerUrl {
        &self.url
    }

    fn request(&self, subprotocol: &'static str) -> Result<Request, Error> {
        let mut request = self.url.to_string().into_client_request()?;
        let headers = request.headers_mut();
        headers.insert(
            SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static(subprotocol),
        );
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        if let Some(token) = &self.token {
            let mut value = HeaderValue::try_from(format!("Bearer {}", token.secret()))
                .map_err(|error| Error::HttpFormat(error.into()))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        Ok(request)
    }

    fn tls(&self) -> Result<Arc<ClientConfig>, TrustError> {
        if let Some(config) = self.tls.get() {
            return Ok(Arc::clone(config));
        }
        let config = trusting(roots_of_the_system()?)?;
        Ok(Arc::clone(self.tls.get_or_init(|| config)))
    }

    fn passing(&self, error: &dyn std::fmt::Display) -> Disconnect {
        Disconnect::passing(format!("cannot connect to `{}`: {error}", self.url))
    }

    fn hopeless(&self, error: &str) -> Disconnect {
        Disconnect::hopeless(format!("cannot connect to `{}`: {error}", self.url))
    }

    /// Something that speaks HTTP does not want to speak with us.
    fn refused(&self, response: &Response) -> Disconnect {
        let status = response.status();
        let body = response.body().as_deref().unwrap_or_default();
        let body = shortened(String::from_utf8_lossy(body).trim());
        let hint = match status.as_u16() {
            401 if self.token.is_none() => " (it wants a token: set `server.token`)",
            401 | 403 => " (see whether the token is right and may be used for this)",
            404 => " (see whether the path is right)",
            _ => "",
        };
        let said = if body.is_empty() {
            format!("the server answered {status}{hint}")
        } else {
            format!("the server answered {status}{hint}: {body}")
        };
        // What is said to be over soon may be.
        if status.is_server_error() || status.as_u16() == 429 {
            self.passing(&said)
        } else {
            Disconnect {
                is_denied: matches!(status.as_u16(), 401 | 403),
                ..self.hopeless(&said)
            }
        }
    }
}

/// Nobody can be trusted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TrustError {
    #[error("cannot read certificates from `{path}`: {reason}")]
    File { path: String, reason: String },
    #[error(
        "this system names no authority that it trusts: install its certificates, or set `server.ca_file`"
    )]
    Nobody,
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] tokio_rustls::rustls::Error),
}

fn trusting(roots: RootCertStore) -> Result<Arc<ClientConfig>, TrustError> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn roots_in(file: &Path) -> Result<RootCertStore, TrustError> {
    let wrong = |reason: String| TrustError::File {
        path: file.display().to_string(),
        reason,
    };
    let mut roots = RootCertStore::empty();
    let certificates =
        CertificateDer::pem_file_iter(file).map_err(|error| wrong(error.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        roots
            .add(certificate)
            .map_err(|error| wrong(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(wrong("there is none in it".to_owned()));
    }
    Ok(roots)
}

fn roots_of_the_system() -> Result<RootCertStore, TrustError> {
    let mut roots = RootCertStore::empty();
    // Some of what systems carry is too old to be understood.
    let (_added, _ignored) =
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(TrustError::Nobody);
    }
    Ok(roots)
}
