//! Random conditions of the whole grammar, about values that the events have.

use fastrand::Rng;
use reflow_trace::TraceEvent;
use reflow_trace::query::filter::{
    Column, Comparison, Expr, Field, Filter, Literal, Number, Operand, Pattern, Row, Value,
    ValueKind,
};

use super::data::{ATTRIBUTES, TEXTS};

const COMPARISONS: [Comparison; 6] = [
    Comparison::Equal,
    Comparison::NotEqual,
    Comparison::Less,
    Comparison::LessOrEqual,
    Comparison::Greater,
    Comparison::GreaterOrEqual,
];

/// A condition that is one.
pub(crate) fn filter(events: &[TraceEvent], random: &mut Rng) -> Filter {
    loop {
        let expr = tree(events, random, 0);
        if let Ok(filter) = Filter::new(expr) {
            return filter;
        }
    }
}

fn tree(events: &[TraceEvent], random: &mut Rng, depth: u8) -> Expr {
    let members = |random: &mut Rng| {
        let count = random.usize(2..4);
        (0..count)
            .map(|_| tree(events, random, depth + 1))
            .collect()
    };
    match random.u8(0..10) {
        0..2 if depth < 4 => Expr::And(members(random)),
        2..4 if depth < 4 => Expr::Or(members(random)),
        4 if depth < 4 => Expr::Not(Box::new(tree(events, random, depth + 1))),
        _ => loop {
            // What does not go together is no test.
            let test = test(events, random);
            if Filter::new(test.clone()).is_ok() {
                return test;
            }
        },
    }
}

fn field(random: &mut Rng) -> Field {
    if random.u8(0..5) == 0 {
        let names = ATTRIBUTES.len() + 2;
        return Field::Attribute(match random.usize(0..names) {
            0 => "message_id".to_owned(),
            1 => "no_such".to_owned(),
            name => ATTRIBUTES[name - 2].to_owned(),
        });
    }
    Field::Column(Column::ALL[random.usize(0..Column::ALL.len())])
}

fn test(events: &[TraceEvent], random: &mut Rng) -> Expr {
    let field = field(random);
    let values = |random: &mut Rng| literal(&field, events, random);
    match random.u8(0..12) {
        0 => Expr::IsNull(field),
        1 => Expr::In {
            values: (0..random.usize(1..4)).map(|_| values(random)).collect(),
            field,
        },
        2 => {
            let (one, other) = (values(random), values(random));
            Expr::Between {
                field,
                low: one,
                high: other,
            }
        }
        3 => Expr::Like {
            pattern: pattern(random),
            field,
        },
        4 => Expr::Compare {
            left: Operand::Field(field),
            comparison: COMPARISONS[random.usize(0..6)],
            right: Operand::Field(self::field(random)),
        },
        other => {
            let value = Operand::Literal(values(random));
            let comparison = COMPARISONS[random.usize(0..6)];
            let field = Operand::Field(field);
            let (left, right) = if other == 5 {
                (value, field)
            } else {
                (field, value)
            };
            Expr::Compare {
                left,
                comparison,
                right,
            }
        }
    }
}

fn pattern(random: &mut Rng) -> Pattern {
    const PIECES: [&str; 8] = ["%", "%", "_", "re", "order-0", "\\%", "ö", "'"];
    let text: String = (0..random.usize(1..4))
        .map(|_| PIECES[random.usize(0..PIECES.len())])
        .collect();
    Pattern::new(&text, Some('\\')).expect("it is short and ends in no escape")
}

/// Mostly what some event has.
fn literal(field: &Field, events: &[TraceEvent], random: &mut Rng) -> Literal {
    let event = &events[random.usize(0..events.len())];
    let own = match field {
        Field::Column(column) => event.column(*column),
        Field::Attribute(name) => event.attribute(name),
    };
    if random.u8(0..4) > 0
        && let Some(own) = own
    {
        return match own {
            Value::Text(text) => Literal::Text(text.into_owned()),
            Value::Number(number) => Literal::Number(number),
            Value::Boolean(boolean) => Literal::Boolean(boolean),
            Value::Time(time) => Literal::Time(time),
            Value::Id(id) => Literal::Id(id),
        };
    }
    match field.kind() {
        ValueKind::Text | ValueKind::EventType | ValueKind::Outcome => text(field, random),
        ValueKind::Time => Literal::Time(event.timestamp),
        ValueKind::Id => Literal::Id(*event.event_id.as_uuid()),
        ValueKind::Any => match random.u8(0..3) {
            0 => Literal::Boolean(random.bool()),
            1 => number(random),
            _ => text(field, random),
        },
        _ => number(random),
    }
}

fn text(field: &Field, random: &mut Rng) -> Literal {
    let names: Vec<&str> = match field.kind() {
        ValueKind::EventType => vec![
            "DataFlow",
            "MessageSent",
            "MessageReceived",
            "NetworkEvent",
            "ActorFailed",
        ],
        ValueKind::Outcome => vec!["delivered", "failed", "timed_out", "dropped"],
        _ => TEXTS.to_vec(),
    };
    Literal::Text(names[random.usize(0..names.len())].to_owned())
}

fn number(random: &mut Rng) -> Literal {
    Literal::Number(match random.u8(0..4) {
        0 => Number::Float(f64::from(random.u8(0..16)) / 4.0),
        1 => Number::Integer(i128::from(random.i64(..))),
        _ => Number::Integer(i128::from(random.i32(-2..6))),
    })
}
