//! The words of a filter.

use std::ops::Range;

use super::error::{Fault, FilterErrorKind};
use super::tree::Comparison;
use super::value::Number;
use crate::graph::text::shortened;

/// The widest name in a message, in columns.
pub(super) const NAME_COLUMNS: usize = 40;
/// What a program's attribute is called by.
pub(super) const ATTRIBUTE: &str = "attr";

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) word: Word,
    pub(super) place: Range<usize>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Word {
    Keyword(Keyword),
    /// A bare name.
    Name(String),
    /// The name behind `attr.`.
    Attribute(String),
    Text(String),
    Number(Number, Option<Unit>),
    Compare(Comparison),
    Open,
    Close,
    Comma,
    /// Behind the last word.
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyword {
    And,
    Or,
    Not,
    In,
    Between,
    Like,
    Escape,
    Is,
    Null,
    True,
    False,
}

/// What a number with a unit is a number of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Nanoseconds,
    Bytes,
}

const KEYWORDS: [(&str, Keyword); 11] = [
    ("and", Keyword::And),
    ("or", Keyword::Or),
    ("not", Keyword::Not),
    ("in", Keyword::In),
    ("between", Keyword::Between),
    ("like", Keyword::Like),
    ("escape", Keyword::Escape),
    ("is", Keyword::Is),
    ("null", Keyword::Null),
    ("true", Keyword::True),
    ("false", Keyword::False),
];

const UNITS: [(&str, Unit, i128); 15] = [
    ("ns", Unit::Nanoseconds, 1),
    ("us", Unit::Nanoseconds, 1_000),
    ("µs", Unit::Nanoseconds, 1_000),
    ("μs", Unit::Nanoseconds, 1_000),
    ("ms", Unit::Nanoseconds, 1_000_000),
    ("s", Unit::Nanoseconds, 1_000_000_000),
    ("min", Unit::Nanoseconds, 60_000_000_000),
    ("h", Unit::Nanoseconds, 3_600_000_000_000),
    ("B", Unit::Bytes, 1),
    ("KB", Unit::Bytes, 1_000),
    ("MB", Unit::Bytes, 1_000_000),
    ("GB", Unit::Bytes, 1_000_000_000),
    ("KiB", Unit::Bytes, 1 << 10),
    ("MiB", Unit::Bytes, 1 << 20),
    ("GiB", Unit::Bytes, 1 << 30),
];

/// Signs that other languages have, and what is written here.
const FOREIGN_SIGNS: [(&str, &str); 8] = [
    ("==", "write `=`"),
    ("&&", "write `AND`"),
    ("||", "write `OR`"),
    ("=~", "write `LIKE`"),
    ("!", "write `NOT`"),
    (";", "a filter is one condition"),
    ("--", "a filter has no comments"),
    ("/*", "a filter has no comments"),
];

/// Whether an attribute's name needs no quotes.
pub(super) fn is_plain_attribute(name: &str) -> bool {
    name.starts_with(starts_name) && name.chars().all(continues_attribute)
}

/// Whether this is a unit that could follow a number.
pub(super) fn is_unit(name: &str) -> bool {
    UNITS.iter().any(|&(unit, ..)| unit == name)
}

fn starts_name(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn continues_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn continues_attribute(c: char) -> bool {
    continues_name(c) || matches!(c, '.' | '-')
}

/// The words of the text, the last of which is [`Word::End`]. There are no more of them than bytes.
pub(super) fn words(text: &str) -> Result<Vec<Token>, Fault> {
    let mut reader = Reader { text, at: 0 };
    let mut words = Vec::new();
    loop {
        reader.skip(char::is_whitespace);
        let start = reader.at;
        let word = reader.word()?;
        let is_end = word == Word::End;
        words.push(Token {
            word,
            place: start..reader.at,
        });
        if is_end {
            return Ok(words);
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Goes over what is `wanted` and gives it back.
    fn skip(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn take(&mut self, sign: &str) -> bool {
        let is_there = self.rest().starts_with(sign);
        if is_there {
            self.at += sign.len();
        }
        is_there
    }

    fn fault(&self, start: usize, message: impl Into<String>) -> Fault {
        Fault::new(FilterErrorKind::Syntax, start..self.at, message)
    }

    fn word(&mut self) -> Result<Word, Fault> {
        let Some(first) = self.rest().chars().next() else {
            return Ok(Word::End);
        };
        match first {
            '\'' => self.in_quotes('\'').map(Word::Text),
            '"' => {
                let start = self.at;
                let name = self.in_quotes('"')?;
                let shown = shortened(&name, NAME_COLUMNS);
                Err(self
                    .fault(
                        start,
                        format!("`\"{shown}\"` in double quotes means nothing here"),
                    )
                    .suggest(format!(
                        "text is written '{shown}', an attribute attr.\"{shown}\""
                    )))
            }
            c if c.is_ascii_digit() => self.number(),
            '-' if self.rest()[1..].starts_with(|c: char| c.is_ascii_digit()) => self.number(),
            c if starts_name(c) => self.name(),
            _ => self.sign(first),
        }
    }

    /// What stands between two quotes; a doubled one is one.
    fn in_quotes(&mut self, quote: char) -> Result<String, Fault> {
        let start = self.at;
        self.at += 1;
        let mut inside = String::new();
        loop {
            inside += self.skip(|c| c != quote);
            if self.at == self.text.len() {
                let fault = self.fault(start, "this quote is never closed");
                return Err(Fault {
                    place: start..start + 1,
                    ..fault
                }
                .suggest(format!(
                    "end the text with `{quote}`; a quote inside is written twice"
                )));
            }
            self.at += 1;
            if !self.rest().starts_with(quote) {
                return Ok(inside);
            }
            self.at += 1;
            inside.push(quote);
        }
    }

    fn name(&mut self) -> Result<Word, Fault> {
        let start = self.at;
        let name = self.skip(continues_name);
        if name == ATTRIBUTE && self.take(".") {
            return self.attribute(start);
        }
        let keyword = KEYWORDS
            .iter()
            .find(|(word, _)| name.eq_ignore_ascii_case(word));
        if let Some(&(_, keyword)) = keyword {
            return Ok(Word::Keyword(keyword));
        }
        if self.rest().starts_with('(') {
            return Err(self.fault(start, "a filter has no functions").suggest_any(
                name.eq_ignore_ascii_case("now").then(|| {
                    "write the time itself, '2026-01-31T12:00:00Z', or ask with a time range"
                        .to_owned()
                }),
            ));
        }
        if self.rest().starts_with('.') {
            self.skip(continues_attribute);
            let shown = shortened(&self.text[start..self.at], NAME_COLUMNS);
            let fault = Fault::new(
                FilterErrorKind::UnknownName,
                start..self.at,
                format!("no field is called `{shown}`"),
            );
            return Err(fault.suggest(format!("an attribute is written `attr.{shown}`")));
        }
        Ok(Word::Name(name.to_owned()))
    }

    fn attribute(&mut self, start: usize) -> Result<Word, Fault> {
        if self.rest().starts_with('"') {
            return self.in_quotes('"').map(Word::Attribute);
        }
        let name = self.skip(continues_attribute);
        if !name.starts_with(starts_name) {
            return Err(self
                .fault(start, "the name of an attribute is missing or needs quotes")
                .suggest("write `attr.name` or `attr.\"any name\"`"));
        }
        Ok(Word::Attribute(name.to_owned()))
    }

    fn number(&mut self) -> Result<Word, Fault> {
        let start = self.at;
        self.take("-");
        let is_digit = |c: char| c.is_ascii_digit() || c == '_';
        self.skip(is_digit);
        let has_point = self.rest().starts_with('.');
        if has_point {
            self.at += 1;
            if self.skip(is_digit).is_empty() {
                return Err(self.fault(start, "digits are missing behind the point"));
            }
        }
        let has_exponent = self.exponent();
        let digits: String = self.text[start..self.at].replace('_', "");
        let unit_at = self.at;
        let unit = self.skip(|c| c.is_alphanumeric() || c == '_');
        let too_large = |reader: &Self| {
            let fault = reader.fault(start, "this number is too large");
            Fault {
                kind: FilterErrorKind::Limit,
                ..fault
            }
        };
        if unit.is_empty() {
            return if has_point || has_exponent {
                let float: f64 = digits.parse().map_err(|_| too_large(self))?;
                float
                    .is_finite()
                    .then_some(Word::Number(Number::Float(float), None))
                    .ok_or_else(|| too_large(self))
            } else {
                let whole = whole(&digits).ok_or_else(|| too_large(self))?;
                Ok(Word::Number(Number::Integer(whole), None))
            };
        }
        let Some(&(_, of, factor)) = UNITS.iter().find(|&&(name, ..)| name == unit) else {
            let shown = shortened(unit, NAME_COLUMNS);
            let near = UNITS
                .iter()
                .find(|(name, ..)| name.eq_ignore_ascii_case(unit));
            let fault = Fault::new(
                FilterErrorKind::UnknownName,
                unit_at..self.at,
                format!("no unit is called `{shown}`"),
            );
            return Err(fault.suggest(match near {
                Some((name, ..)) => format!("did you mean `{name}`?"),
                None => {
                    "times have ns, us, ms, s, min, h and sizes B, KB, MB, GB, KiB, MiB, GiB".into()
                }
            }));
        };
        if has_exponent {
            return Err(self.fault(start, "a number with an exponent takes no unit"));
        }
        let number = scaled(&digits, factor).ok_or_else(|| too_large(self))?;
        Ok(Word::Number(number, Some(of)))
    }

    /// Goes over `e5`, `E-5`; a letter without digits behind it is the beginning of a unit.
    fn exponent(&mut self) -> bool {
        let rest = self.rest();
        let Some(behind) = rest.strip_prefix(['e', 'E']) else {
            return false;
        };
        let digits = behind.strip_prefix(['+', '-']).unwrap_or(behind);
        let is_exponent = digits.starts_with(|c: char| c.is_ascii_digit());
        if is_exponent {
            self.at = self.text.len() - digits.len();
            self.skip(|c| c.is_ascii_digit());
        }
        is_exponent
    }

    fn sign(&mut self, first: char) -> Result<Word, Fault> {
        let start = self.at;
        for (sign, word) in [
            ("(", Word::Open),
            (")", Word::Close),
            (",", Word::Comma),
            ("!=", Word::Compare(Comparison::NotEqual)),
            ("<>", Word::Compare(Comparison::NotEqual)),
            ("<=", Word::Compare(Comparison::LessOrEqual)),
            (">=", Word::Compare(Comparison::GreaterOrEqual)),
            ("<", Word::Compare(Comparison::Less)),
            (">", Word::Compare(Comparison::Greater)),
        ] {
            if self.take(sign) {
                return Ok(word);
            }
        }
        for (sign, suggestion) in FOREIGN_SIGNS {
            if self.take(sign) {
                return Err(self
                    .fault(start, format!("`{sign}` means nothing here"))
                    .suggest(suggestion));
            }
        }
        if self.take("=") {
            return Ok(Word::Compare(Comparison::Equal));
        }
        self.at += first.len_utf8();
        let shown = shortened(&first.to_string(), NAME_COLUMNS);
        let has_digits = first == '.' && self.rest().starts_with(|c: char| c.is_ascii_digit());
        Err(self
            .fault(start, format!("`{shown}` means nothing here"))
            .suggest_any(has_digits.then(|| "write a digit before the point".to_owned())))
    }
}

fn whole(digits: &str) -> Option<i128> {
    let whole: i128 = digits.parse().ok()?;
    (i128::from(i64::MIN)..=i128::from(u64::MAX))
        .contains(&whole)
        .then_some(whole)
}

/// The decimal number times `factor`: whole when it is, exactly, else the nearest float.
fn scaled(digits: &str, factor: i128) -> Option<Number> {
    let (before, behind) = digits.split_once('.').unwrap_or((digits, ""));
    let behind = behind.trim_end_matches('0');
    // More digits than these have no place in nanoseconds or bytes.
    if behind.len() <= 18 {
        let divisor = 10_i128.pow(behind.len() as u32);
        let all: i128 = format!("{before}{behind}").parse().ok()?;
        let product = all.checked_mul(factor)?;
        if product % divisor == 0 {
            return whole(&(product / divisor).to_string()).map(Number::Integer);
        }
    }
    let float = digits.parse::<f64>().ok()? * factor as f64;
    float.is_finite().then_some(Number::Float(float))
}
