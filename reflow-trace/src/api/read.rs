//! Reading questions and messages, within bounds.
//!
//! Length and depth are looked at before anything is built, so that a hundred thousand brackets cost one
//! look at each and no stack.

use serde::de::DeserializeOwned;

use super::{ApiError, ClientMessage, ErrorCode, Question, ServerMessage};
use crate::graph::text;
use crate::protocol::{JsonLimits, ProtocolError, check};
use crate::query::filter::nearest;

/// Widest name of a question in an error, in columns.
const NAME_COLUMNS: usize = 40;
/// Longest problem in an error, in characters.
const PROBLEM_CHARS: usize = 400;

/// Reads the content of the question of this name, as in the body of an HTTP request; no text at all is `{}`.
///
/// # Errors
///
/// No question has this name, the text is too long or too deep, or its content is not what belongs there.
///
/// # Examples
///
/// ```
/// use reflow_trace::api::{Question, read_question};
/// use reflow_trace::protocol::JsonLimits;
///
/// let limits = JsonLimits::default();
/// let question = read_question("edges", r#"{"actor": "validator"}"#, &limits)?;
/// assert!(matches!(question, Question::Edges(_)));
///
/// let error = read_question("edgse", "{}", &limits).unwrap_err();
/// assert_eq!(error.to_string(), "there is no question `edgse`; did you mean `edges`?");
/// # Ok::<(), reflow_trace::api::ApiError>(())
/// ```
pub fn read_question(name: &str, text: &str, limits: &JsonLimits) -> Result<Question, ApiError> {
    let [
        traces,
        flows,
        lineage,
        missing,
        edges,
        dependencies,
        graph,
        sql,
        metrics,
    ] = Question::NAMES;
    let text = if text.trim_ascii().is_empty() {
        "{}"
    } else {
        text
    };
    Ok(match name {
        _ if name == traces => Question::QueryTraces(content(text, traces, limits)?),
        _ if name == flows => Question::QueryDataFlows(content(text, flows, limits)?),
        _ if name == lineage => Question::Lineage(content(text, lineage, limits)?),
        _ if name == missing => Question::MissingFlows(content(text, missing, limits)?),
        _ if name == edges => Question::Edges(content(text, edges, limits)?),
        _ if name == dependencies => Question::Dependencies(content(text, dependencies, limits)?),
        _ if name == graph => Question::Graph(content(text, graph, limits)?),
        _ if name == sql => Question::Sql(content(text, sql, limits)?),
        _ if name == metrics => Question::Metrics(content(text, metrics, limits)?),
        _ => return Err(unknown_question(name)),
    })
}

/// Reads what a client says over the WebSocket.
///
/// # Errors
///
/// The text is too long or too deep, or no message.
pub fn read_client_message(text: &str, limits: &JsonLimits) -> Result<ClientMessage, ApiError> {
    content(text, "message", limits)
}

/// Reads what a server says over the WebSocket.
///
/// # Errors
///
/// The text is too long or too deep, or no message.
pub fn read_server_message(text: &str, limits: &JsonLimits) -> Result<ServerMessage, ApiError> {
    content(text, "message", limits)
}

/// Whom a message of a server is for that cannot be read whole.
#[cfg(feature = "client")]
#[derive(Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Addressee {
    /// A question, or what ends a question or a subscription.
    #[serde(alias = "failed")]
    Answer { id: u64 },
    /// A subscription, and the place of the batch.
    Events { id: u64, offset: u64 },
}

#[cfg(feature = "client")]
impl Addressee {
    /// Reads no more than that; `None` where not even this can be read. What is passed over takes no stack,
    /// however deep it is.
    pub(crate) fn of(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

fn unknown_question(name: &str) -> ApiError {
    let suggestion = match nearest(name, Question::NAMES) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are {}", Question::NAMES.join(", ")),
    };
    let name = text::shortened(name, NAME_COLUMNS);
    ApiError::new(
        ErrorCode::NotFound,
        format!("there is no question `{name}`; {suggestion}"),
    )
}

fn content<T: DeserializeOwned>(
    text: &str,
    name: &str,
    limits: &JsonLimits,
) -> Result<T, ApiError> {
    check(text, limits).map_err(|error| {
        let code = match error {
            ProtocolError::TooLong { .. } => ErrorCode::TooLarge,
            _ => ErrorCode::InvalidQuestion,
        };
        ApiError::new(code, error.to_string())
    })?;
    let mut json = serde_json::Deserializer::from_str(text);
    let read = T::deserialize(&mut json).and_then(|read| json.end().map(|()| read));
    read.map_err(|error| {
        let problem: String = error.to_string().chars().take(PROBLEM_CHARS).collect();
        let problem = text::visible_line(&problem);
        ApiError::new(
            ErrorCode::InvalidQuestion,
            format!("in `{name}`: {problem}"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: JsonLimits = JsonLimits {
        bytes_max: 1 << 20,
        depth_max: 32,
    };

    #[test]
    fn every_question_is_read_by_its_name() {
        for name in Question::NAMES {
            let text = match name {
                "lineage" => r#"{"of": {"message_id": 7}}"#,
                "sql" => r#"{"statement": "SELECT 1"}"#,
                _ => "  ",
            };
            let question = read_question(name, text, &LIMITS).expect(name);
            assert_eq!(question.name(), name);
        }
    }

    #[test]
    fn what_is_wrong_with_a_question_is_told_in_a_line() {
        let told = |name: &str, text: &str| {
            let error = read_question(name, text, &LIMITS).expect_err(text);
            assert!(!error.message.contains(char::is_control), "{error}");
            assert!(error.message.len() < 1_500, "{error}");
            (error.code, error.message)
        };
        let invalid = ErrorCode::InvalidQuestion;
        let (code, message) = told("edges", r#"{"actr": "a"}"#);
        assert_eq!(code, invalid);
        assert!(
            message.starts_with("in `edges`: unknown field `actr`, expected"),
            "{message}"
        );
        let (code, _) = told("query_traces", r#"{"query": {"limit": -1}}"#);
        assert_eq!(code, invalid);
        let (code, message) = told("\u{1b}[31m", "{}");
        assert_eq!(code, ErrorCode::NotFound);
        assert!(
            message.contains("there are query_traces, query_data_flows"),
            "{message}"
        );
        let (code, message) = told("lineage", &"[".repeat(100_000));
        assert_eq!(code, invalid);
        assert!(message.contains("nested more than 32 deep"), "{message}");
        let (code, _) = told("sql", &format!("{{{}", " ".repeat(1 << 20)));
        assert_eq!(code, ErrorCode::TooLarge);
        let (code, _) = told("edges", &format!("{{\"{}\": 1}}", "x".repeat(100_000)));
        assert_eq!(code, invalid);
        let (code, _) = told("edges", "{} {}");
        assert_eq!(code, invalid);
    }

    #[test]
    #[cfg(feature = "client")]
    fn of_a_message_that_cannot_be_read_it_is_known_whom_it_is_for() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let events = format!(r#"{{"events": {{"events": {deep}, "offset": 7, "id": 3}}}}"#);
        let is_for = Addressee::of(&events);
        assert_eq!(is_for, Some(Addressee::Events { id: 3, offset: 7 }));
        for name in ["answer", "failed"] {
            let text = format!(r#"{{"{name}": {{"id": 5, "{name}": {{"of_later": {deep}}}}}}}"#);
            assert_eq!(Addressee::of(&text), Some(Addressee::Answer { id: 5 }));
        }
        for text in [
            "",
            "7",
            r#"{"events": {"id": 3}}"#,
            r#"{"sung": {"id": 3}}"#,
        ] {
            assert_eq!(Addressee::of(text), None, "{text}");
        }
    }

    #[test]
    fn messages_are_read_and_others_refused() {
        let ask = read_client_message(
            r#"{"ask": {"id": 1, "question": {"metrics": {}}}}"#,
            &LIMITS,
        );
        assert!(
            matches!(ask, Ok(ClientMessage::Ask { id: 1, .. })),
            "{ask:?}"
        );
        for wrong in [
            "",
            "{}",
            "[]",
            "7",
            r#"{"ask": {}}"#,
            r#"{"drop": {"id": 1}}"#,
        ] {
            assert!(read_client_message(wrong, &LIMITS).is_err(), "{wrong}");
            assert!(read_server_message(wrong, &LIMITS).is_err(), "{wrong}");
        }
    }
}
