//! The body of a question: what it is, how much, and how long it may take to arrive.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use reflow_trace::api::{ApiError, ErrorCode};
use tokio::time::timeout;

/// Why there is no body.
pub(super) enum NoBody {
    /// It did not arrive in time.
    TooSlow,
    /// It is no text, or too much.
    Said(ApiError),
}

/// Whether the body is said to be JSON. What a form of a page can send is not.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next().map(HeaderValue::as_bytes), values.next()) else {
        return false;
    };
    let kind = value.split(|&byte| byte == b';').next().unwrap_or_default();
    kind.trim_ascii().eq_ignore_ascii_case(b"application/json")
}

/// The whole body as text, of at most so many bytes, within a time.
pub(super) async fn body(body: Body, bytes_max: usize, limit: Duration) -> Result<String, NoBody> {
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(NoBody::Said(too_large(bytes_max)));
    }
    timeout(limit, gathered(body, bytes_max))
        .await
        .map_err(|_| NoBody::TooSlow)?
        .map_err(NoBody::Said)
}

async fn gathered(mut body: Body, bytes_max: usize) -> Result<String, ApiError> {
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|_| wrong("the body broke off"))?;
        // Trailers are nothing that anybody asks with.
        let Ok(part) = frame.into_data() else {
            continue;
        };
        if bytes.len() + part.len() > bytes_max {
            return Err(too_large(bytes_max));
        }
        bytes.extend_from_slice(&part);
    }
    String::from_utf8(bytes).map_err(|_| wrong("the body is no UTF-8"))
}

fn wrong(what: &str) -> ApiError {
    ApiError::new(ErrorCode::InvalidQuestion, what)
}

fn too_large(bytes_max: usize) -> ApiError {
    ApiError::new(
        ErrorCode::TooLarge,
        format!("a question has at most {bytes_max} bytes"),
    )
}
