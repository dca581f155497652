//! How long and how deep a statement may be, looked at before anybody parses it.
//!
//! A parser and a planner walk into expressions, so that a deep one takes the stack, and a long one takes
//! time that grows faster than it does. Both are bounded here on the plain tokens, in one pass.

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};
use reflow_trace::api::{ApiError, ErrorCode};

use super::super::error::{invalid, invalid_at, of_parser};
use super::place;

/// Bytes of a statement.
pub(crate) const BYTES_MAX: usize = 64 << 10;
/// Words, values and signs of a statement.
pub(crate) const TOKENS_MAX: usize = 4_096;
/// How deep brackets and `CASE` may stand in each other.
pub(crate) const DEPTH_MAX: usize = 40;
/// How deep queries may stand in each other: planning `(SELECT (SELECT …))` doubles with each level.
pub(crate) const QUERIES_DEPTH_MAX: usize = 8;
/// Signs and words before a value that change it, one behind the other: `NOT NOT …`, `- - …`.
const PREFIXES_MAX: usize = 40;

/// Looks at the tokens of a statement.
pub(super) fn check(statement: &str) -> Result<(), ApiError> {
    if statement.len() > BYTES_MAX {
        return Err(ApiError::new(
            ErrorCode::TooLarge,
            format!(
                "the statement has {} bytes, and {BYTES_MAX} are allowed",
                statement.len()
            ),
        ));
    }
    let dialect = GenericDialect {};
    let tokens = Tokenizer::new(&dialect, statement)
        .tokenize_with_location()
        .map_err(|error| of_parser(statement, &error.to_string()))?;
    let tokens: Vec<_> = tokens
        .iter()
        .filter(|token| !matches!(token.token, Token::Whitespace(_)))
        .collect();
    if tokens.is_empty() {
        return Err(invalid("the statement is empty: `SELECT …` reads a table"));
    }
    if let Some(token) = tokens.get(TOKENS_MAX) {
        return Err(too_much(
            statement,
            token,
            format!("the statement has more than {TOKENS_MAX} words, values and signs"),
        ));
    }
    nesting(statement, &tokens)
}

fn nesting(statement: &str, tokens: &[&TokenWithSpan]) -> Result<(), ApiError> {
    let (mut depth, mut prefixes) = (0_usize, 0_usize);
    // Whether what each open bracket holds is a query.
    let mut queries: Vec<bool> = Vec::new();
    for (place, token) in tokens.iter().enumerate() {
        match &token.token {
            Token::LParen => queries.push(begins_query(tokens.get(place + 1))),
            Token::RParen => {
                queries.pop();
            }
            _ => {}
        }
        if queries.iter().filter(|is_query| **is_query).count() > QUERIES_DEPTH_MAX {
            return Err(too_much(
                statement,
                token,
                format!("queries are nested more than {QUERIES_DEPTH_MAX} levels deep"),
            ));
        }
        let is_prefix = match &token.token {
            Token::LParen | Token::LBracket | Token::LBrace => {
                depth += 1;
                false
            }
            Token::RParen | Token::RBracket | Token::RBrace => {
                depth = depth.saturating_sub(1);
                false
            }
            Token::Word(word) => match word.keyword {
                Keyword::CASE => {
                    depth += 1;
                    false
                }
                Keyword::END => {
                    depth = depth.saturating_sub(1);
                    false
                }
                Keyword::NOT => true,
                _ => false,
            },
            Token::Minus | Token::Plus | Token::Tilde | Token::ExclamationMark => true,
            _ => false,
        };
        prefixes = if is_prefix { prefixes + 1 } else { 0 };
        if depth > DEPTH_MAX || prefixes > PREFIXES_MAX {
            return Err(too_much(
                statement,
                token,
                format!("the statement is nested more than {DEPTH_MAX} levels deep"),
            ));
        }
    }
    Ok(())
}

fn begins_query(token: Option<&&TokenWithSpan>) -> bool {
    matches!(
        token.map(|token| &token.token),
        Some(Token::Word(word))
            if matches!(word.keyword, Keyword::SELECT | Keyword::WITH | Keyword::VALUES)
    )
}

fn too_much(statement: &str, token: &TokenWithSpan, message: String) -> ApiError {
    let start = token.span.start;
    let at = place::byte(statement, start.line, start.column);
    ApiError {
        code: ErrorCode::TooLarge,
        ..invalid_at(statement, at..at + 1, message)
    }
}
