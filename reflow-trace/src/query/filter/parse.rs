//! From words to the tree, by descent; how deep it may go is counted. What is asked of a field is in `asked`.

use std::ops::Range;

use super::error::{Fault, FilterError, FilterErrorKind};
use super::number::is_unit;
use super::token::{Keyword, Token, Word, words};
use super::tree::{Expr, Literal};
use super::{FILTER_BYTES_MAX, FILTER_DEPTH_MAX, FILTER_TERMS_MAX};

pub(super) fn parse(text: &str) -> Result<Expr, FilterError> {
    read(text).map_err(|fault| fault.in_text(text))
}

fn read(text: &str) -> Result<Expr, Fault> {
    if text.len() > FILTER_BYTES_MAX {
        let message = format!(
            "this filter has {} bytes, and at most {FILTER_BYTES_MAX} are read",
            text.len()
        );
        let behind = FILTER_BYTES_MAX..FILTER_BYTES_MAX + 1;
        return Err(Fault::new(FilterErrorKind::Limit, behind, message));
    }
    let mut parser = Parser {
        words: words(text)?,
        at: 0,
        open: 0,
        terms: 0,
    };
    let (expr, _) = parser.any()?;
    match parser.peek() {
        Word::End => Ok(expr),
        Word::Close => Err(parser.fault("this parenthesis closes nothing")),
        _ => Err(parser
            .fault("AND or OR is missing before this")
            .suggest_any(parser.parted_unit())),
    }
}

/// Goes through the words.
pub(super) struct Parser {
    pub(super) words: Vec<Token>,
    at: usize,
    /// Parentheses and NOTs around the place.
    open: usize,
    /// Tests and listed values so far.
    terms: usize,
}

/// A tree and how many levels it has.
type Levels = (Expr, usize);

impl Parser {
    fn token(&self) -> &Token {
        // The last word is the end, and nobody goes beyond it.
        &self.words[self.at.min(self.words.len() - 1)]
    }

    pub(super) fn peek(&self) -> &Word {
        &self.token().word
    }

    pub(super) fn next(&mut self) -> Token {
        let token = self.token().clone();
        self.at += 1;
        token
    }

    pub(super) fn take(&mut self, word: &Word) -> bool {
        let is_next = self.peek() == word;
        self.at += usize::from(is_next);
        is_next
    }

    pub(super) fn take_keyword(&mut self, keyword: Keyword) -> bool {
        self.take(&Word::Keyword(keyword))
    }

    fn place(&self) -> Range<usize> {
        self.token().place.clone()
    }

    pub(super) fn fault(&self, message: impl Into<String>) -> Fault {
        Fault::new(FilterErrorKind::Syntax, self.place(), message)
    }

    /// `10 ms` where `10ms` is meant.
    fn parted_unit(&self) -> Option<String> {
        let before = &self.words.get(self.at.checked_sub(1)?)?.word;
        match (before, self.peek()) {
            (Word::Number(number, None), Word::Name(name)) if is_unit(name) => {
                let number = Literal::Number(*number);
                Some(format!(
                    "a unit follows its number without a blank: `{number}{name}`"
                ))
            }
            _ => None,
        }
    }

    fn any(&mut self) -> Result<Levels, Fault> {
        self.chain(Keyword::Or, Self::all, Expr::Or)
    }

    fn all(&mut self) -> Result<Levels, Fault> {
        self.chain(Keyword::And, Self::one, Expr::And)
    }

    /// One member, or several joined by the keyword.
    fn chain(
        &mut self,
        keyword: Keyword,
        member: impl Fn(&mut Self) -> Result<Levels, Fault>,
        join: impl Fn(Vec<Expr>) -> Expr,
    ) -> Result<Levels, Fault> {
        let start = self.place().start;
        let (first, mut levels) = member(self)?;
        if *self.peek() != Word::Keyword(keyword) {
            return Ok((first, levels));
        }
        let mut members = vec![first];
        while self.take_keyword(keyword) {
            let (next, its_levels) = member(self)?;
            members.push(next);
            levels = levels.max(its_levels);
        }
        self.deeper(start, levels)?;
        Ok((join(members), levels + 1))
    }

    fn deeper(&self, start: usize, levels: usize) -> Result<(), Fault> {
        if levels < FILTER_DEPTH_MAX {
            return Ok(());
        }
        let message = format!("a filter is at most {FILTER_DEPTH_MAX} levels deep");
        let place = start..start + 1;
        Err(Fault::new(FilterErrorKind::Limit, place, message))
    }

    fn one(&mut self) -> Result<Levels, Fault> {
        let start = self.place().start;
        let is_not = self.take_keyword(Keyword::Not);
        if !is_not && !self.take(&Word::Open) {
            let test = self.test()?;
            // `NOT IN` and the like are a level of the tree.
            let levels = usize::from(matches!(test, Expr::Not(_)));
            return Ok((test, levels));
        }
        self.deeper(start, self.open)?;
        self.open += 1;
        let inside = if is_not {
            let (member, levels) = self.one()?;
            self.deeper(start, levels)?;
            (Expr::Not(Box::new(member)), levels + 1)
        } else {
            let inside = self.any()?;
            if !self.take(&Word::Close) {
                let open = start..start + 1;
                let message = match self.peek() {
                    Word::End => "this parenthesis is never closed",
                    _ => return Err(self.fault("AND, OR or `)` is missing before this")),
                };
                return Err(Fault::new(FilterErrorKind::Syntax, open, message));
            }
            inside
        };
        self.open -= 1;
        Ok(inside)
    }

    pub(super) fn count(&mut self, place: Range<usize>) -> Result<(), Fault> {
        self.terms += 1;
        if self.terms <= FILTER_TERMS_MAX {
            return Ok(());
        }
        let message = format!("a filter has at most {FILTER_TERMS_MAX} tests and listed values");
        Err(Fault::new(FilterErrorKind::Limit, place, message))
    }
}
