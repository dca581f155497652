//! What a column must be for a filter to be true: for pruning before anything is decoded.
//!
//! Bounds are necessary and not sufficient. They may be wider than the filter and never narrower, so
//! that a store may leave out whatever lies outside, and asks the filter about the rest. They are found in
//! one walk: AND narrows, OR widens, NOT looks at when its member is false.

use std::cmp::Ordering;

use super::evaluate::literal;
use super::field::{Column, Field};
use super::pattern::Pattern;
use super::tree::{Comparison, Expr, Literal, Operand};

/// What a column must be for a filter to be true.
///
/// # Examples
///
/// ```
/// use reflow_trace::query::filter::{Column, Filter, Literal, Number, Range};
///
/// let filter = Filter::parse("execution_time_ns > 10ms AND message_id IN ('a', 'b')")?;
/// let message_id = filter.bounds(Column::MessageId);
/// assert_eq!(
///     message_id.range(),
///     &Range::Among(vec![Literal::Text("a".into()), Literal::Text("b".into())])
/// );
/// assert!(!message_id.may_be_unknown());
/// let low = Some(Literal::Number(Number::Integer(10_000_000)));
/// let bounds = filter.bounds(Column::ExecutionTimeNs);
/// assert_eq!(bounds.range(), &Range::Between { low, high: None });
/// # Ok::<(), reflow_trace::query::filter::FilterError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Bounds {
    range: Range,
    may_be_unknown: bool,
}

/// The values that a column may have, where it has one.
#[derive(Clone, Debug, PartialEq)]
pub enum Range {
    /// One of these; none at all when the list is empty.
    Among(Vec<Literal>),
    /// Not less than the one and not greater than the other, as far as they are given.
    Between {
        /// The least.
        low: Option<Literal>,
        /// The greatest.
        high: Option<Literal>,
    },
}

/// Any value.
const ANY: Range = Range::Between {
    low: None,
    high: None,
};
/// No value.
const NONE: Range = Range::Among(Vec::new());

impl Bounds {
    /// Nothing is required.
    pub fn any() -> Self {
        Self {
            range: ANY,
            may_be_unknown: true,
        }
    }

    /// The column must be known, and its value in the range.
    pub fn known(range: Range) -> Self {
        Self {
            range,
            may_be_unknown: false,
        }
    }

    /// The values that it may have.
    pub fn range(&self) -> &Range {
        &self.range
    }

    /// Whether the column may also be unknown.
    pub fn may_be_unknown(&self) -> bool {
        self.may_be_unknown
    }

    /// Whether nothing can be in both, so that the filter is never true.
    pub fn is_empty(&self) -> bool {
        self.range == NONE && !self.may_be_unknown
    }

    /// Whether a column of this value could be one of which the filter is true.
    pub fn admits(&self, value: Option<&super::Value<'_>>) -> bool {
        let Some(value) = value else {
            return self.may_be_unknown;
        };
        let orders = |other: &Literal| value.compare(&literal(other));
        match &self.range {
            Range::Among(values) => values
                .iter()
                .any(|other| orders(other).is_none_or(Ordering::is_eq)),
            Range::Between { low, high } => {
                let above = low.as_ref().and_then(orders).is_none_or(Ordering::is_ge);
                let below = high.as_ref().and_then(orders).is_none_or(Ordering::is_le);
                above && below
            }
        }
    }

    /// What both require.
    pub fn and(self, other: Self) -> Self {
        Self {
            range: narrowed(self.range, other.range),
            may_be_unknown: self.may_be_unknown && other.may_be_unknown,
        }
    }

    /// What at least one requires.
    pub fn or(self, other: Self) -> Self {
        Self {
            range: widened(self.range, other.range),
            may_be_unknown: self.may_be_unknown || other.may_be_unknown,
        }
    }
}

fn order(one: &Literal, other: &Literal) -> Option<Ordering> {
    literal(one).compare(&literal(other))
}

fn narrowed(one: Range, other: Range) -> Range {
    match (one, other) {
        (Range::Among(mut values), other) | (other, Range::Among(mut values)) => {
            let other = Bounds::known(other);
            values.retain(|value| other.admits(Some(&literal(value))));
            Range::Among(values)
        }
        (
            Range::Between { low, high },
            Range::Between {
                low: other_low,
                high: other_high,
            },
        ) => {
            let low = chosen(low, other_low, Ordering::Greater);
            let high = chosen(high, other_high, Ordering::Less);
            let is_empty = low
                .as_ref()
                .zip(high.as_ref())
                .is_some_and(|(low, high)| order(low, high) == Some(Ordering::Greater));
            if is_empty {
                NONE
            } else {
                Range::Between { low, high }
            }
        }
    }
}

/// The one that lies in the `wanted` direction of the other, or the only one there is.
fn chosen(one: Option<Literal>, other: Option<Literal>, wanted: Ordering) -> Option<Literal> {
    match (one, other) {
        (Some(one), Some(other)) => match order(&other, &one) {
            Some(ordering) if ordering == wanted => Some(other),
            _ => Some(one),
        },
        (one, other) => one.or(other),
    }
}

fn widened(one: Range, other: Range) -> Range {
    match (one, other) {
        (Range::Among(mut values), Range::Among(others)) => {
            for other in others {
                if !values.contains(&other) {
                    values.push(other);
                }
            }
            Range::Among(values)
        }
        (Range::Among(none), range) | (range, Range::Among(none)) if none.is_empty() => range,
        (one, other) => {
            let (low, high) = hull(one);
            let (other_low, other_high) = hull(other);
            let least = |one, other, wanted| match (one, other) {
                (Some(one), Some(other)) => chosen(Some(one), Some(other), wanted),
                _ => None,
            };
            Range::Between {
                low: least(low, other_low, Ordering::Less),
                high: least(high, other_high, Ordering::Greater),
            }
        }
    }
}

/// The least and the greatest value of a range that is not empty.
fn hull(range: Range) -> (Option<Literal>, Option<Literal>) {
    match range {
        Range::Between { low, high } => (low, high),
        Range::Among(values) => {
            let extreme = |wanted| {
                values.iter().cloned().reduce(|one, other| {
                    chosen(Some(one.clone()), Some(other), wanted).unwrap_or(one)
                })
            };
            (extreme(Ordering::Less), extreme(Ordering::Greater))
        }
    }
}

/// What the column must be for the expression to be `truth`.
pub(super) fn bounds(expr: &Expr, column: Column, truth: bool) -> Bounds {
    let below = |member: &Expr| bounds(member, column, truth);
    match expr {
        Expr::And(members) | Expr::Or(members) => {
            // An AND is false where one of its members is.
            let all_are_needed = matches!(expr, Expr::And(_)) == truth;
            let joined = members.iter().map(below).reduce(|one, other| {
                if all_are_needed {
                    one.and(other)
                } else {
                    one.or(other)
                }
            });
            joined.unwrap_or_else(Bounds::any)
        }
        Expr::Not(member) => bounds(member, column, !truth),
        test => of_test(test, column, truth),
    }
}

fn of_test(test: &Expr, column: Column, truth: bool) -> Bounds {
    let is_here = |field: &Field| *field == Field::Column(column);
    match test {
        Expr::IsNull(field) if is_here(field) => match truth {
            true => Bounds {
                range: NONE,
                may_be_unknown: true,
            },
            false => Bounds::known(ANY),
        },
        Expr::Compare {
            left: Operand::Field(field),
            comparison,
            right: Operand::Literal(value),
        } if is_here(field) => compared(*comparison, value, truth),
        Expr::Compare {
            left: Operand::Literal(value),
            comparison,
            right: Operand::Field(field),
        } if is_here(field) => compared(turned(*comparison), value, truth),
        Expr::Compare { left, right, .. } => {
            let is_either = [left, right]
                .into_iter()
                .any(|side| matches!(side, Operand::Field(field) if is_here(field)));
            if is_either {
                Bounds::known(ANY)
            } else {
                Bounds::any()
            }
        }
        Expr::In { field, values } if is_here(field) => Bounds::known(match truth {
            true => Range::Among(values.clone()),
            false => ANY,
        }),
        Expr::Between { field, low, high } if is_here(field) => Bounds::known(match truth {
            true if order(low, high) == Some(Ordering::Greater) => NONE,
            true => Range::Between {
                low: Some(low.clone()),
                high: Some(high.clone()),
            },
            false => ANY,
        }),
        Expr::Like { field, pattern } if is_here(field) => Bounds::known(match truth {
            true => beginning(pattern),
            false => ANY,
        }),
        _ => Bounds::any(),
    }
}

/// The column stands so to the value, or not so.
fn compared(comparison: Comparison, value: &Literal, truth: bool) -> Bounds {
    let value = || Some(value.clone());
    Bounds::known(match (comparison, truth) {
        (Comparison::Equal, true) | (Comparison::NotEqual, false) => {
            Range::Among(value().into_iter().collect())
        }
        (Comparison::Less | Comparison::LessOrEqual, true)
        | (Comparison::Greater | Comparison::GreaterOrEqual, false) => Range::Between {
            low: None,
            high: value(),
        },
        (Comparison::Greater | Comparison::GreaterOrEqual, true)
        | (Comparison::Less | Comparison::LessOrEqual, false) => Range::Between {
            low: value(),
            high: None,
        },
        (Comparison::Equal, false) | (Comparison::NotEqual, true) => ANY,
    })
}

/// The same comparison read from the other side.
fn turned(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Less => Comparison::Greater,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
        Comparison::Greater => Comparison::Less,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
        Comparison::Equal | Comparison::NotEqual => comparison,
    }
}

/// What every text that matches lies between, by what it begins with.
fn beginning(pattern: &Pattern) -> Range {
    let prefix = pattern.prefix();
    // No text that begins so is greater than the prefix with the greatest characters behind it.
    let after = following(&prefix);
    Range::Between {
        low: (!prefix.is_empty()).then_some(Literal::Text(prefix)),
        high: after.map(Literal::Text),
    }
}

/// The least text that is greater than all that begin with the prefix, where there is one.
fn following(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        // The step over the surrogates is in the range of `char`.
        if let Some(next) = (last..=char::MAX).nth(1) {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}
