//! From the words of a filter to a value of the kind that its field has.

use std::ops::Range;

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, Utc};
use uuid::Uuid;

use super::error::{Fault, FilterErrorKind};
use super::field::{Field, ValueKind};
use super::number::Unit;
use super::print::quoted;
use super::similar::nearest;
use super::token::{Keyword, NAME_COLUMNS, Token, Word, words};
use super::tree::Literal;
use super::value::Number;
use crate::graph::text::shortened;

/// The value that the word is beside this field. `by_order` is whether it is asked which is less.
pub(super) fn value(token: &Token, field: &Field, by_order: bool) -> Result<Literal, Fault> {
    let kind = field.kind();
    let mismatch = |what: String| {
        let (is, place) = (kind.described(), token.place.clone());
        Fault::new(
            FilterErrorKind::Type,
            place,
            format!("`{field}` is {is}, and {what}"),
        )
    };
    let literal = match &token.word {
        Word::Text(text) => match kind {
            ValueKind::Any | ValueKind::Text => Literal::Text(text.clone()),
            ValueKind::EventType | ValueKind::Outcome => {
                name_of(kind, field, text, token.place.clone())?
            }
            ValueKind::Time => time(text).map(Literal::Time).ok_or_else(|| {
                let text = shortened(text, NAME_COLUMNS);
                mismatch(format!("`{text}` is none")).suggest("write '2026-01-31T12:00:00Z'")
            })?,
            ValueKind::Id => Uuid::try_parse(text).map(Literal::Id).map_err(|_| {
                let text = shortened(text, NAME_COLUMNS);
                mismatch(format!("`{text}` is none")).suggest("a UUID has 32 hexadecimal digits")
            })?,
            ValueKind::Number | ValueKind::Nanoseconds | ValueKind::Bytes => {
                let shown = shortened(text, NAME_COLUMNS);
                let is_number = matches!(
                    words(text).as_deref(),
                    Ok([
                        Token {
                            word: Word::Number(..),
                            ..
                        },
                        _
                    ])
                );
                let bare = is_number.then(|| format!("write {} without quotes", text.trim()));
                return Err(mismatch(format!("'{shown}' is text")).suggest_any(bare));
            }
        },
        Word::Number(number, unit) => {
            number_of(*number, *unit, kind).map_err(|(what, suggestion)| {
                let (what, suggestion) = (what.to_owned(), suggestion.map(str::to_owned));
                let written = Literal::Number(*number).to_string();
                let suggestion = suggestion.or_else(|| {
                    kind.is_text()
                        .then(|| format!("write {}", quoted(&written)))
                });
                mismatch(what).suggest_any(suggestion)
            })?
        }
        Word::Keyword(Keyword::True | Keyword::False) if kind != ValueKind::Any => {
            return Err(mismatch("TRUE and FALSE are for attributes".to_owned()));
        }
        Word::Keyword(Keyword::True) => Literal::Boolean(true),
        Word::Keyword(Keyword::False) => Literal::Boolean(false),
        Word::Keyword(Keyword::Null) => {
            let fault = Fault::new(
                FilterErrorKind::Type,
                token.place.clone(),
                "nothing equals NULL, not even NULL",
            );
            return Err(fault.suggest(format!("write `{field} IS NULL` or `IS NOT NULL`")));
        }
        _ => return Err(no_value(token)),
    };
    if by_order && matches!(literal, Literal::Boolean(_)) {
        let fault = "of TRUE and FALSE none is less than the other";
        return Err(
            Fault::new(FilterErrorKind::Type, token.place.clone(), fault)
                .suggest("write `=` or `!=`"),
        );
    }
    Ok(literal)
}

/// What stands where a value should.
fn no_value(token: &Token) -> Fault {
    let fault = |message: String| Fault::new(FilterErrorKind::Syntax, token.place.clone(), message);
    match &token.word {
        Word::Attribute(_) => fault("here stands a value, and not a field".to_owned()),
        Word::Name(name) if Field::by_name(name).is_some() => {
            fault("here stands a value, and not a field".to_owned())
        }
        Word::Name(name) => {
            let shown = shortened(name, NAME_COLUMNS);
            let suggestion = match nearest(name, Field::bare_names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("text is written {}", quoted(&shown)),
            };
            fault(format!("`{shown}` is neither a field nor a value")).suggest(suggestion)
        }
        _ => fault("a value is missing here".to_owned()),
    }
}

/// What is wrong with a number, and what to do about it.
type Mismatch = (&'static str, Option<&'static str>);

fn number_of(number: Number, unit: Option<Unit>, kind: ValueKind) -> Result<Literal, Mismatch> {
    match (kind, unit) {
        (ValueKind::Nanoseconds, None | Some(Unit::Nanoseconds))
        | (ValueKind::Bytes, None | Some(Unit::Bytes))
        | (ValueKind::Number | ValueKind::Any, None) => Ok(Literal::Number(number)),
        (ValueKind::Nanoseconds, Some(Unit::Bytes)) => Err(("this is a size", None)),
        (ValueKind::Bytes, Some(Unit::Nanoseconds)) => Err(("this is a time", None)),
        (ValueKind::Number | ValueKind::Any, Some(_)) => Err((
            "this number has a unit",
            Some("units go with fields that end in `_ns` or `_bytes`"),
        )),
        (ValueKind::Time, _) => Err(("this is a number", Some("write '2026-01-31T12:00:00Z'"))),
        _ => Err(("this is a number", None)),
    }
}

/// One of a closed set of names.
fn name_of(
    kind: ValueKind,
    field: &Field,
    text: &str,
    place: Range<usize>,
) -> Result<Literal, Fault> {
    if kind.names().contains(&text) {
        return Ok(Literal::Text(text.to_owned()));
    }
    let shown = shortened(text, NAME_COLUMNS);
    let fault = Fault::new(
        FilterErrorKind::UnknownName,
        place,
        format!("`{shown}` is no value of `{field}`"),
    );
    Err(
        fault.suggest(match nearest(text, kind.names().iter().copied()) {
            Some(name) => format!("did you mean '{name}'?"),
            None => format!("it is one of {}", kind.names().join(", ")),
        }),
    )
}

/// RFC 3339; without a zone, or with the day only, it is UTC.
fn time(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let with_zone = DateTime::parse_from_rfc3339(text).map(|time| time.to_utc());
    let time = with_zone.ok().or_else(|| {
        let formats = [
            "%Y-%m-%dT%H:%M:%S%.f",
            "%Y-%m-%d %H:%M:%S%.f",
            "%Y-%m-%d %H:%M",
            "%Y-%m-%dT%H:%M",
        ];
        let mut read = formats
            .iter()
            .filter_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
        let day = || {
            NaiveDate::parse_from_str(text, "%Y-%m-%d")
                .ok()?
                .and_hms_opt(0, 0, 0)
        };
        read.next().or_else(day).map(|time| time.and_utc())
    })?;
    (0..=9_999).contains(&time.year()).then_some(time)
}
