//! A tree as text, in the one form in which each tree is read as itself.

use std::fmt;

use chrono::SecondsFormat;

use super::field::Field;
use super::token;
use super::tree::{Expr, Literal, Operand};
use super::value::Number;

/// The text in single quotes, as it is written in a filter: for programs that put a filter together.
///
/// # Examples
///
/// ```
/// use reflow_trace::query::filter::{Filter, quoted};
///
/// let id = "it's; DROP TABLE --";
/// let filter = Filter::parse(&format!("message_id = {}", quoted(id)))?;
/// assert_eq!(filter.to_string(), "message_id = 'it''s; DROP TABLE --'");
/// # Ok::<(), reflow_trace::query::filter::FilterError>(())
/// ```
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(members) => joined(f, members, " AND "),
            Self::Or(members) => joined(f, members, " OR "),
            Self::Not(member) => match &**member {
                test @ (Self::In { .. } | Self::Between { .. } | Self::Like { .. }) => {
                    test_with(f, test, " NOT")
                }
                Self::IsNull(field) => write!(f, "{field} IS NOT NULL"),
                member => {
                    f.write_str("NOT ")?;
                    enclosed(f, member)
                }
            },
            test => test_with(f, test, ""),
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, members: &[Expr], word: &str) -> fmt::Result {
    for (place, member) in members.iter().enumerate() {
        if place > 0 {
            f.write_str(word)?;
        }
        enclosed(f, member)?;
    }
    Ok(())
}

/// In parentheses when it is a chain, so that nobody has to know what binds closer.
fn enclosed(f: &mut fmt::Formatter<'_>, expr: &Expr) -> fmt::Result {
    match expr {
        Expr::And(_) | Expr::Or(_) => write!(f, "({expr})"),
        _ => write!(f, "{expr}"),
    }
}

fn test_with(f: &mut fmt::Formatter<'_>, test: &Expr, not: &str) -> fmt::Result {
    match test {
        Expr::Compare {
            left,
            comparison,
            right,
        } => write!(f, "{left} {} {right}", comparison.symbol()),
        Expr::In { field, values } => {
            write!(f, "{field}{not} IN (")?;
            for (place, value) in values.iter().enumerate() {
                let comma = if place > 0 { ", " } else { "" };
                write!(f, "{comma}{value}")?;
            }
            f.write_str(")")
        }
        Expr::Between { field, low, high } => {
            write!(f, "{field}{not} BETWEEN {low} AND {high}")
        }
        Expr::Like { field, pattern } => {
            write!(f, "{field}{not} LIKE {}", quoted(&pattern.to_string()))
        }
        Expr::IsNull(field) => write!(f, "{field} IS NULL"),
        Expr::And(_) | Expr::Or(_) | Expr::Not(_) => fmt::Display::fmt(test, f),
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(field) => field.fmt(f),
            Self::Literal(value) => value.fmt(f),
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column(column) => f.write_str(column.name()),
            Self::Attribute(name) if token::is_plain_attribute(name) => write!(f, "attr.{name}"),
            Self::Attribute(name) => write!(f, "attr.\"{}\"", name.replace('"', "\"\"")),
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::Number(Number::Integer(whole)) => whole.fmt(f),
            // `{:?}` keeps the point or the exponent, so that it is read as a float again.
            Self::Number(Number::Float(float)) => write!(f, "{float:?}"),
            Self::Boolean(true) => f.write_str("TRUE"),
            Self::Boolean(false) => f.write_str("FALSE"),
            Self::Time(time) => {
                write!(f, "'{}'", time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
            }
            Self::Id(id) => write!(f, "'{id}'"),
        }
    }
}
