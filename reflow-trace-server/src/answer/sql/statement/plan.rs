//! What a plan may do, and how large it may become while it is made better.
//!
//! The optimizer writes expressions into each other: a condition on `z`, where `z` is `y + y` and `y` is
//! `x + x` of the queries below, becomes `x + x + x + x`, and after thirty queries there is no end of it. So
//! the size that every column has when it is written out is counted first, without writing anything out.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
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

/// Groups of values by which an approximate percentile is told. There is room for them before there is a value.
const CENTROIDS_MAX: u64 = 10_000;

/// Looks at a plan before it is optimized; how often a function is called in it.
pub(in super::super) fn check(statement: &str, plan: &LogicalPlan) -> Result<usize, ApiError> {
    let mut sizes = Sizes::default();
    sizes.of(statement, plan)?;
    Ok(sizes.calls)
}

/// The sizes of the columns of the steps that were looked at.
#[derive(Default)]
struct Sizes {
    known: HashMap<*const LogicalPlan, Arc<[u64]>>,
    calls: usize,
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
        let mut inner = Inner::default();
        let mut written = Vec::new();
        plan.apply_expressions(|expr| {
            written.push(size(expr, &size_of, &mut inner)?);
            Ok(TreeNodeRecursion::Continue)
        })
        .map_err(|error| of_engine(statement, &error))?;
        self.calls += inner.calls;
        for query in inner.queries {
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

/// What is in the expressions of a step.
#[derive(Default)]
struct Inner {
    queries: Vec<Arc<LogicalPlan>>,
    /// Calls of functions.
    calls: usize,
}

/// How many terms an expression has with every column written out; what else is in it is put into `inner`.
fn size(
    expr: &Expr,
    size_of: &dyn Fn(&datafusion::common::Column) -> u64,
    inner: &mut Inner,
) -> Result<u64, DataFusionError> {
    let mut size = 0_u64;
    expr.apply(|term| {
        size = size.saturating_add(match term {
            Expr::Column(name) => size_of(name),
            _ => 1,
        });
        let query = match term {
            Expr::Exists(exists) => Some(&exists.subquery),
            Expr::InSubquery(within) => Some(&within.subquery),
            Expr::ScalarSubquery(query) => Some(query),
            Expr::SetComparison(set) => Some(&set.subquery),
            _ => None,
        };
        inner
            .queries
            .extend(query.map(|query| Arc::clone(&query.subquery)));
        inner.calls += usize::from(matches!(term, Expr::ScalarFunction(_)));
        match term {
            Expr::GroupingSet(set) => groupings(set)?,
            Expr::Cast(cast) => of_bounded_size(cast.field.data_type())?,
            Expr::TryCast(cast) => of_bounded_size(cast.field.data_type())?,
            Expr::ScalarFunction(function) if function.name() == "arrow_cast" => {
                // Planning has read it already: it is a type.
                let kind = function.args.get(1).and_then(literal);
                if let Some(kind) = kind.and_then(|kind| kind.try_as_str().flatten()) {
                    of_bounded_size(&kind.parse()?)?;
                }
            }
            Expr::AggregateFunction(function) => {
                centroids(function.func.name(), &function.params.args)?;
            }
            Expr::WindowFunction(function) => {
                centroids(function.fun.name(), &function.params.args)?;
            }
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

/// Values of some types are as large as the type says, and not as the data: one of them may be all there is.
fn of_bounded_size(kind: &DataType) -> Result<(), DataFusionError> {
    let value = match kind {
        DataType::Dictionary(_, value) => value,
        kind => kind,
    };
    let is_plain = value.is_primitive()
        || matches!(
            value,
            DataType::Null
                | DataType::Boolean
                | DataType::Utf8
                | DataType::LargeUtf8
                | DataType::Utf8View
                | DataType::Binary
                | DataType::LargeBinary
                | DataType::BinaryView
        );
    if is_plain {
        return Ok(());
    }
    Err(DataFusionError::Plan(format!(
        "values cannot be made into `{kind}`: types of a length and types within types are left out"
    )))
}

/// An approximate percentile takes room for as many groups as its last argument says.
fn centroids(name: &str, args: &[Expr]) -> Result<(), DataFusionError> {
    let at = match name {
        "approx_percentile_cont" => 2,
        "approx_percentile_cont_with_weight" => 3,
        _ => return Ok(()),
    };
    let is_few = |count: &Expr| {
        let count = literal(count).and_then(|count| count.cast_to(&DataType::UInt64).ok());
        matches!(count, Some(ScalarValue::UInt64(Some(count))) if count <= CENTROIDS_MAX)
    };
    if args.get(at).is_none_or(is_few) {
        return Ok(());
    }
    Err(DataFusionError::Plan(format!(
        "`{name}` is told by a number of at most {CENTROIDS_MAX} groups, written in the statement"
    )))
}

fn literal(expr: &Expr) -> Option<&ScalarValue> {
    match expr {
        Expr::Literal(value, _) => Some(value),
        Expr::Cast(cast) => literal(&cast.expr),
        Expr::Alias(alias) => literal(&alias.expr),
        _ => None,
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
