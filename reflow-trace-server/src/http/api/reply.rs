//! Answers as bytes: within a length, within the memory for what nobody has taken yet, in the form that
//! was asked for.

use std::io;
use std::sync::Arc;

use axum::body::Bytes;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use reflow_trace::api::{Answer, ApiError, ErrorCode, GraphFormat};
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::observe::Metrics;

/// From here on an answer is large: it takes a part of the memory for unread answers.
const LARGE_BYTES: usize = 16 << 10;
/// What that memory is counted in.
const UNIT_BYTES: usize = 1 << 10;
/// For a picture that somebody opens by itself: no script, no form, no frame, nothing from elsewhere.
const PICTURE_POLICY: &str =
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

/// What an answer over HTTP looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The content of the answer.
    Json,
    /// The text of a graph, as a file of this kind.
    File(GraphFormat),
}

/// The memory for large answers that nobody has taken yet.
#[derive(Debug)]
pub(crate) struct Unread {
    units: Arc<Semaphore>,
    metrics: Arc<Metrics>,
}

/// An answer until it is taken.
#[derive(Debug)]
struct Kept {
    bytes: Vec<u8>,
    /// Given back when the bytes are dropped.
    _part: Option<Part>,
}

/// What it takes of the memory.
#[derive(Debug)]
struct Part {
    _units: OwnedSemaphorePermit,
    bytes: u64,
    metrics: Arc<Metrics>,
}

/// Takes in so many bytes and no more.
struct Bounded {
    bytes: Vec<u8>,
    bytes_max: usize,
}

impl Form {
    /// The answer in this form.
    ///
    /// # Errors
    ///
    /// It has too many bytes, or there is no memory for what is unread.
    pub(super) fn write(
        self,
        answer: &Answer,
        bytes_max: usize,
        unread: &Unread,
    ) -> Result<Bytes, ApiError> {
        match (self, answer) {
            (Self::File(_), Answer::Graph(graph)) => {
                if graph.text.len() > bytes_max {
                    return Err(too_large(bytes_max));
                }
                unread.keep(graph.text.clone().into_bytes())
            }
            _ => unread.keep(content(answer, bytes_max)?),
        }
    }

    /// Says what it is.
    pub(super) fn describe(self, headers: &mut HeaderMap) {
        let kind = match self {
            Self::Json | Self::File(GraphFormat::Json) => "application/json",
            Self::File(GraphFormat::Svg) => "image/svg+xml",
            Self::File(GraphFormat::Dot) => "text/vnd.graphviz; charset=utf-8",
            Self::File(GraphFormat::Mermaid) => "text/plain; charset=utf-8",
        };
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        if self == Self::File(GraphFormat::Svg) {
            let policy = HeaderValue::from_static(PICTURE_POLICY);
            headers.insert(CONTENT_SECURITY_POLICY, policy);
        }
    }
}

impl Unread {
    pub(crate) fn new(bytes_max: usize, metrics: Arc<Metrics>) -> Self {
        let units = (bytes_max / UNIT_BYTES).min(Semaphore::MAX_PERMITS);
        Self {
            units: Arc::new(Semaphore::new(units)),
            metrics,
        }
    }

    /// Keeps an answer until the bytes are dropped.
    ///
    /// # Errors
    ///
    /// Others keep too much.
    pub(in crate::http) fn keep(&self, mut bytes: Vec<u8>) -> Result<Bytes, ApiError> {
        bytes.shrink_to_fit();
        let part = if bytes.len() < LARGE_BYTES {
            None
        } else {
            Some(self.take(bytes.len())?)
        };
        Ok(Bytes::from_owner(Kept { bytes, _part: part }))
    }

    fn take(&self, bytes: usize) -> Result<Part, ApiError> {
        let units = u32::try_from(bytes.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX);
        let taken = Arc::clone(&self.units).try_acquire_many_owned(units);
        let taken = taken.map_err(|_| {
            ApiError::new(
                ErrorCode::Busy,
                "others have large answers that they did not take yet (`query.unread_bytes_max`): ask again later, or for less",
            )
        })?;
        self.metrics.unread_bytes.add(bytes as u64);
        Ok(Part {
            _units: taken,
            bytes: bytes as u64,
            metrics: Arc::clone(&self.metrics),
        })
    }
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.metrics.unread_bytes.sub(self.bytes);
    }
}

/// Any value as JSON.
///
/// # Errors
///
/// It has too many bytes.
pub(in crate::http) fn json(value: &impl Serialize, bytes_max: usize) -> Result<Vec<u8>, ApiError> {
    let mut bounded = Bounded {
        bytes: Vec::new(),
        bytes_max,
    };
    match serde_json::to_writer(&mut bounded, value) {
        Ok(()) => Ok(bounded.bytes),
        Err(error) if error.is_io() => Err(too_large(bytes_max)),
        Err(error) => Err(ApiError::new(
            ErrorCode::Store,
            format!("the answer cannot be written as JSON: {error}"),
        )),
    }
}

/// The answer without its name.
fn content(answer: &Answer, bytes_max: usize) -> Result<Vec<u8>, ApiError> {
    match answer {
        Answer::QueryTraces(page) | Answer::QueryDataFlows(page) => json(page, bytes_max),
        Answer::Lineage(lineage) => json(lineage, bytes_max),
        Answer::MissingFlows(missing) => json(missing, bytes_max),
        Answer::Edges(edges) => json(edges, bytes_max),
        Answer::Dependencies(dependencies) => json(dependencies, bytes_max),
        Answer::Graph(graph) => json(graph, bytes_max),
        Answer::Sql(table) => json(table, bytes_max),
        Answer::Metrics(metrics) => json(metrics, bytes_max),
        // An answer that this door does not know is shown with its name.
        other => json(other, bytes_max),
    }
}

fn too_large(bytes_max: usize) -> ApiError {
    ApiError::new(
        ErrorCode::TooLarge,
        format!(
            "the answer has more than {bytes_max} bytes (`query.answer_bytes_max`): ask with a smaller `limit`, about a shorter time or with a narrower filter"
        ),
    )
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.bytes_max - self.bytes.len() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reflow_trace::api::GraphAnswer;

    fn graph(bytes: usize) -> Answer {
        Answer::Graph(GraphAnswer {
            text: "x".repeat(bytes),
            ..GraphAnswer::default()
        })
    }

    #[test]
    fn an_answer_is_as_long_as_it_may_be_and_no_longer() {
        let unread = Unread::new(1 << 20, Arc::default());
        for form in [Form::Json, Form::File(GraphFormat::Svg)] {
            let written = form.write(&graph(100), 10_000, &unread).expect("it fits");
            assert!(written.len() >= 100);
            let exactly = form.write(&graph(100), written.len(), &unread);
            assert_eq!(exactly.expect("it just fits"), written);
            let error = form.write(&graph(100), written.len() - 1, &unread);
            assert_eq!(error.expect_err("too long").code, ErrorCode::TooLarge);
        }
    }

    #[test]
    fn large_answers_share_a_memory_until_they_are_taken() {
        let metrics = Arc::new(Metrics::default());
        let unread = Unread::new(64 << 10, Arc::clone(&metrics));
        let first = unread.keep(vec![1; 40 << 10]).expect("there is room");
        let second = first.clone();
        assert_eq!(metrics.unread_bytes.get(), 40 << 10);
        let error = unread.keep(vec![2; 40 << 10]).expect_err("no room");
        assert_eq!(error.code, ErrorCode::Busy);
        unread
            .keep(vec![3; LARGE_BYTES - 1])
            .expect("small ones need none");
        drop(first);
        unread
            .keep(vec![2; 40 << 10])
            .expect_err("somebody still reads it");
        drop(second);
        unread.keep(vec![2; 40 << 10]).expect("it was taken");
        assert_eq!(metrics.unread_bytes.get(), 0);
    }
}
