//! Three-valued logic over the tree: true, false, and `None` where what is not known would decide.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::field::Field;
use super::tree::{Comparison, Expr, Literal, Operand};
use super::value::{Row, Value};

/// Recurses as deep as the tree is, which the checks have bounded.
pub(super) fn evaluate(expr: &Expr, row: &impl Row) -> Option<bool> {
    match expr {
        Expr::And(members) => first_or_known(members, row, false),
        Expr::Or(members) => first_or_known(members, row, true),
        Expr::Not(member) => evaluate(member, row).map(|is| !is),
        Expr::Compare {
            left,
            comparison,
            right,
        } => compare(&value_of(left, row)?, *comparison, &value_of(right, row)?),
        Expr::In { field, values } => {
            let value = field_of(field, row)?;
            any_known(values.iter().map(|listed| equals(&value, &literal(listed))))
        }
        Expr::Between { field, low, high } => {
            let value = field_of(field, row)?;
            let low = compare(&value, Comparison::GreaterOrEqual, &literal(low));
            let high = compare(&value, Comparison::LessOrEqual, &literal(high));
            match (low, high) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            }
        }
        Expr::Like { field, pattern } => match field_of(field, row)? {
            Value::Text(text) => Some(pattern.matches(&text)),
            _ => None,
        },
        Expr::IsNull(field) => Some(match field {
            Field::Column(column) => row.column(*column).is_none(),
            Field::Attribute(name) => !row.has_attribute(name),
        }),
    }
}

/// `decisive` as soon as one member is; its opposite when all are known; else `None`.
fn first_or_known(members: &[Expr], row: &impl Row, decisive: bool) -> Option<bool> {
    let mut result = Some(!decisive);
    for member in members {
        match evaluate(member, row) {
            Some(is) if is == decisive => return Some(decisive),
            Some(_) => {}
            None => result = None,
        }
    }
    result
}

/// A list is an OR of equalities.
fn any_known(mut tests: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut result = Some(false);
    let found = tests.any(|test| {
        if test.is_none() {
            result = None;
        }
        test == Some(true)
    });
    if found { Some(true) } else { result }
}

fn value_of<'a>(operand: &'a Operand, row: &'a impl Row) -> Option<Value<'a>> {
    match operand {
        Operand::Field(field) => field_of(field, row),
        Operand::Literal(value) => Some(literal(value)),
    }
}

fn field_of<'a>(field: &Field, row: &'a impl Row) -> Option<Value<'a>> {
    match field {
        Field::Column(column) => row.column(*column),
        Field::Attribute(name) => row.attribute(name),
    }
}

/// The value that a literal is.
pub(super) fn literal(value: &Literal) -> Value<'_> {
    match value {
        Literal::Text(text) => Value::Text(Cow::Borrowed(text)),
        Literal::Number(number) => Value::Number(*number),
        Literal::Boolean(boolean) => Value::Boolean(*boolean),
        Literal::Time(time) => Value::Time(*time),
        Literal::Id(id) => Value::Id(*id),
    }
}

fn equals(left: &Value<'_>, right: &Value<'_>) -> Option<bool> {
    compare(left, Comparison::Equal, right)
}

fn compare(left: &Value<'_>, comparison: Comparison, right: &Value<'_>) -> Option<bool> {
    let ordering = left.compare(right)?;
    if matches!(left, Value::Boolean(_)) && comparison.is_order() {
        return None;
    }
    Some(match comparison {
        Comparison::Equal => ordering == Ordering::Equal,
        Comparison::NotEqual => ordering != Ordering::Equal,
        Comparison::Less => ordering == Ordering::Less,
        Comparison::LessOrEqual => ordering != Ordering::Greater,
        Comparison::Greater => ordering == Ordering::Greater,
        Comparison::GreaterOrEqual => ordering != Ordering::Less,
    })
}
