//! Random filters and random events that know each other's few values.

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use serde_json::Value as Json;
use uuid::Uuid;

use super::super::*;
use super::*;
use crate::TraceEventType;
use crate::sampling::{SamplingInfo, Threshold};

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
pub(super) fn tree() -> impl Strategy<Value = Filter> {
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
pub(super) fn event() -> impl Strategy<Value = TraceEvent> {
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
