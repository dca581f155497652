//! What a statement may be: one that reads, of a size that can be planned.
//!
//! It is looked at four times, each time with what is known by then: as tokens ([`text`]), as one statement
//! of a kind that reads (here), as names that refer to each other ([`relations`]), and as a plan
//! ([`plan`]). The parser of the engine and its planner never see anything that has not passed before.

pub(super) mod place;
pub(super) mod plan;
mod relations;
mod text;

use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::{Query, SetExpr, Statement as Parsed};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use reflow_trace::api::ApiError;

use super::error::{invalid, of_parser};

/// Levels of the parser; above [`text::DEPTH_MAX`], because each bracket takes more than one.
const PARSER_LEVELS: usize = 400;

/// Parses one statement that reads.
pub(super) fn parse(statement: &str) -> Result<Statement, ApiError> {
    text::check(statement)?;
    let dialect = GenericDialect {};
    let parsed = DFParserBuilder::new(statement)
        .with_dialect(&dialect)
        .with_recursion_limit(PARSER_LEVELS)
        .build()
        .and_then(|mut parser| parser.parse_statements());
    let mut parsed = parsed.map_err(|error| of_parser(statement, &error.to_string()))?;
    let Some(first) = parsed.pop_front() else {
        return Err(invalid("the statement is empty: `SELECT …` reads a table"));
    };
    if !parsed.is_empty() {
        return Err(invalid(format!(
            "there are {} statements: send one at a time",
            parsed.len() + 1
        )));
    }
    let reading = reading(&first)?;
    relations::check(statement, reading)?;
    Ok(first)
}

/// The query in a statement that reads.
fn reading(statement: &Statement) -> Result<&Query, ApiError> {
    match statement {
        Statement::Explain(explain) => match &*explain.statement {
            Statement::Explain(_) => Err(invalid("`EXPLAIN` of `EXPLAIN` says nothing")),
            inner => reading(inner),
        },
        Statement::Statement(parsed) => match &**parsed {
            Parsed::Query(query) => {
                reads(query)?;
                Ok(query)
            }
            Parsed::Explain { .. } => Err(invalid("`EXPLAIN` takes one statement")),
            other => Err(refused(&first_words(&other.to_string()))),
        },
        other => Err(refused(&first_words(&other.to_string()))),
    }
}

/// Whether a query, with all that is in it, reads.
fn reads(query: &Query) -> Result<(), ApiError> {
    if !query.locks.is_empty() {
        return Err(refused("FOR UPDATE"));
    }
    relations::each_query(query, |query| body_reads(&query.body))
}

fn body_reads(body: &SetExpr) -> Result<(), ApiError> {
    match body {
        SetExpr::Select(select) if select.into.is_some() => Err(refused("SELECT … INTO")),
        SetExpr::Insert(_) => Err(refused("INSERT")),
        SetExpr::Update(_) => Err(refused("UPDATE")),
        SetExpr::Delete(_) => Err(refused("DELETE")),
        SetExpr::Merge(_) => Err(refused("MERGE")),
        SetExpr::SetOperation { left, right, .. } => {
            // Long chains of these lean to the left.
            body_reads(right)?;
            body_reads(left)
        }
        // A query in it is one of those that are looked at.
        _ => Ok(()),
    }
}

/// The words with which a statement begins.
fn first_words(statement: &str) -> String {
    let words = statement
        .split_whitespace()
        .take_while(|word| word.chars().all(|letter| letter.is_ascii_uppercase()));
    words.take(2).collect::<Vec<_>>().join(" ")
}

fn refused(what: &str) -> ApiError {
    invalid(format!(
        "`{what}` is not permitted: statements read, so that they begin with `SELECT`, `WITH`, `VALUES` or `EXPLAIN`"
    ))
}
