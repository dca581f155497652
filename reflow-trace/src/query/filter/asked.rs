//! One test: what is asked of a field.

use std::ops::Range;

use super::error::{Fault, FilterErrorKind};
use super::field::{Field, ValueKind};
use super::literal;
use super::parse::Parser;
use super::pattern::{ESCAPE_DEFAULT, Pattern, PatternError};
use super::similar::nearest;
use super::token::{ATTRIBUTE, Keyword, NAME_COLUMNS, Token, Word};
use super::tree::{Comparison, Expr, Operand};
use crate::graph::text::shortened;

/// The words with which a test goes on behind its field.
const TESTS: [&str; 4] = ["BETWEEN", "IN", "IS", "LIKE"];

impl Parser {
    pub(super) fn test(&mut self) -> Result<Expr, Fault> {
        let left = self.next();
        let Some(field) = field_of(&left)? else {
            return self.test_of_value(left);
        };
        if let Word::Compare(comparison) = *self.peek() {
            self.count(left.place.clone())?;
            self.next();
            return self.comparison(field, comparison, &left.place);
        }
        let is_not = self.take_keyword(Keyword::Not);
        let test = match self.peek() {
            Word::Keyword(Keyword::In) => self.list(field)?,
            Word::Keyword(Keyword::Between) => self.between(field, left.place)?,
            Word::Keyword(Keyword::Like) => self.like(field, left.place)?,
            Word::Keyword(Keyword::Is) if !is_not => return self.null(field, left.place),
            _ => return Err(self.no_test(&field, is_not)),
        };
        Ok(if is_not {
            Expr::Not(Box::new(test))
        } else {
            test
        })
    }

    /// A test that begins with a value, or nothing that begins a test at all.
    fn test_of_value(&mut self, left: Token) -> Result<Expr, Fault> {
        let fault =
            |message: &str| Fault::new(FilterErrorKind::Syntax, left.place.clone(), message);
        match left.word {
            Word::End if self.words.len() == 1 => {
                return Err(
                    fault("this filter is empty").suggest("leave it out to find everything")
                );
            }
            Word::End => return Err(fault("a condition is missing at the end")),
            Word::Text(_)
            | Word::Number(..)
            | Word::Keyword(Keyword::True | Keyword::False | Keyword::Null) => {}
            _ => return Err(fault("a condition is missing before this")),
        }
        let Word::Compare(comparison) = *self.peek() else {
            return Err(fault("a value alone is no condition")
                .suggest("begin with a field: `message_id = 'msg_1'`"));
        };
        self.count(left.place.clone())?;
        self.next();
        let right = self.next();
        let Some(field) = field_of(&right)? else {
            return Err(
                fault("two values are compared, which asks nothing of the event")
                    .suggest("one side must be a field"),
            );
        };
        ordered(&field, comparison, &right.place)?;
        let value = literal::value(&left, &field, comparison.is_order())?;
        Ok(Expr::Compare {
            left: Operand::Literal(value),
            comparison,
            right: Operand::Field(field),
        })
    }

    fn comparison(
        &mut self,
        field: Field,
        comparison: Comparison,
        place: &Range<usize>,
    ) -> Result<Expr, Fault> {
        ordered(&field, comparison, place)?;
        let right = self.next();
        // A bare word that is no field is more likely a text without quotes.
        let other = match &right.word {
            Word::Name(name) => Field::by_name(name),
            _ => field_of(&right)?,
        };
        let right = match other {
            Some(other) => {
                ordered(&other, comparison, &right.place)?;
                if !field.kind().goes_with(other.kind()) {
                    let message = format!(
                        "`{field}` is {}, and `{other}` is {}",
                        field.kind().described(),
                        other.kind().described()
                    );
                    let is_attribute = [field.kind(), other.kind()].contains(&ValueKind::Any);
                    let fault = Fault::new(FilterErrorKind::Type, right.place, message);
                    return Err(fault.suggest_any(is_attribute.then(|| {
                        "an attribute is compared with text, numbers, booleans".to_owned()
                    })));
                }
                Operand::Field(other)
            }
            None => Operand::Literal(literal::value(&right, &field, comparison.is_order())?),
        };
        Ok(Expr::Compare {
            left: Operand::Field(field),
            comparison,
            right,
        })
    }

    fn list(&mut self, field: Field) -> Result<Expr, Fault> {
        self.next();
        if !self.take(&Word::Open) {
            return Err(self
                .fault("`(` is missing behind IN")
                .suggest("write `IN ('a', 'b')`"));
        }
        let mut values = Vec::new();
        loop {
            let token = self.next();
            self.count(token.place.clone())?;
            values.push(literal::value(&token, &field, false)?);
            if self.take(&Word::Close) {
                return Ok(Expr::In { field, values });
            }
            if !self.take(&Word::Comma) {
                return Err(self.fault("`,` or `)` is missing here"));
            }
        }
    }

    fn between(&mut self, field: Field, place: Range<usize>) -> Result<Expr, Fault> {
        self.count(place.clone())?;
        self.next();
        ordered(&field, Comparison::LessOrEqual, &place)?;
        let low = literal::value(&self.next(), &field, true)?;
        if !self.take_keyword(Keyword::And) {
            return Err(self
                .fault("AND is missing here")
                .suggest("write `BETWEEN least AND greatest`"));
        }
        let high = literal::value(&self.next(), &field, true)?;
        Ok(Expr::Between { field, low, high })
    }

    fn like(&mut self, field: Field, place: Range<usize>) -> Result<Expr, Fault> {
        self.count(place.clone())?;
        self.next();
        let kind = field.kind();
        if !matches!(kind, ValueKind::Text | ValueKind::Any) {
            let message = format!("`{field}` is {}, and LIKE is for text", kind.described());
            return Err(Fault::new(FilterErrorKind::Type, place, message));
        }
        let pattern = self.next();
        let Word::Text(text) = &pattern.word else {
            return Err(
                Fault::new(FilterErrorKind::Syntax, pattern.place, "LIKE takes a text")
                    .suggest("write `LIKE 'sensor_%'`"),
            );
        };
        let escape = self.escape()?;
        let pattern = Pattern::new(text, escape).map_err(|error| {
            let kind = match error {
                PatternError::TooLong => FilterErrorKind::Limit,
                PatternError::NothingEscaped(_) => FilterErrorKind::Syntax,
            };
            Fault::new(kind, pattern.place, error.to_string())
        })?;
        Ok(Expr::Like { field, pattern })
    }

    fn escape(&mut self) -> Result<Option<char>, Fault> {
        if !self.take_keyword(Keyword::Escape) {
            return Ok(Some(ESCAPE_DEFAULT));
        }
        let token = self.next();
        let escape = match &token.word {
            Word::Text(text) => {
                let mut chars = text.chars();
                let first = chars.next();
                chars.next().is_none().then_some(first)
            }
            _ => None,
        };
        escape.ok_or_else(|| {
            Fault::new(
                FilterErrorKind::Syntax,
                token.place,
                "ESCAPE takes a text of one character or none",
            )
            .suggest("write `ESCAPE '!'`")
        })
    }

    fn null(&mut self, field: Field, place: Range<usize>) -> Result<Expr, Fault> {
        self.count(place)?;
        self.next();
        let is_not = self.take_keyword(Keyword::Not);
        if !self.take_keyword(Keyword::Null) {
            return Err(self
                .fault("NULL is missing here")
                .suggest("IS is followed by NULL or NOT NULL; to compare, write `=`"));
        }
        let test = Expr::IsNull(field);
        Ok(if is_not {
            Expr::Not(Box::new(test))
        } else {
            test
        })
    }

    /// What follows a field is no test.
    fn no_test(&self, field: &Field, is_not: bool) -> Fault {
        let fault = self.fault(if is_not {
            "IN, BETWEEN or LIKE is missing behind NOT".to_owned()
        } else {
            format!("what is asked of `{field}` is missing here")
        });
        match self.peek() {
            Word::Name(name) => {
                let near = nearest(name, TESTS);
                fault.suggest(match near {
                    Some(word) => format!("did you mean `{word}`?"),
                    None => "write `=`, `<`, `IN`, `LIKE` or `IS NULL`".to_owned(),
                })
            }
            _ if field.kind() == ValueKind::Any && !is_not => {
                fault.suggest(format!("write `{field} = TRUE` for a boolean"))
            }
            _ => fault,
        }
    }
}

/// The field that the word is, `None` for what is no name.
fn field_of(token: &Token) -> Result<Option<Field>, Fault> {
    let name = match &token.word {
        Word::Attribute(name) => return Ok(Some(Field::Attribute(name.clone()))),
        Word::Name(name) => name,
        _ => return Ok(None),
    };
    if let Some(field) = Field::by_name(name) {
        return Ok(Some(field));
    }
    let shown = shortened(name, NAME_COLUMNS);
    let fault = Fault::new(
        FilterErrorKind::UnknownName,
        token.place.clone(),
        format!("no field is called `{shown}`"),
    );
    if name == ATTRIBUTE {
        return Err(fault.suggest("an attribute is written `attr.name`"));
    }
    Err(fault.suggest(match nearest(name, Field::bare_names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!(
            "an attribute of the message is written `{}`",
            Field::Attribute(shown)
        ),
    }))
}

/// Whether the comparison may be asked of the field.
fn ordered(field: &Field, comparison: Comparison, place: &Range<usize>) -> Result<(), Fault> {
    if field.kind().is_ordered() || !comparison.is_order() {
        return Ok(());
    }
    let message = format!(
        "`{field}` is {}, and of two none is less than the other",
        field.kind().described()
    );
    Err(Fault::new(FilterErrorKind::Type, place.clone(), message).suggest("write `=` or `!=`"))
}
