//! Two operators that the engine would carry out in ways that surprise.
//!
//! `||` becomes a function with a bound ([`bounded`](super::bounded)). A difference
//! of numbers without sign, as nearly all columns are, is taken of numbers with one: `3 - 5` is `-2` and
//! not `18446744073709551614`. A number of 2⁶³ or more has no such form, and its difference is not known.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::error::Result;
use datafusion::logical_expr::expr::{BinaryExpr, ScalarFunction};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{Expr, ExprSchemable, Operator, ScalarUDF, TryCast};
use datafusion::sql::sqlparser::ast::BinaryOperator;

use super::bounded::{Bounded, Share};

/// Plans these operators.
#[derive(Debug)]
pub(super) struct Planner {
    /// The function of `||`.
    join: Arc<ScalarUDF>,
}

impl Planner {
    pub(super) fn new(share: &Share) -> Self {
        Self {
            join: Arc::new(ScalarUDF::new_from_impl(Bounded::joining(share))),
        }
    }
}

impl ExprPlanner for Planner {
    fn plan_binary_op(
        &self,
        expr: RawBinaryExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        Ok(match expr.op {
            BinaryOperator::StringConcat => {
                PlannerResult::Planned(self.joined(expr.left, expr.right))
            }
            BinaryOperator::Minus
                if is_unsigned(&expr.left, schema) && is_unsigned(&expr.right, schema) =>
            {
                let (left, right) = (signed(expr.left), signed(expr.right));
                PlannerResult::Planned(Expr::BinaryExpr(BinaryExpr::new(
                    Box::new(left),
                    Operator::Minus,
                    Box::new(right),
                )))
            }
            _ => PlannerResult::Original(expr),
        })
    }
}

impl Planner {
    /// A chain of them is one function of many arguments.
    fn joined(&self, left: Expr, right: Expr) -> Expr {
        let mut args = match left {
            Expr::ScalarFunction(function) if function.func == self.join => function.args,
            other => vec![other],
        };
        args.push(right);
        Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(&self.join), args))
    }
}

fn is_unsigned(expr: &Expr, schema: &DFSchema) -> bool {
    expr.get_type(schema)
        .is_ok_and(|kind| kind.is_unsigned_integer())
}

fn signed(expr: Expr) -> Expr {
    Expr::TryCast(TryCast::new(Box::new(expr), DataType::Int64))
}
