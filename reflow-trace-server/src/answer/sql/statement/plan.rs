//! What a plan may do, and how large it may become while it is made better.
//!
//! The optimizer writes expressions into each other: a condition on `z`, where `z` is `y + y` and `y` is
//! `x + x` of the queries below, becomes `x + x + x + x`, and after thirty queries there is no end of it. So
//! the size that every column has when it is written out is counted first, without writing anything out.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, GroupingSet, LogicalPlan, Operator};
use reflow_trace::api::{ApiError, ErrorCode};

use super::super::error::{invalid, of_engine};

/// Terms of an expression with every name in it written out.
pub(crate) const TERMS_MAX: u64 = 20_000;
/// Columns of any step of a plan.
const COLUMNS_MAX: usize = 1_024;
/// Ways to group at one time, as `CUBE` and `ROLLUP` make them.
const GROUPINGS_MAX: u64 = 64;

/// Looks at a plan before it is optimized.
pub(in super::super) fn check(statement: &str, plan: &LogicalPlan) -> Result<(), ApiError> {
    let mut sizes = Sizes::default();
    sizes.of(statement, plan).map(|_| ())
}

/// The sizes of the columns of the steps that were looked at.
#[derive(Default)]
struct Sizes {
    known: HashMap<*const LogicalPlan, Arc<[u64]>>,
}

impl Sizes {
    /// How large each column of a step is when it is written out.
    fn of(&mut self, statement: &str, plan: &LogicalPlan) -> Result<Arc<[u64]>, ApiError> {
        if let Some(known) = self.known.get(&(&raw const *plan)) {
            return Ok(Arc::clone(known));
        }
        permitted(plan)?;
        let width = plan.schema().fields().len();
        if width > COLUMNS_MAX {
            return Err(too_large(format!(
                "the statement makes a table of {width} columns, and {COLUMNS_MAX} are allowed"
            )));
        }
        let mut below = Vec::new();
        for input in plan.inputs() {
            below.push((input.schema(), self.of(statement, input)?));
        }
        let size_of = |name: &datafusion::common::Column| {
            let sizes = below.iter().find_map(|(schema, sizes)| {
                let at = schema.maybe_index_of_column(name)?;
                sizes.get(at).copied()
            });
            sizes.unwrap_or(1)
        };
        let mut inner = Vec::new();
        let mut written = Vec::new();
        plan.apply_expressions(|expr| {
            written.push(size(expr, &size_of, &mut inner)?);
            Ok(TreeNodeRecursion::Continue)
        })
        .map_err(|error| of_engine(statement, &error))?;
        for query in inner {
            self.of(statement, &query)?;
        }
        if written.iter().any(|size| *size > TERMS_MAX) {
            return Err(too_large(format!(
                "with every name written out, an expression of the statement has more than {TERMS_MAX} terms"
            )));
        }
        let sizes: Arc<[u64]> = match plan {
            LogicalPlan::Projection(_) => written.into(),
            // What is added up is no longer an expression of what is below.
            LogicalPlan::Aggregate(_) => {
                let mut sizes = written;
                sizes.resize(width, 1);
                sizes.into()
            }
            LogicalPlan::Union(_) => (0..width)
                .map(|at| {
                    let sizes = below.iter().filter_map(|(_, sizes)| sizes.get(at));
                    sizes.copied().max().unwrap_or(1)
                })
                .collect(),
            _ => {
                let mut sizes: Vec<u64> = below
                    .iter()
                    .flat_map(|(_, sizes)| sizes.iter().copied())
                    .collect();
                sizes.resize(width, 1);
                sizes.into()
            }
        };
        self.known.insert(&raw const *plan, Arc::clone(&sizes));
        Ok(sizes)
    }
}

/// Whether a step does nothing but read.
fn permitted(plan: &LogicalPlan) -> Result<(), ApiError> {
    match plan {
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Window(_)
        | LogicalPlan::Aggregate(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Join(_)
        | LogicalPlan::Repartition(_)
        | LogicalPlan::Union(_)
        | LogicalPlan::TableScan(_)
        | LogicalPlan::EmptyRelation(_)
        | LogicalPlan::Subquery(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::Values(_)
        | LogicalPlan::Explain(_)
        | LogicalPlan::Analyze(_)
        | LogicalPlan::Distinct(_)
        | LogicalPlan::RecursiveQuery(_) => Ok(()),
        other => Err(invalid(format!(
            "`{}` is not permitted: statements read",
            other.display()
        ))),
    }
}

/// How many terms an expression has with every column written out; queries in it are put into `inner`.
fn size(
    expr: &Expr,
    size_of: &dyn Fn(&datafusion::common::Column) -> u64,
    inner: &mut Vec<Arc<LogicalPlan>>,
) -> Result<u64, DataFusionError> {
    let mut size = 0_u64;
    expr.apply(|term| {
        size = size.saturating_add(match term {
            Expr::Column(name) => size_of(name),
            _ => 1,
        });
        match term {
            Expr::Exists(exists) => inner.push(Arc::clone(&exists.subquery.subquery)),
            Expr::InSubquery(within) => inner.push(Arc::clone(&within.subquery.subquery)),
            Expr::ScalarSubquery(query) => inner.push(Arc::clone(&query.subquery)),
            Expr::SetComparison(set) => inner.push(Arc::clone(&set.subquery.subquery)),
            Expr::GroupingSet(set) => groupings(set)?,
            _ => pattern(term)?,
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(size)
}

/// A pattern is compiled, which is done once where it is written in the statement, and for each row where
/// it comes from a column.
fn pattern(term: &Expr) -> Result<(), DataFusionError> {
    let pattern = match term {
        Expr::BinaryExpr(binary)
            if matches!(
                binary.op,
                Operator::RegexMatch
                    | Operator::RegexIMatch
                    | Operator::RegexNotMatch
                    | Operator::RegexNotIMatch
                    | Operator::LikeMatch
                    | Operator::ILikeMatch
                    | Operator::NotLikeMatch
                    | Operator::NotILikeMatch
            ) =>
        {
            Some(&*binary.right)
        }
        Expr::Like(like) | Expr::SimilarTo(like) => Some(&*like.pattern),
        Expr::ScalarFunction(function) if function.name().starts_with("regexp_") => {
            function.args.get(1)
        }
        _ => None,
    };
    match pattern {
        Some(pattern) if !is_written(pattern) => Err(DataFusionError::Plan(
            "a pattern must be written in the statement, and not come from a column".to_owned(),
        )),
        _ => Ok(()),
    }
}

fn is_written(pattern: &Expr) -> bool {
    match pattern {
        Expr::Literal(..) => true,
        Expr::Cast(cast) => is_written(&cast.expr),
        Expr::Alias(alias) => is_written(&alias.expr),
        _ => false,
    }
}

fn groupings(set: &GroupingSet) -> Result<(), DataFusionError> {
    let count = match set {
        GroupingSet::Rollup(columns) => columns.len() as u64 + 1,
        GroupingSet::Cube(columns) => u32::try_from(columns.len())
            .ok()
            .and_then(|columns| 1_u64.checked_shl(columns))
            .unwrap_or(u64::MAX),
        GroupingSet::GroupingSets(sets) => sets.len() as u64,
    };
    if count > GROUPINGS_MAX {
        return Err(DataFusionError::Plan(format!(
            "grouping in {count} ways at one time is more than the {GROUPINGS_MAX} that are allowed"
        )));
    }
    Ok(())
}

fn too_large(message: String) -> ApiError {
    ApiError {
        code: ErrorCode::TooLarge,
        ..invalid(message)
    }
}
