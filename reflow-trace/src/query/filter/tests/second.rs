//! A second evaluation, which shares nothing with the first: over the JSON of the event and the words of
//! the tree, in the logic of Kleene as numbers (0 false, 2 true, 1 between them), with texts as lists of
//! characters.

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use uuid::Uuid;

use super::super::*;

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
        (Plain::Number(a, b), Plain::Number(c, d)) => (a < c || a == c && b < d, a == c && b == d),
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
        ([PatternPart::Char(c), rest @ ..], [first, after @ ..]) => c == first && like(rest, after),
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
        "root_cause_event_id" => {
            of_json(&event["causality"][name]).filter(|id| *id != of_text(&Uuid::nil().to_string()))
        }
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
