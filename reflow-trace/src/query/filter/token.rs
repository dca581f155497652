//! The words of a filter.

use std::ops::Range;

use super::error::{Fault, FilterErrorKind};
use super::number::Unit;
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

/// Goes through the text.
pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Goes over what is `wanted` and gives it back.
    pub(super) fn skip(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    pub(super) fn take(&mut self, sign: &str) -> bool {
        let is_there = self.rest().starts_with(sign);
        if is_there {
            self.at += sign.len();
        }
        is_there
    }

    pub(super) fn fault(&self, start: usize, message: impl Into<String>) -> Fault {
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
