//! Random trees, random texts, and a second evaluation that shares nothing with the first.
//!
//! proptest prints the smallest failing case whole, so that it needs no seed to be seen again.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use serde_json::Value as Json;
use uuid::Uuid;

use super::super::*;
use super::*;
use crate::TraceEventType;
use crate::sampling::{SamplingInfo, Threshold};

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases: if cfg!(miri) { 4 } else { cases },
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Few texts, so that filters find something; some are unkind.
fn text() -> impl Strategy<Value = String> {
    let known = [
        "",
        "a",
        "b",
        "it's",
        "%_\\",
        "漢\u{301}",
        "x' OR '1'='1",
        "\n\u{0}",
    ];
    prop_oneof![4 => prop::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => any::<String>()]
}

fn attribute() -> impl Strategy<Value = String> {
    let known = ["a", "b.c", "größe", "odd name", "and", "1", "\"", ""];
    prop_oneof![4 => prop::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => any::<String>()]
}

fn number() -> impl Strategy<Value = Number> {
    prop_oneof![
        4 => (0_i128..4).prop_map(Number::Integer),
        1 => any::<u64>().prop_map(|whole| Number::Integer(i128::from(whole))),
        1 => any::<i64>().prop_map(|whole| Number::Integer(i128::from(whole))),
        1 => any::<f64>().prop_filter("finite", |float| float.is_finite()).prop_map(Number::Float),
        1 => prop::sample::select(&[-0.0, 0.5, 2.0, 1e300][..]).prop_map(Number::Float),
    ]
}

fn time() -> impl Strategy<Value = DateTime<Utc>> {
    let near = (0_i64..3, 0_u32..2);
    let any_time = (-62_167_219_200_i64..=253_402_300_799, 0_u32..1_000_000_000);
    prop_oneof![3 => near, 1 => any_time].prop_map(|(second, nano)| {
        DateTime::from_timestamp(second, nano).expect("within the years 0 to 9999")
    })
}

fn id() -> impl Strategy<Value = Uuid> {
    prop_oneof![3 => 0_u128..3, 1 => any::<u128>()].prop_map(Uuid::from_u128)
}

fn field() -> impl Strategy<Value = Field> {
    prop_oneof![
        3 => prop::sample::select(Column::ALL).prop_map(Field::Column),
        1 => attribute().prop_map(Field::Attribute),
    ]
}

fn literal_of(kind: ValueKind, by_order: bool) -> BoxedStrategy<Literal> {
    let names = kind.names();
    match kind {
        ValueKind::Time => time().prop_map(Literal::Time).boxed(),
        ValueKind::Id => id().prop_map(Literal::Id).boxed(),
        ValueKind::EventType | ValueKind::Outcome => prop::sample::select(names)
            .prop_map(|name| Literal::Text(name.to_owned()))
            .boxed(),
        ValueKind::Text => text().prop_map(Literal::Text).boxed(),
        ValueKind::Number | ValueKind::Nanoseconds | ValueKind::Bytes => {
            number().prop_map(Literal::Number).boxed()
        }
        ValueKind::Any if by_order => prop_oneof![
            text().prop_map(Literal::Text),
            number().prop_map(Literal::Number)
        ]
        .boxed(),
        ValueKind::Any => prop_oneof![
            text().prop_map(Literal::Text),
            number().prop_map(Literal::Number),
            any::<bool>().prop_map(Literal::Boolean)
        ]
        .boxed(),
    }
}

fn comparison_for(kind: ValueKind) -> impl Strategy<Value = Comparison> {
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    let all = [Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual];
    prop::sample::select(all[..if kind.is_ordered() { 6 } else { 2 }].to_vec())
}

fn pattern() -> impl Strategy<Value = Pattern> {
    let pieces = prop::sample::select(&["%", "_", "a", "b", "\\%", "\\\\", "漢", "'"][..]);
    prop::collection::vec(pieces, 0..6).prop_map(|pieces| {
        Pattern::new(&pieces.concat(), Some('\\')).expect("short, and ends in no escape")
    })
}

fn test() -> impl Strategy<Value = Expr> {
    field().prop_flat_map(|field| {
        let kind = field.kind();
        let name = field.clone();
        let compared = (comparison_for(kind), any::<bool>()).prop_flat_map(
            move |(comparison, is_reversed)| {
                let field = Operand::Field(name.clone());
                literal_of(kind, comparison.is_order()).prop_map(move |value| {
                    let value = Operand::Literal(value);
                    let (left, right) = match is_reversed {
                        false => (field.clone(), value),
                        true => (value, field.clone()),
                    };
                    Expr::Compare {
                        left,
                        comparison,
                        right,
                    }
                })
            },
        );
        let name = field.clone();
        let with_field = (prop::sample::select(Column::ALL), comparison_for(kind)).prop_map(
            move |(other, comparison)| Expr::Compare {
                left: Operand::Field(name.clone()),
                comparison,
                right: Operand::Field(Field::Column(other)),
            },
        );
        let name = field.clone();
        let listed =
            prop::collection::vec(literal_of(kind, false), 1..4).prop_map(move |values| Expr::In {
                field: name.clone(),
                values,
            });
        let name = field.clone();
        let between =
            (literal_of(kind, true), literal_of(kind, true)).prop_map(move |(low, high)| {
                Expr::Between {
                    field: name.clone(),
                    low,
                    high,
                }
            });
        let name = field.clone();
        let like = pattern().prop_map(move |pattern| Expr::Like {
            field: name.clone(),
            pattern,
        });
        prop_oneof![
            4 => compared,
            1 => with_field,
            1 => listed,
            1 => between,
            1 => like,
            1 => Just(Expr::IsNull(field)),
        ]
    })
}

/// Trees of every shape; what goes together with nothing was thrown away.
fn tree() -> impl Strategy<Value = Filter> {
    let test = test().prop_filter_map("a test that may be asked", |test| {
        Filter::new(test).ok().map(|filter| filter.expr().clone())
    });
    let tree = test.prop_recursive(5, 24, 4, |inner| {
        let members = || prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            members().prop_map(Expr::And),
            members().prop_map(Expr::Or),
            inner.clone().prop_map(|member| Expr::Not(Box::new(member))),
        ]
    });
    tree.prop_filter_map("within the limits", |expr| Filter::new(expr).ok())
}

fn known<T: std::fmt::Debug + Clone + 'static>(
    known: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = Option<T>> {
    prop::option::of(known)
}

fn json() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        (0_u64..4).prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        prop::sample::select(&[0.5, 2.0, -1e300][..]).prop_map(Json::from),
        text().prop_map(Json::from),
        Just(serde_json::json!([1, "a"])),
        Just(serde_json::json!({"a": 1})),
    ]
}

/// Events that know more or less, of few different values.
fn event() -> impl Strategy<Value = TraceEvent> {
    let ends = (text(), known(text()), text(), text(), 0_u8..4);
    let ids = (id(), known(id()), known(id()), known(id()), time());
    let numbers = (
        known(0_u64..4),
        known(any::<u64>()),
        known(0_usize..4),
        known(any::<usize>()),
    );
    let floats = (known(any::<f64>()), known(any::<f32>()), known(any::<u8>()));
    let said = (
        known(text()),
        text(),
        known((text(), any::<usize>(), text())),
    );
    let outcome = known(prop::sample::select(
        &[Outcome::Delivered, Outcome::Failed, Outcome::TimedOut][..],
    ));
    let names = prop_oneof![
        3 => attribute(),
        1 => prop::sample::select(&["message_id", "source_actor", "source_port", "destination_actor", "destination_port"][..]).prop_map(str::to_owned),
    ];
    let attributes = prop::collection::hash_map(names, json(), 0..5);
    (
        ends,
        ids,
        numbers,
        floats,
        said,
        outcome,
        attributes,
        any::<u64>(),
    )
        .prop_map(
            |(ends, ids, numbers, floats, said, outcome, attributes, threshold)| {
                let mut event = TraceEvent::network_event(ends.0);
                event.data.port = ends.1;
                event.event_type = match ends.4 {
                    0 => TraceEventType::DataFlow {
                        to_actor: ends.2,
                        to_port: ends.3,
                    },
                    1 => TraceEventType::MessageSent,
                    2 => TraceEventType::MessageReceived,
                    _ => TraceEventType::ActorFailed,
                };
                event.event_id = EventId(ids.0);
                event.trace_id = ids.1.map(crate::TraceId);
                event.causality.parent_event_id = ids.2.map(EventId);
                event.causality.root_cause_event_id = ids.3.filter(|id| !id.is_nil()).map(EventId);
                event.timestamp = ids.4;
                let metrics = &mut event.data.performance_metrics;
                metrics.execution_time_ns = numbers.0;
                metrics.waiting_time_ns = numbers.1;
                metrics.queue_depth = numbers.2;
                metrics.memory_usage_bytes = numbers.3;
                metrics.throughput_msgs_per_sec = floats.0.filter(|float| float.is_finite());
                metrics.cpu_usage_percent = floats.1.filter(|float| float.is_finite());
                event.causality.hop_count = floats.2;
                event.data.error = said.0;
                event.causality.span_id = said.1;
                event.data.message =
                    said.2.map(
                        |(message_type, size_bytes, checksum)| crate::MessageSnapshot {
                            message_type,
                            size_bytes,
                            checksum,
                            ..Default::default()
                        },
                    );
                event.outcome = outcome;
                event.data.custom_attributes = attributes;
                if threshold % 3 > 0 {
                    event.sampling =
                        SamplingInfo::by(Threshold::from_rate((threshold % 3) as f64 / 2.0));
                }
                event
            },
        )
}

/// The second evaluation: over the JSON of the event and the words of the tree, in the logic of Kleene as
/// numbers (0 false, 2 true, 1 between them), with texts as lists of characters.
mod second {
    use super::*;

    /// A value as it lies in JSON.
    #[derive(Clone, Debug, PartialEq)]
    enum Plain {
        Text(Vec<char>),
        /// Whole part and the rest, each as exact as it comes.
        Number(i128, f64),
        Boolean(bool),
        Moment(i64, u32),
    }

    pub(super) fn evaluate(expr: &Expr, event: &Json, weight: Option<f64>) -> i8 {
        let value = |field: &Field| plain(field, event, weight);
        match expr {
            Expr::And(all) => all
                .iter()
                .map(|one| evaluate(one, event, weight))
                .min()
                .unwrap_or(2),
            Expr::Or(all) => all
                .iter()
                .map(|one| evaluate(one, event, weight))
                .max()
                .unwrap_or(0),
            Expr::Not(one) => 2 - evaluate(one, event, weight),
            Expr::Compare {
                left,
                comparison,
                right,
            } => {
                let side = |operand: &Operand| match operand {
                    Operand::Field(field) => value(field),
                    Operand::Literal(literal) => Some(of_literal(literal)),
                };
                stands(side(left), comparison.symbol(), side(right))
            }
            Expr::In { field, values } => values
                .iter()
                .map(|listed| stands(value(field), "=", Some(of_literal(listed))))
                .max()
                .unwrap_or(0),
            Expr::Between { field, low, high } => {
                let low = stands(value(field), ">=", Some(of_literal(low)));
                low.min(stands(value(field), "<=", Some(of_literal(high))))
            }
            Expr::Like { field, pattern } => match value(field) {
                Some(Plain::Text(text)) => 2 * i8::from(like(pattern.parts(), &text)),
                _ => 1,
            },
            Expr::IsNull(Field::Attribute(name)) => {
                2 * i8::from(event["data"]["custom_attributes"][name].is_null())
            }
            Expr::IsNull(field) => 2 * i8::from(value(field).is_none()),
        }
    }

    fn stands(left: Option<Plain>, symbol: &str, right: Option<Plain>) -> i8 {
        let (Some(left), Some(right)) = (left, right) else {
            return 1;
        };
        let (is_less, is_equal) = match (&left, &right) {
            (Plain::Text(one), Plain::Text(other)) => (one < other, one == other),
            (Plain::Number(a, b), Plain::Number(c, d)) => {
                (a < c || a == c && b < d, a == c && b == d)
            }
            (Plain::Moment(a, b), Plain::Moment(c, d)) => ((a, b) < (c, d), (a, b) == (c, d)),
            (Plain::Boolean(_), Plain::Boolean(_)) if !matches!(symbol, "=" | "!=") => return 1,
            (Plain::Boolean(one), Plain::Boolean(other)) => (false, one == other),
            _ => return 1,
        };
        2 * i8::from(match symbol {
            "=" => is_equal,
            "!=" => !is_equal,
            "<" => is_less,
            "<=" => is_less || is_equal,
            ">" => !is_less && !is_equal,
            ">=" => !is_less,
            other => panic!("{other} is no comparison"),
        })
    }

    fn like(parts: &[PatternPart], text: &[char]) -> bool {
        match (parts, text) {
            ([], text) => text.is_empty(),
            ([PatternPart::Any, rest @ ..], _) => {
                (0..=text.len()).any(|skipped| like(rest, &text[skipped..]))
            }
            ([PatternPart::One, rest @ ..], [_, after @ ..]) => like(rest, after),
            ([PatternPart::Char(c), rest @ ..], [first, after @ ..]) => {
                c == first && like(rest, after)
            }
            (_, []) => false,
        }
    }

    fn of_float(float: f64) -> Plain {
        let whole = float.trunc();
        // Beyond 10³⁰ the whole part saturates, and the float itself tells more.
        let rest = if whole.abs() > 1e30 {
            whole
        } else {
            float.fract()
        };
        Plain::Number(whole as i128, rest)
    }

    fn of_text(text: &str) -> Plain {
        Plain::Text(text.chars().collect())
    }

    fn of_time(time: &DateTime<Utc>) -> Plain {
        Plain::Moment(time.timestamp(), time.timestamp_subsec_nanos())
    }

    fn of_literal(literal: &Literal) -> Plain {
        match literal {
            Literal::Text(text) => of_text(text),
            Literal::Number(Number::Integer(whole)) => Plain::Number(*whole, 0.0),
            Literal::Number(Number::Float(float)) => of_float(*float),
            Literal::Boolean(boolean) => Plain::Boolean(*boolean),
            Literal::Time(time) => of_time(time),
            Literal::Id(id) => of_text(&id.to_string()),
        }
    }

    fn of_json(json: &Json) -> Option<Plain> {
        match json {
            Json::String(text) => Some(of_text(text)),
            Json::Bool(boolean) => Some(Plain::Boolean(*boolean)),
            Json::Number(number) => match number.to_string().parse::<i128>() {
                Ok(whole) => Some(Plain::Number(whole, 0.0)),
                Err(_) => number.as_f64().map(of_float),
            },
            _ => None,
        }
    }

    fn plain(field: &Field, event: &Json, weight: Option<f64>) -> Option<Plain> {
        let data = &event["data"];
        let attribute = |name: &str| of_json(&data["custom_attributes"][name]);
        let text_attribute = |name: &str| attribute(name).filter(|it| matches!(it, Plain::Text(_)));
        let not_empty = |json: &Json| of_json(json).filter(|it| *it != Plain::Text(Vec::new()));
        let metric = |name: &str| {
            let unknown = data["performance_metrics"]["unknown"].as_array();
            let is_unknown = unknown.is_some_and(|all| all.iter().any(|it| it == name));
            of_json(&data["performance_metrics"][name]).filter(|_| !is_unknown)
        };
        let kind = &event["event_type"];
        let flow = &kind["DataFlow"];
        let sent = flow.is_object() || kind == "MessageSent";
        let received = kind == "MessageReceived";
        let name = match field {
            Field::Attribute(name) => return attribute(name),
            Field::Column(column) => column.name(),
        };
        match name {
            "timestamp" => {
                let text = event["timestamp"].as_str().expect("every event has one");
                Some(of_time(&text.parse().expect("a time")))
            }
            "event_type" => Some(match kind.as_str() {
                Some(name) => of_text(name),
                None => of_text("DataFlow"),
            }),
            "event_id" | "trace_id" | "outcome" | "actor_id" => of_json(&event[name]),
            "port" | "error" => of_json(&data[name]),
            "source_actor" if sent => of_json(&event["actor_id"]),
            "source_port" if sent => of_json(&data["port"]),
            "destination_actor" if received => of_json(&event["actor_id"]),
            "destination_port" if received => of_json(&data["port"]),
            "destination_actor" if flow.is_object() => of_json(&flow["to_actor"]),
            "destination_port" if flow.is_object() => of_json(&flow["to_port"]),
            "destination_port" => text_attribute("destination_actor")
                .map(|_| text_attribute(name).unwrap_or(Plain::Text(Vec::new()))),
            "source_actor" | "source_port" | "destination_actor" => text_attribute(name),
            "message_id" => match &data["custom_attributes"][name] {
                Json::Null => None,
                Json::String(text) => Some(of_text(text)),
                other => Some(of_text(&serde_json::to_string(other).expect("is JSON"))),
            },
            "message_type" | "size_bytes" => of_json(&data["message"][name]),
            "checksum" => not_empty(&data["message"][name]),
            "parent_event_id" | "hop_count" => of_json(&event["causality"][name]),
            "root_cause_event_id" => of_json(&event["causality"][name])
                .filter(|id| *id != of_text(&Uuid::nil().to_string())),
            "span_id" => not_empty(&event["causality"][name]),
            "waiting_time_ns" => of_json(&data["performance_metrics"][name]),
            // Single precision is written with fewer digits than it has.
            "cpu_usage_percent" => metric(name).and_then(|_| {
                let cpu: f32 = data["performance_metrics"][name].to_string().parse().ok()?;
                Some(of_float(f64::from(cpu)))
            }),
            "weight" => weight.map(of_float),
            _ => metric(name),
        }
    }
}

proptest! {
    #![proptest_config(config(1_024))]

    #[test]
    fn a_tree_is_read_as_it_is_printed(filter in tree()) {
        let text = filter.to_string();
        let read = Filter::parse(&text);
        prop_assert_eq!(read.as_ref().map_err(|error| format!("{error:#}")), Ok(&filter), "{}", text);
    }

    #[test]
    fn both_evaluations_agree(filter in tree(), events in prop::collection::vec(event(), 1..6)) {
        for event in &events {
            let json = serde_json::to_value(event).expect("serializes");
            let expected = match second::evaluate(filter.expr(), &json, event.weight()) {
                0 => Some(false),
                2 => Some(true),
                _ => None,
            };
            prop_assert_eq!(filter.evaluate(event), expected, "{} of {}", filter, json);
        }
    }

    #[test]
    fn a_condition_and_its_opposite_and_neither_are_all_there_is(filter in tree(), event in event()) {
        let opposite = Filter::new(Expr::Not(Box::new(filter.expr().clone())));
        prop_assume!(opposite.is_ok());
        let opposite = opposite.expect("assumed");
        prop_assert_eq!(opposite.evaluate(&event), filter.evaluate(&event).map(|is| !is));
    }

    #[test]
    fn no_event_that_is_found_lies_outside_of_the_bounds(filter in tree(), event in event()) {
        for &column in Column::ALL {
            let (bounds, value) = (filter.bounds(column), event.column(column));
            let is_admitted = bounds.admits(value.as_ref());
            prop_assert!(is_admitted || !filter.matches(&event), "{filter}: {column:?} {value:?} {bounds:?}");
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        if let Err(error) = Filter::parse(&text) {
            prop_assert!(error.place().end <= text.len());
        }
    }

    #[test]
    fn no_damage_to_a_text_makes_it_panic(
        filter in tree(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<char>()), 1..4),
    ) {
        let mut chars: Vec<char> = filter.to_string().chars().collect();
        for (place, c) in damage {
            let place = place.index(chars.len());
            chars[place] = c;
        }
        let text: String = chars.into_iter().collect();
        if let Err(error) = Filter::parse(&text) {
            prop_assert!(error.place().end <= text.len());
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn no_words_in_any_order_make_it_panic(words in prop::collection::vec(prop::sample::select(&[
        "and", "or", "not", "in", "between", "like", "escape", "is", "null", "true", "(", ")", ",", "=", "<",
        "'a'", "''", "1", "-1.5", "1ms", "1KiB", "port", "hop_count", "timestamp", "outcome", "attr.x", "'",
    ][..]), 0..40)) {
        let text = words.join(" ");
        if let Ok(filter) = Filter::parse(&text) {
            prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(filter));
        }
    }
}

/// What a random test never meets proves nothing: true, false and unknown all come up.
#[test]
fn the_random_events_are_found_missed_and_unknown() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let mut counts: HashMap<Option<bool>, u32> = HashMap::new();
    for _ in 0..400 {
        let mut new = || {
            Some((
                tree().new_tree(&mut runner).ok()?,
                event().new_tree(&mut runner).ok()?,
            ))
        };
        let Some((filter, event)) = new() else {
            continue;
        };
        *counts
            .entry(filter.current().evaluate(&event.current()))
            .or_default() += 1;
    }
    for truth in [Some(true), Some(false), None] {
        assert!(
            counts.get(&truth).is_some_and(|&count| count > 40),
            "{counts:?}"
        );
    }
}
