//! What a request is told that is not let through: a status, a word for metrics, a text for people.

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use reflow_trace::api::SUBPROTOCOL as API_SUBPROTOCOL;

use super::gate::Foreign;
use super::token::{Denied, Scope};
use crate::ingest::SUBPROTOCOL;

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// No usable `Host`.
    NoHost,
    /// A `Host` that is not ours.
    ForeignHost,
    /// An `Origin` that is not ours.
    ForeignOrigin,
    /// A header that may be there once is there twice.
    Ambiguous,
    /// No token, where one is needed.
    NoToken,
    /// A token that nobody has.
    WrongToken,
    /// A token that does not permit this.
    WrongScope(Scope),
    /// No WebSocket, where one is spoken.
    NoWebSocket,
    /// A WebSocket without our subprotocol.
    NoSubprotocol,
    /// A WebSocket that asks, without our subprotocol.
    NoApiSubprotocol,
    /// A question that is not said to be JSON.
    ContentType,
    /// A question that did not arrive in time.
    SlowBody,
    /// As many connections that ask as there may be.
    TooManyAskers,
    /// As many sessions as there may be.
    TooManySessions,
    /// As many tickets as there may be.
    TooManyTickets,
    /// The store does not accept.
    NotReady,
    /// The server is about to stop.
    Stopping,
    /// The answer took too long.
    TooSlow,
    /// No such page.
    NotFound,
    /// The page is there, and cannot be asked in this way.
    Method,
}

impl Refused {
    /// The status of the answer.
    pub fn status(self) -> StatusCode {
        match self {
            Self::NoHost | Self::Ambiguous | Self::NoSubprotocol | Self::NoApiSubprotocol => {
                StatusCode::BAD_REQUEST
            }
            Self::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::SlowBody => StatusCode::REQUEST_TIMEOUT,
            Self::TooManyAskers => StatusCode::SERVICE_UNAVAILABLE,
            Self::NoToken | Self::WrongToken => StatusCode::UNAUTHORIZED,
            Self::ForeignOrigin | Self::WrongScope(_) => StatusCode::FORBIDDEN,
            Self::ForeignHost => StatusCode::MISDIRECTED_REQUEST,
            Self::NoWebSocket => StatusCode::UPGRADE_REQUIRED,
            Self::TooManySessions
            | Self::TooManyTickets
            | Self::NotReady
            | Self::Stopping
            | Self::TooSlow => StatusCode::SERVICE_UNAVAILABLE,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
        }
    }

    /// One word, for metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::NoHost => "no_host",
            Self::ForeignHost => "foreign_host",
            Self::ForeignOrigin => "foreign_origin",
            Self::Ambiguous => "ambiguous",
            Self::NoToken => "no_token",
            Self::WrongToken => "wrong_token",
            Self::WrongScope(_) => "wrong_scope",
            Self::NoWebSocket => "no_websocket",
            Self::NoSubprotocol => "no_subprotocol",
            Self::NoApiSubprotocol => "no_api_subprotocol",
            Self::ContentType => "content_type",
            Self::SlowBody => "slow_body",
            Self::TooManyAskers => "too_many_askers",
            Self::TooManySessions => "too_many_sessions",
            Self::TooManyTickets => "too_many_tickets",
            Self::NotReady => "not_ready",
            Self::Stopping => "stopping",
            Self::TooSlow => "too_slow",
            Self::NotFound => "not_found",
            Self::Method => "method",
        }
    }

    /// What is wrong and what to do, a line. It repeats nothing of the request.
    pub fn text(self) -> String {
        match self {
            Self::NoHost => "the header `Host` is missing or is no host".to_owned(),
            Self::ForeignHost => {
                "the header `Host` names another server; if it is a name of this one, add it to `http.hosts`".to_owned()
            }
            Self::ForeignOrigin => {
                "pages of this origin may not connect; if they should, add it to `http.origins`".to_owned()
            }
            Self::Ambiguous => "a header that may be there once is there twice".to_owned(),
            Self::NoToken => {
                "a token is needed: send `Authorization: Bearer …`; `reflow-trace token new` makes one".to_owned()
            }
            Self::WrongToken => "the token is not known here".to_owned(),
            Self::WrongScope(scope) => {
                format!("the token does not permit this: its scopes lack `{}`", scope.name())
            }
            Self::NoWebSocket => {
                format!(
                    "this path speaks WebSocket (version 13): batches with the subprotocol `{SUBPROTOCOL}`, questions with `{API_SUBPROTOCOL}`"
                )
            }
            Self::NoSubprotocol => {
                format!("the WebSocket has to offer the subprotocol `{SUBPROTOCOL}`; this server speaks no other here")
            }
            Self::NoApiSubprotocol => {
                format!("the WebSocket has to offer the subprotocol `{API_SUBPROTOCOL}`; this server speaks no other here")
            }
            Self::ContentType => {
                "a question is JSON: send it with `Content-Type: application/json`".to_owned()
            }
            Self::SlowBody => "the question did not arrive within `http.header_timeout`".to_owned(),
            Self::TooManyAskers => {
                "as many connections ask as `query.askers_max` allows; try again later".to_owned()
            }
            Self::TooManySessions => {
                "as many connections send batches as `ingest.sessions_max` allows; try again later".to_owned()
            }
            Self::TooManyTickets => {
                "as many tickets are good as there may be at one time; try again later".to_owned()
            }
            Self::NotReady => "the store does not accept batches at the moment; try again later".to_owned(),
            Self::Stopping => "the server is about to stop; try again later".to_owned(),
            Self::TooSlow => "the answer took longer than `http.request_timeout`".to_owned(),
            Self::NotFound => "there is nothing here; `/` says what there is".to_owned(),
            Self::Method => "this path cannot be asked with this method".to_owned(),
        }
    }
}

impl From<Foreign> for Refused {
    fn from(foreign: Foreign) -> Self {
        match foreign {
            Foreign::NoHost => Self::NoHost,
            Foreign::Host => Self::ForeignHost,
            Foreign::Origin => Self::ForeignOrigin,
        }
    }
}

impl From<Denied> for Refused {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Missing => Self::NoToken,
            Denied::Wrong => Self::WrongToken,
            Denied::Scope(scope) => Self::WrongScope(scope),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = (self.status(), format!("{}\n", self.text())).into_response();
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
        if self.status() == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if self.status() == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(self);
        response
    }
}
