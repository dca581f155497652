//! Reading messages, within bounds.
//!
//! Length and depth are looked at before anything is built. The kind of a message is read first and says
//! which family it is of, so that an error is about the message that was meant.

use serde::de::DeserializeOwned;

use super::error::ProtocolError;
use super::query::{QueryRequest, SubscriptionRequest};
use super::request::{Request, TraceMessage, TracingRequest};
use super::response::{Response, TraceResponse, TracingResponse};
use crate::graph::text;
use crate::query::filter::nearest;

/// Widest name of a message in an error, in columns.
const NAME_COLUMNS: usize = 40;
/// Longest problem in an error, in characters.
const PROBLEM_CHARS: usize = 300;

/// How much JSON is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonLimits {
    /// Longest text, in bytes; 4 MiB unless told otherwise. What is built from it takes more memory: up
    /// to about twelve times as much.
    pub bytes_max: usize,
    /// How deep lists and objects may lie in each other; 64 unless told otherwise, and never more than
    /// 127, beyond which no reader goes.
    pub depth_max: usize,
}

impl Default for JsonLimits {
    fn default() -> Self {
        Self {
            bytes_max: 4 * 1024 * 1024,
            depth_max: 64,
        }
    }
}

/// Reads a request of either family.
///
/// # Errors
///
/// A text that is too long or too deep, that is no message, or whose content is not what belongs there.
///
/// # Examples
///
/// ```
/// use reflow_trace::protocol::{JsonLimits, Request, TracingRequest, read_request};
///
/// let limits = JsonLimits::default();
/// assert_eq!(read_request("\"Ping\"", &limits)?, Request::Tracing(TracingRequest::Ping));
/// let error = read_request(r#"{"QueryTrace": {}}"#, &limits).unwrap_err();
/// assert_eq!(error.to_string(), "no message is called `QueryTrace`; did you mean `QueryTraces`?");
/// # Ok::<(), reflow_trace::protocol::ProtocolError>(())
/// ```
pub fn read_request(text: &str, limits: &JsonLimits) -> Result<Request, ProtocolError> {
    check(text, limits)?;
    let head = Head::of(text)?;
    let current = position(TracingRequest::NAMES, &head.name);
    let older = position(TraceMessage::NAMES, &head.name);
    match (current, older) {
        // The only difference between the two subscriptions.
        (Some(_), Some(name)) if head.first_member.as_deref() == Some("filter") => {
            content(text, name).map(Request::Message)
        }
        (Some(name), _) => content(text, name).map(Request::Tracing),
        (None, Some(name)) => content(text, name).map(Request::Message),
        (None, None) => Err(unknown(
            &head.name,
            TracingRequest::NAMES,
            TraceMessage::NAMES,
        )),
    }
}

/// Reads a response of either family; what is of both is of the current one.
///
/// # Errors
///
/// As [`read_request`].
pub fn read_response(text: &str, limits: &JsonLimits) -> Result<Response, ProtocolError> {
    check(text, limits)?;
    let head = Head::of(text)?;
    let current = position(TracingResponse::NAMES, &head.name);
    let older = position(TraceResponse::NAMES, &head.name);
    match (current, older) {
        // An error without a code is of the older family; without either member it is a wrong one.
        (Some(name), Some(older)) => content(text, name)
            .map(Response::Tracing)
            .or_else(|error| content(text, older).map(Response::Trace).map_err(|_| error)),
        (Some(name), None) => content(text, name).map(Response::Tracing),
        (None, Some(name)) => content(text, name).map(Response::Trace),
        (None, None) => Err(unknown(
            &head.name,
            TracingResponse::NAMES,
            TraceResponse::NAMES,
        )),
    }
}

/// Reads a question that stands alone, as in the body of an HTTP request.
///
/// # Errors
///
/// A text that is too long or too deep, or no question.
pub fn read_query(text: &str, limits: &JsonLimits) -> Result<QueryRequest, ProtocolError> {
    check(text, limits)?;
    content(text, "query")
}

/// Reads the filters of a subscription that stand alone.
///
/// # Errors
///
/// A text that is too long or too deep, or no filters.
pub fn read_subscription(
    text: &str,
    limits: &JsonLimits,
) -> Result<SubscriptionRequest, ProtocolError> {
    check(text, limits)?;
    content(text, "subscription")
}

/// Length and depth, before anything is built.
pub(crate) fn check(text: &str, limits: &JsonLimits) -> Result<(), ProtocolError> {
    let &JsonLimits {
        bytes_max,
        depth_max,
    } = limits;
    if text.len() > bytes_max {
        return Err(ProtocolError::TooLong {
            bytes: text.len(),
            bytes_max,
        });
    }
    let mut depth = 0_usize;
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                if depth > depth_max {
                    return Err(ProtocolError::TooDeep { depth_max, at });
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            // What is in a string is no structure.
            b'"' => {
                while let Some((_, byte)) = bytes.next() {
                    match byte {
                        b'\\' => drop(bytes.next()),
                        b'"' => break,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// How a message begins.
struct Head {
    name: String,
    /// The name of the first member of its content.
    first_member: Option<String>,
}

impl Head {
    fn of(text: &str) -> Result<Self, ProtocolError> {
        let text = text.trim_ascii_start();
        let (name, behind) = match text.strip_prefix('{') {
            Some(inside) => string(inside),
            None => string(text),
        }
        .ok_or(ProtocolError::NoMessage)?;
        let content = behind.trim_ascii_start().strip_prefix(':');
        let members = content.and_then(|content| content.trim_ascii_start().strip_prefix('{'));
        let first_member = members.and_then(string).map(|(name, _)| name);
        Ok(Self { name, first_member })
    }
}

/// The string that the text begins with, and what is behind it.
fn string(text: &str) -> Option<(String, &str)> {
    if !text.trim_ascii_start().starts_with('"') {
        return None;
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<String>();
    let string = values.next()?.ok()?;
    Some((string, &text[values.byte_offset()..]))
}

fn position(names: &[&'static str], name: &str) -> Option<&'static str> {
    names.iter().copied().find(|known| *known == name)
}

fn content<T: DeserializeOwned>(text: &str, name: &'static str) -> Result<T, ProtocolError> {
    let mut json = serde_json::Deserializer::from_str(text);
    let read = T::deserialize(&mut json).and_then(|read| json.end().map(|()| read));
    read.map_err(|error| {
        let problem: String = error.to_string().chars().take(PROBLEM_CHARS).collect();
        ProtocolError::Malformed {
            name,
            problem: text::visible_line(&problem),
        }
    })
}

fn unknown(name: &str, current: &[&'static str], older: &[&'static str]) -> ProtocolError {
    let known = current
        .iter()
        .chain(older.iter().filter(|name| !current.contains(name)));
    let suggestion = match nearest(name, known.clone().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let known: Vec<&str> = known.copied().collect();
            format!("there are {}", known.join(", "))
        }
    };
    ProtocolError::UnknownMessage {
        name: text::shortened(name, NAME_COLUMNS),
        suggestion,
    }
}
