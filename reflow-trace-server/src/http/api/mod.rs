//! `/api`: questions and answers, as JSON over HTTP and over a WebSocket.
//!
//! | request | what |
//! | --- | --- |
//! | `POST /api/{question}` | the content of the question as JSON; any question |
//! | `GET /api/{question}?…` | the same from a few [`parameters`]; a graph comes as the file itself |
//! | `GET /api` | what can be asked |
//! | `GET /api` with an upgrade | many questions at once, and subscriptions, see `socket` |
//!
//! Every answer below `/api` that is none is an [`ApiError`] as JSON, with a status that fits.
//!
//! # What cannot happen
//!
//! A page on the web makes its visitor's browser ask: `Host` and `Origin` are looked at before (`gate`), a form
//! cannot send JSON, and what a browser marks as coming from another site is refused, where it would be an
//! image or a script. Names in a picture run no script: it is served as an image in a sandbox. A body that
//! never ends, is too large or too deep costs no more than its limit. An answer that nobody takes holds
//! a bounded part of a bounded memory until `http.write_timeout`.

mod about;
mod asked;
mod parameters;
mod reply;
mod session;
mod socket;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use reflow_trace::api::{ApiError, ErrorCode, Question, read_question};
use reflow_trace::protocol::JsonLimits;

use super::token::Scope;
use super::{Refused, Shared};
use parameters::Wanted;
#[cfg(test)]
pub(crate) use parameters::markdown;
use reply::Form;
pub(crate) use reply::Unread;
pub(super) use reply::json;

/// The largest body of a question. The longest statement and filters have a fraction of it.
const QUESTION_BYTES_MAX: usize = 64 << 10;
/// How much JSON is read. Questions are five deep; a message id may be any value.
const LIMITS: JsonLimits = JsonLimits {
    bytes_max: QUESTION_BYTES_MAX,
    depth_max: 32,
};

/// What there is below `/api`.
pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/api", get(socket::open))
        .route("/api/{question}", get(by_parameters).post(by_json))
}

/// Whether errors of this path are for programs.
pub(super) fn is_below(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}

/// Whether the browser says that a page of another site wants this, and not a person who follows a link.
pub(super) fn is_from_another_site(headers: &HeaderMap) -> bool {
    let is = |name: &str, word: &str| {
        let value = headers.get(name).map(HeaderValue::as_bytes);
        value.is_some_and(|value| value.eq_ignore_ascii_case(word.as_bytes()))
    };
    let follows_a_link = is("sec-fetch-mode", "navigate") && is("sec-fetch-dest", "document");
    is("sec-fetch-site", "cross-site") && !headers.contains_key("origin") && !follows_a_link
}

/// An error as its answer.
pub(crate) fn failed(error: &ApiError) -> Response {
    let status =
        StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    failed_with(status, error)
}

/// A refusal as an answer below `/api`: the same status, the same words, as JSON.
pub(super) fn refused(refused: Refused, response: Response) -> Response {
    let code = match refused.status() {
        StatusCode::NOT_FOUND => ErrorCode::NotFound,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::MISDIRECTED_REQUEST => {
            ErrorCode::Forbidden
        }
        StatusCode::PAYLOAD_TOO_LARGE => ErrorCode::TooLarge,
        _ => match refused {
            Refused::TooSlow => ErrorCode::TimedOut,
            Refused::Stopping => ErrorCode::Stopping,
            _ if refused.status().is_server_error() => ErrorCode::Busy,
            _ => ErrorCode::InvalidQuestion,
        },
    };
    let error = ApiError::new(code, refused.text());
    let (mut parts, _) = response.into_parts();
    let (as_json, body) = failed_with(refused.status(), &error).into_parts();
    parts.headers.remove(axum::http::header::CONTENT_LENGTH);
    parts.headers.extend(as_json.headers);
    Response::from_parts(parts, body)
}

fn failed_with(status: StatusCode, error: &ApiError) -> Response {
    // Three texts and two numbers: nothing in it can fail to be written.
    let mut body = serde_json::to_vec(error).unwrap_or_default();
    body.push(b'\n');
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if error.code.is_retryable() {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// `POST /api/{question}`.
async fn by_json(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    request: Request<Body>,
) -> Result<Response, Response> {
    let refuse = IntoResponse::into_response;
    shared
        .permit(request.headers(), Scope::Query)
        .map_err(refuse)?;
    if !Question::NAMES.contains(&name.as_str()) {
        // Before anything is read: what is no question needs no body.
        return Err(failed_by(read_question(&name, "", &LIMITS)));
    }
    if !asked::is_json(request.headers()) {
        return Err(refuse(Refused::ContentType));
    }
    let (head, body) = request.into_parts();
    let limit = shared.config.http.header_timeout;
    let body = asked::body(body, QUESTION_BYTES_MAX, limit).await;
    let body = body.map_err(|problem| match problem {
        asked::NoBody::TooSlow => refuse(Refused::SlowBody),
        asked::NoBody::Said(error) => failed(&error),
    })?;
    let question = read_question(&name, &body, &LIMITS).map_err(|error| failed(&error))?;
    answer(&shared, &head.headers, question, Form::Json).await
}

/// `GET /api/{question}`.
async fn by_parameters(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Response> {
    shared
        .permit(&headers, Scope::Query)
        .map_err(IntoResponse::into_response)?;
    let wanted = parameters::read(&name, query.as_deref().unwrap_or_default());
    let Wanted { question, form } = wanted.map_err(|error| failed(&error))?;
    answer(&shared, &headers, question, form).await
}

async fn answer(
    shared: &Arc<Shared>,
    headers: &HeaderMap,
    question: Question,
    form: Form,
) -> Result<Response, Response> {
    let rights = shared
        .grant(headers)
        .map_err(IntoResponse::into_response)?
        .rights();
    let unread = Arc::clone(&shared.unread);
    let bytes_max = shared.config.query.answer_bytes_max;
    // When the connection ends, this future is dropped, and the question with it.
    let cancelled = Arc::new(AtomicBool::new(false));
    let written = shared
        .engine
        .answer_as(question, rights, cancelled, move |answer| {
            form.write(&answer, bytes_max, &unread)
        });
    let body = written.await.map_err(|error| failed(&error))?;
    let mut response = Body::from(body).into_response();
    form.describe(response.headers_mut());
    Ok(response)
}

fn failed_by<T>(result: Result<T, ApiError>) -> Response {
    match result {
        Err(error) => failed(&error),
        Ok(_) => Refused::NotFound.into_response(),
    }
}
