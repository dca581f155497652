//! The tree that a filter is.

use chrono::{DateTime, Datelike as _, Utc};
use thiserror::Error;
use uuid::Uuid;

use super::field::{Field, ValueKind};
use super::pattern::Pattern;
use super::value::Number;
use super::{FILTER_BYTES_MAX, FILTER_DEPTH_MAX, FILTER_TERMS_MAX};

/// A condition. `NOT IN` and the like are a [`Not`](Self::Not) around the positive form.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// All are true; two or more.
    And(Vec<Expr>),
    /// At least one is true; two or more.
    Or(Vec<Expr>),
    /// It is false.
    Not(Box<Expr>),
    /// One value stands so to another.
    Compare {
        /// What stands on the left.
        left: Operand,
        /// How it stands to the right.
        comparison: Comparison,
        /// What stands on the right; at least one of the two is a field.
        right: Operand,
    },
    /// The value is one of these.
    In {
        /// What is looked at.
        field: Field,
        /// One or more.
        values: Vec<Literal>,
    },
    /// The value is not less than one and not greater than the other.
    Between {
        /// What is looked at.
        field: Field,
        /// The least.
        low: Literal,
        /// The greatest.
        high: Literal,
    },
    /// The text is as the pattern says.
    Like {
        /// What is looked at.
        field: Field,
        /// The pattern.
        pattern: Pattern,
    },
    /// The value is not known.
    IsNull(Field),
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// What the event says.
    Field(Field),
    /// What the filter says.
    Literal(Literal),
}

/// A value in a filter.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// Text.
    Text(String),
    /// A number, without its unit: nanoseconds or bytes.
    Number(Number),
    /// `TRUE` or `FALSE`.
    Boolean(bool),
    /// A point in time.
    Time(DateTime<Utc>),
    /// A UUID.
    Id(Uuid),
}

/// How one value stands to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// Why a tree that a program built was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TreeError {
    /// AND and OR join two conditions or more, a list has one value or more.
    #[error("`{0}` has too few members: AND and OR join two or more, IN lists one or more")]
    TooFewMembers(&'static str),
    /// A comparison without a field.
    #[error("a comparison of two constants asks nothing of the event; one side must be a field")]
    NoField,
    /// The value cannot be compared with the field so.
    #[error("`{field}` cannot be compared with `{other}` in this way")]
    Mismatch {
        /// The field, as it is written.
        field: String,
        /// What it was to be compared with, as it is written.
        other: String,
    },
    /// More than [`FILTER_TERMS_MAX`] tests and listed values.
    #[error("a filter has at most {FILTER_TERMS_MAX} tests and listed values")]
    TooManyTerms,
    /// More than [`FILTER_DEPTH_MAX`] levels.
    #[error("a filter is at most {FILTER_DEPTH_MAX} levels deep")]
    TooDeep,
    /// Its text would have more than [`FILTER_BYTES_MAX`] bytes.
    #[error("the text of a filter has at most {FILTER_BYTES_MAX} bytes")]
    TooLong,
}

impl Comparison {
    /// As it is written.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// Whether it asks which of the two is less.
    pub const fn is_order(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }
}

impl Literal {
    /// Whether it may be compared with a field of this kind, `by_order` or for equality only.
    pub(super) fn suits(&self, kind: ValueKind, by_order: bool) -> bool {
        let is_of_kind = match self {
            Self::Text(text) => match kind.names() {
                [] => matches!(kind, ValueKind::Text | ValueKind::Any),
                names => names.contains(&text.as_str()),
            },
            Self::Number(number) => {
                (kind.is_number() || kind == ValueKind::Any) && is_written(*number)
            }
            Self::Boolean(_) => kind == ValueKind::Any && !by_order,
            Self::Time(time) => kind == ValueKind::Time && (0..=9_999).contains(&time.year()),
            Self::Id(_) => kind == ValueKind::Id,
        };
        is_of_kind && (kind.is_ordered() || !by_order)
    }
}

/// Whether the number has a text that is read as the same number.
fn is_written(number: Number) -> bool {
    match number {
        Number::Integer(whole) => (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&whole),
        Number::Float(float) => float.is_finite(),
    }
}

/// Whether a text could be this tree.
pub(super) fn check(expr: &Expr) -> Result<(), TreeError> {
    let mut terms = 0;
    check_below(expr, 0, &mut terms)?;
    // Only now: printing a tree that is too deep could end the stack.
    if expr.to_string().len() > FILTER_BYTES_MAX {
        return Err(TreeError::TooLong);
    }
    Ok(())
}

/// Goes no deeper than the limit, so that no tree can end the stack.
fn check_below(expr: &Expr, depth: usize, terms: &mut usize) -> Result<(), TreeError> {
    let connectives = match expr {
        Expr::And(members) | Expr::Or(members) => &members[..],
        Expr::Not(member) => std::slice::from_ref(&**member),
        _ => return check_test(expr, terms),
    };
    if depth == FILTER_DEPTH_MAX {
        return Err(TreeError::TooDeep);
    }
    match expr {
        Expr::And(members) if members.len() < 2 => return Err(TreeError::TooFewMembers("AND")),
        Expr::Or(members) if members.len() < 2 => return Err(TreeError::TooFewMembers("OR")),
        _ => {}
    }
    connectives
        .iter()
        .try_for_each(|member| check_below(member, depth + 1, terms))
}

fn check_test(expr: &Expr, terms: &mut usize) -> Result<(), TreeError> {
    let with = match expr {
        Expr::In { values, .. } => values.len(),
        _ => 1,
    };
    *terms = terms.saturating_add(with);
    if *terms > FILTER_TERMS_MAX {
        return Err(TreeError::TooManyTerms);
    }
    match expr {
        Expr::In { values, .. } if values.is_empty() => Err(TreeError::TooFewMembers("IN")),
        Expr::In { field, values } => values
            .iter()
            .try_for_each(|value| suits(field, value, false)),
        Expr::Between { field, low, high } => {
            suits(field, low, true)?;
            suits(field, high, true)
        }
        Expr::Like { field, pattern } => {
            let is_like_text = matches!(field.kind(), ValueKind::Text | ValueKind::Any);
            is_like_text
                .then_some(())
                .ok_or_else(|| mismatch(field, &Literal::Text(pattern.to_string())))
        }
        Expr::Compare {
            left,
            comparison,
            right,
        } => {
            let by_order = comparison.is_order();
            match (left, right) {
                (Operand::Literal(_), Operand::Literal(_)) => Err(TreeError::NoField),
                (Operand::Field(field), Operand::Literal(value))
                | (Operand::Literal(value), Operand::Field(field)) => suits(field, value, by_order),
                (Operand::Field(one), Operand::Field(other)) => {
                    let (kind, other_kind) = (one.kind(), other.kind());
                    let is_ordered = kind.is_ordered() && other_kind.is_ordered();
                    (kind.goes_with(other_kind) && (is_ordered || !by_order))
                        .then_some(())
                        .ok_or_else(|| mismatch(one, other))
                }
            }
        }
        Expr::IsNull(_) | Expr::And(_) | Expr::Or(_) | Expr::Not(_) => Ok(()),
    }
}

fn suits(field: &Field, value: &Literal, by_order: bool) -> Result<(), TreeError> {
    value
        .suits(field.kind(), by_order)
        .then_some(())
        .ok_or_else(|| mismatch(field, value))
}

fn mismatch(field: &Field, other: &impl ToString) -> TreeError {
    TreeError::Mismatch {
        field: field.to_string(),
        other: other.to_string(),
    }
}
