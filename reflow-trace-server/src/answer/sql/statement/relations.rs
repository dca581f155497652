//! How many tables a statement reads, once every name that it has given is written out.
//!
//! A query that names another twice, which names another twice, and so on, is short and means a plan that
//! doubles at each step. So names are followed and counted, and not written out.

use std::collections::HashMap;
use std::convert::Infallible;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{ObjectName, Query, Visit, Visitor};
use reflow_trace::api::{ApiError, ErrorCode};

use super::super::error::invalid;

/// Tables and queries in a statement, each as often as it is named.
pub(crate) const RELATIONS_MAX: u64 = 64;

/// Looks at how many tables a query reads.
pub(super) fn check(_statement: &str, query: &Query) -> Result<(), ApiError> {
    let mut counter = Counter::default();
    let _ended = query.visit(&mut counter);
    if counter.all > RELATIONS_MAX {
        return Err(ApiError {
            code: ErrorCode::TooLarge,
            ..invalid(format!(
                "the statement reads more than {RELATIONS_MAX} tables, with every name written out"
            ))
        });
    }
    Ok(())
}

/// Does something with a query and every query in it.
pub(super) fn each_query<E>(
    query: &Query,
    look: impl FnMut(&Query) -> Result<(), E>,
) -> Result<(), E> {
    struct Each<F>(F);
    impl<E, F: FnMut(&Query) -> Result<(), E>> Visitor for Each<F> {
        type Break = E;
        fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<E> {
            match self.0(query) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => ControlFlow::Break(error),
            }
        }
    }
    match query.visit(&mut Each(look)) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

/// Counts while it walks.
#[derive(Default)]
struct Counter {
    /// What the queries that are open have so far, the innermost last.
    open: Vec<u64>,
    /// Names that queries have given, with what each reads; where one is given twice, the most.
    named: HashMap<String, u64>,
    /// Queries that have a name, by where they lie.
    names: HashMap<*const Query, String>,
    all: u64,
}

impl Counter {
    fn add(&mut self, more: u64) {
        match self.open.last_mut() {
            Some(open) => *open = open.saturating_add(more),
            None => self.all = self.all.saturating_add(more),
        }
    }
}

impl Visitor for Counter {
    type Break = Infallible;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Infallible> {
        for named in query.with.iter().flat_map(|with| &with.cte_tables) {
            let name = named.alias.name.value.to_lowercase();
            self.names.insert(&raw const *named.query, name);
        }
        self.open.push(1);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<Infallible> {
        let read = self.open.pop().unwrap_or(0);
        match self.names.get(&(&raw const *query)) {
            Some(name) => {
                let known = self.named.entry(name.clone()).or_default();
                *known = read.max(*known);
                // Also where nobody names it.
                self.add(1);
            }
            None => self.add(read),
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<Infallible> {
        let name = relation.to_string().replace('"', "").to_lowercase();
        let read = self.named.get(&name).copied().unwrap_or(1);
        self.add(read);
        ControlFlow::Continue(())
    }
}
