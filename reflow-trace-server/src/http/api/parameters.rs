//! Questions as the parameters of a path, for people and for pictures in pages.
//!
//! One table says what there is; the page of `GET /api` and `docs/SERVER.md` are made from it. A parameter
//! that a question does not have is an error that names those it has: one that is passed over in
//! silence finds too much.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use reflow_trace::api::{
    ApiError, Cursor, ErrorCode, EventsQuestion, GraphFormat, GraphQuestion, LineageQuestion,
    LineageSubject, MetricsQuestion, Question, SpanQuestion, SqlQuestion, read_question,
};
use reflow_trace::protocol::QueryRequest;
use reflow_trace::{EventId, TraceEventType, TraceId};
use serde_json::Value;

use super::LIMITS;
use super::reply::Form;
use crate::config::parse_time;
use crate::observe::Harmless;

/// A parameter as it is described to people.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    /// How it is written.
    pub(super) form: &'static str,
    pub(super) what: &'static str,
    /// The questions that have it.
    questions: &'static [&'static str],
}

/// What is asked, and how the answer is to look.
#[derive(Debug, PartialEq)]
pub(super) struct Wanted {
    pub(super) question: Question,
    pub(super) form: Form,
}

/// From the first to the second, both included.
type Times = (DateTime<Utc>, DateTime<Utc>);

const EVENTS: &[&str] = &["query_traces", "query_data_flows", "missing_flows"];
const TIMES: &[&str] = &[
    "query_traces",
    "query_data_flows",
    "missing_flows",
    "edges",
    "dependencies",
    "graph",
];
const LIMITED: &[&str] = &[
    "query_traces",
    "query_data_flows",
    "missing_flows",
    "lineage",
    "sql",
];

macro_rules! parameters {
    ($($form:literal for $questions:expr, $what:literal;)*) => {
        &[$(Parameter {
            name: name_of($form),
            form: $form,
            what: $what,
            questions: $questions,
        }),*]
    };
}

/// Every parameter, in the order in which they are explained.
static TABLE: &[Parameter] = parameters! {
    "last=1h" for TIMES, "what began in this time until now: `90s`, `15min`, `2d`";
    "from=TIME" for TIMES, "what began at this time or later, RFC 3339; until now, or until `to`";
    "to=TIME" for TIMES, "what began at this time or before";
    "actor=NAME" for TIMES, "what happened at this actor or went to it";
    "type=NAMES" for &["query_traces"], "kinds of events with commas between: `MessageSent,DataFlow`";
    "filter=CONDITION" for EVENTS, "a condition, such as `size_bytes > 4KiB AND NOT outcome = 'delivered'`";
    "performance=CONDITION" for EVENTS, "a second one, true as well: `execution_time_ns > 10000000`";
    "newest=true" for EVENTS, "the newest first";
    "after=PLACE" for EVENTS, "the page after the one that said this in `next`";
    "offset=N" for EVENTS, "without the first so many";
    "message=ID" for &["lineage"], "of the messages with this id, a text";
    "number=ID" for &["lineage"], "of the messages with this id, a number";
    "event=UUID" for &["lineage"], "of one event";
    "trace=UUID" for &["lineage"], "of the events of one trace";
    "format=FORM" for &["graph"], "`svg` (where nothing is said), `dot`, `mermaid` or `json`; the answer is the file itself";
    "statement=SQL" for &["sql"], "one statement that reads";
    "limit=N" for LIMITED, "at most so many events or rows; for `lineage` and `sql` what is left out is said";
};

/// `name` of `name=VALUE`.
const fn name_of(form: &'static str) -> &'static str {
    let mut end = 0;
    while form.as_bytes()[end] != b'=' {
        end += 1;
    }
    form.split_at(end).0
}

/// The parameters of a question.
pub(super) fn of(question: &str) -> impl Iterator<Item = &'static Parameter> {
    TABLE
        .iter()
        .filter(move |parameter| parameter.questions.contains(&question))
}

/// Reads the part of a path behind the `?`.
///
/// # Errors
///
/// There is no such question, it has no such parameter, one is there twice, or its value is wrong.
pub(super) fn read(name: &str, query: &str) -> Result<Wanted, ApiError> {
    let Some(name) = Question::NAMES.into_iter().find(|known| *known == name) else {
        // The error names the nearest question, as that of a `POST` does.
        return Err(read_question(name, "", &LIMITS)
            .err()
            .unwrap_or_else(|| invalid("there is no such question".to_owned())));
    };
    let given = Given::read(name, query)?;
    let question = match name {
        "query_traces" => Question::QueryTraces(given.events()?),
        "query_data_flows" => Question::QueryDataFlows(given.events()?),
        "missing_flows" => Question::MissingFlows(given.events()?),
        "lineage" => Question::Lineage(LineageQuestion {
            of: given.subject()?,
            limit: given.number("limit")?,
        }),
        "edges" => Question::Edges(given.span()?),
        "dependencies" => Question::Dependencies(given.span()?),
        "graph" => {
            let format = given.format()?;
            let question = Question::Graph(GraphQuestion {
                format,
                ..given.span()?.into()
            });
            let form = Form::File(format);
            return Ok(Wanted { question, form });
        }
        "sql" => Question::Sql(SqlQuestion {
            statement: given.text("statement").unwrap_or_default().to_owned(),
            limit: given.number("limit")?,
        }),
        _ => Question::Metrics(MetricsQuestion {}),
    };
    let form = Form::Json;
    Ok(Wanted { question, form })
}

/// The values that were given, each once.
struct Given(Vec<(&'static str, String)>);

impl Given {
    fn read(question: &'static str, query: &str) -> Result<Self, ApiError> {
        let mut given: Vec<(&'static str, String)> = Vec::new();
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let name = decoded(name)?;
            let Some(parameter) = of(question).find(|parameter| parameter.name == name) else {
                return Err(unknown(question, &name));
            };
            let name = parameter.name;
            if given.iter().any(|(known, _)| *known == name) {
                return Err(invalid(format!("`{name}` is there twice")));
            }
            given.push((name, decoded(value)?));
        }
        Ok(Self(given))
    }

    fn text(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_str())
    }

    fn owned(&self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }

    fn parsed<T: FromStr>(&self, name: &str, form: &str) -> Result<Option<T>, ApiError> {
        let read = |value: &str| value.parse().map_err(|_| wrong(name, value, form));
        self.text(name).map(read).transpose()
    }

    fn number(&self, name: &str) -> Result<Option<usize>, ApiError> {
        self.parsed(name, "a whole number")
    }

    fn events(&self) -> Result<EventsQuestion, ApiError> {
        Ok(EventsQuestion {
            query: QueryRequest {
                time_range: self.times()?,
                event_types: self.types()?,
                actor_filter: self.owned("actor"),
                custom_filter: self.owned("filter"),
                performance_filter: self.owned("performance"),
                limit: self.number("limit")?,
                offset: self.number("offset")?,
                ..QueryRequest::default()
            },
            after: self.parsed::<Cursor>("after", "what the page before said in `next`")?,
            newest_first: self.parsed("newest", "`true` or `false`")?.unwrap_or(false),
        })
    }

    fn span(&self) -> Result<SpanQuestion, ApiError> {
        Ok(SpanQuestion {
            time_range: self.times()?,
            actor: self.owned("actor"),
        })
    }

    fn times(&self) -> Result<Option<Times>, ApiError> {
        let time = |name: &str| {
            let read = |value: &str| {
                // A `+` that nobody has escaped stands for a blank.
                DateTime::parse_from_rfc3339(&value.replace(' ', "+"))
                    .map(DateTime::<Utc>::from)
                    .map_err(|_| wrong(name, value, "a time, such as `2026-01-31T12:00:00Z`"))
            };
            self.text(name).map(read).transpose()
        };
        match (self.text("last"), time("from")?, time("to")?) {
            (None, None, None) => Ok(None),
            (None, from, to) => Ok(Some((
                from.unwrap_or(DateTime::UNIX_EPOCH),
                to.unwrap_or_else(Utc::now),
            ))),
            (Some(last), None, None) => {
                let form = "a time with its unit, such as `90s`, `15min`, `1h` or `2d`";
                let length = parse_time(last).map_err(|_| wrong("last", last, form))?;
                Ok(SpanQuestion::last(length).time_range)
            }
            (Some(_), ..) => Err(invalid(
                "`last` says both ends of the time: leave it out where `from` or `to` is given"
                    .to_owned(),
            )),
        }
    }

    fn types(&self) -> Result<Option<Vec<TraceEventType>>, ApiError> {
        let Some(names) = self.text("type") else {
            return Ok(None);
        };
        let one = |name: &str| {
            if name == "DataFlow" {
                return Ok(TraceEventType::DataFlow {
                    to_actor: "*".to_owned(),
                    to_port: "*".to_owned(),
                });
            }
            serde_json::from_value(Value::from(name)).map_err(|_| {
                let form = "kinds of events with commas between, such as `MessageSent,DataFlow`";
                wrong("type", name, form)
            })
        };
        names
            .split(',')
            .map(str::trim)
            .map(one)
            .collect::<Result<_, _>>()
            .map(Some)
    }

    fn subject(&self) -> Result<LineageSubject, ApiError> {
        let number = |value: &str| {
            let read: Option<serde_json::Number> = value.parse().ok();
            read.ok_or_else(|| wrong("number", value, "a number"))
        };
        let message = self.text("message").map(LineageSubject::from);
        let number = self.text("number").map(number).transpose()?;
        let number = number.map(|number| LineageSubject::MessageId(Value::Number(number)));
        let event = self.parsed::<uuid::Uuid>("event", "a UUID")?;
        let event = event.map(|id| LineageSubject::EventId(EventId(id)));
        let trace = self.parsed::<uuid::Uuid>("trace", "a UUID")?;
        let trace = trace.map(|id| LineageSubject::TraceId(TraceId(id)));
        let mut subjects = [message, number, event, trace].into_iter().flatten();
        match (subjects.next(), subjects.next()) {
            (Some(subject), None) => Ok(subject),
            _ => Err(invalid(
                "say of what: one of `message`, `number`, `event` and `trace`".to_owned(),
            )),
        }
    }

    fn format(&self) -> Result<GraphFormat, ApiError> {
        let Some(name) = self.text("format") else {
            return Ok(GraphFormat::Svg);
        };
        let found = GraphFormat::ALL
            .into_iter()
            .find(|format| format.name() == name);
        found.ok_or_else(|| wrong("format", name, "`svg`, `dot`, `mermaid` or `json`"))
    }
}

fn invalid(message: String) -> ApiError {
    ApiError::new(ErrorCode::InvalidQuestion, message)
}

fn wrong(name: &str, value: &str, form: &str) -> ApiError {
    invalid(format!("`{name}` is `{}`: write {form}", Harmless(value)))
}

fn unknown(question: &str, name: &str) -> ApiError {
    let names: Vec<String> = of(question)
        .map(|parameter| format!("`{}`", parameter.name))
        .collect();
    let there = if names.is_empty() {
        "it has none".to_owned()
    } else {
        format!("it has {}", names.join(", "))
    };
    invalid(format!(
        "`{question}` has no parameter `{}`; {there}",
        Harmless(name)
    ))
}

/// The text that a part of a path stands for: `%20` and `+` are blanks.
fn decoded(part: &str) -> Result<String, ApiError> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |byte: Option<u8>| (byte? as char).to_digit(16);
                let both = digit(rest.next()).zip(digit(rest.next()));
                let (high, low) = both.ok_or_else(|| {
                    invalid("a `%` without two hexadecimal digits; write `%25`".to_owned())
                })?;
                (high * 16 + low) as u8
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).map_err(|_| invalid("a parameter is no UTF-8".to_owned()))
}

/// The table as it stands in `docs/SERVER.md`.
#[cfg(test)]
pub(crate) fn markdown() -> String {
    use std::fmt::Write as _;

    let mut text = String::from("| parameter | of | what |\n| --- | --- | --- |\n");
    for parameter in TABLE {
        let questions: Vec<String> = parameter
            .questions
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        // Writing into a `String` does not fail.
        let _written = writeln!(
            text,
            "| `{}` | {} | {} |",
            parameter.form,
            questions.join(", "),
            parameter.what
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(name: &str, query: &str) -> Question {
        read(name, query)
            .unwrap_or_else(|error| panic!("{query}: {error}"))
            .question
    }

    fn told(name: &str, query: &str) -> String {
        let error = read(name, query).expect_err(query);
        assert!(!error.message.contains(char::is_control), "{error}");
        error.message
    }

    #[test]
    fn every_parameter_belongs_to_a_question_and_every_question_is_read() {
        for parameter in TABLE {
            assert!(!parameter.name.is_empty() && !parameter.questions.is_empty());
            for question in parameter.questions {
                assert!(Question::NAMES.contains(question), "{question}");
            }
        }
        for name in Question::NAMES {
            let query = if name == "lineage" { "message=m" } else { "" };
            assert_eq!(question(name, query).name(), name);
        }
        assert_eq!(of("edges").count(), 4);
    }

    #[test]
    fn parameters_say_what_the_json_would() {
        let Question::QueryTraces(asked) = question(
            "query_traces",
            "last=1h&filter=size_bytes+%3E+4&type=DataFlow,MessageSent&limit=10&newest=true&actor=a%26b",
        ) else {
            panic!("another question");
        };
        assert_eq!(asked.query.custom_filter.as_deref(), Some("size_bytes > 4"));
        assert_eq!(asked.query.actor_filter.as_deref(), Some("a&b"));
        assert_eq!(asked.query.limit, Some(10));
        assert!(asked.newest_first);
        let (from, to) = asked.query.time_range.expect("it was given");
        assert_eq!((to - from).num_minutes(), 60);
        let types = asked.query.event_types.expect("they were given");
        assert_eq!(types[1], TraceEventType::MessageSent);

        let Question::Edges(asked) = question(
            "edges",
            "from=2026-01-31T12:00:00+02:00&to=2026-01-31T11:00:00Z",
        ) else {
            panic!("another question");
        };
        let (from, to) = asked.time_range.expect("it was given");
        assert_eq!((to - from).num_minutes(), 60, "{from} {to}");

        let of = |query: &str| match question("lineage", query) {
            Question::Lineage(asked) => asked.of,
            other => panic!("{other:?}"),
        };
        assert_eq!(of("message=7"), LineageSubject::from("7"));
        assert_eq!(of("number=7"), LineageSubject::from(7_u64));

        let wanted = read("graph", "").expect("a graph");
        assert_eq!(wanted.form, Form::File(GraphFormat::Svg));
        let wanted = read("graph", "format=dot&last=1h").expect("a graph");
        assert_eq!(wanted.form, Form::File(GraphFormat::Dot));
    }

    #[test]
    fn what_is_wrong_is_named_with_what_to_write() {
        for (name, query, said) in [
            (
                "edges",
                "lats=1h",
                "`edges` has no parameter `lats`; it has `last`, `from`, `to`, `actor`",
            ),
            (
                "metrics",
                "last=1h",
                "`metrics` has no parameter `last`; it has none",
            ),
            ("edges", "last=1h&last=2h", "`last` is there twice"),
            (
                "edges",
                "last=1h&to=2026-01-31T12:00:00Z",
                "`last` says both ends",
            ),
            (
                "edges",
                "last=5",
                "`last` is `5`: write a time with its unit",
            ),
            ("edges", "last=-1h", "`last` is `-1h`: write a time"),
            (
                "edges",
                "from=yesterday",
                "`from` is `yesterday`: write a time, such as",
            ),
            (
                "query_traces",
                "limit=many",
                "`limit` is `many`: write a whole number",
            ),
            (
                "query_traces",
                "limit=-1",
                "`limit` is `-1`: write a whole number",
            ),
            (
                "query_traces",
                "type=Dataflow",
                "`type` is `Dataflow`: write kinds of events",
            ),
            (
                "query_traces",
                "after=7",
                "`after` is `7`: write what the page before said",
            ),
            (
                "query_traces",
                "newest=1",
                "`newest` is `1`: write `true` or `false`",
            ),
            ("lineage", "", "say of what"),
            (
                "lineage",
                "message=a&event=00000000-0000-0000-0000-000000000000",
                "say of what",
            ),
            ("lineage", "event=7", "`event` is `7`: write a UUID"),
            ("lineage", "number=x", "`number` is `x`: write a number"),
            (
                "graph",
                "format=png",
                "`format` is `png`: write `svg`, `dot`, `mermaid` or `json`",
            ),
            ("edges", "actor=%", "a `%` without two hexadecimal digits"),
            ("edges", "actor=%ff", "a parameter is no UTF-8"),
            (
                "edgse",
                "",
                "there is no question `edgse`; did you mean `edges`?",
            ),
            (
                "edges",
                "%1b%5b31m=1",
                r"`edges` has no parameter `\u{1b}[31m`",
            ),
        ] {
            let message = told(name, query);
            assert!(message.starts_with(said), "{query}: {message}");
        }
    }
}
