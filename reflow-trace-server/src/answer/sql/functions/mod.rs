//! The functions that a statement may use, by name.
//!
//! It is a list of what is there and not of what is forbidden: a function that a later version of the engine
//! brings is not there until somebody has thought about it. None reads a file, the environment or the name of
//! anything of the server, none makes rows, and those that make texts are
//! [`bounded`]. Left out for what they may take: `repeat`, `lpad` and `rpad` (memory without end),
//! `levenshtein` (time that grows with the square), `factorial`.

mod attribute;
mod bounded;
mod planner;

use std::sync::Arc;

use datafusion::logical_expr::planner::ExprPlanner;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};

use self::attribute::Attribute;
use self::bounded::Bounded;
pub(super) use self::bounded::Share;
use self::planner::Planner;

/// Functions of values.
pub(crate) const SCALAR: &[&str] = &[
    // Conditions and types.
    "arrow_cast",
    "arrow_typeof",
    "coalesce",
    "greatest",
    "least",
    "nullif",
    "nvl",
    "nvl2",
    // Time.
    "current_date",
    "current_time",
    "date_bin",
    "date_part",
    "date_trunc",
    "from_unixtime",
    "make_date",
    "make_time",
    "now",
    "to_char",
    "to_date",
    "to_local_time",
    "to_time",
    "to_timestamp",
    "to_timestamp_micros",
    "to_timestamp_millis",
    "to_timestamp_nanos",
    "to_timestamp_seconds",
    "to_unixtime",
    // Numbers.
    "abs",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cbrt",
    "ceil",
    "cos",
    "cosh",
    "cot",
    "degrees",
    "exp",
    "floor",
    "gcd",
    "isnan",
    "iszero",
    "lcm",
    "ln",
    "log",
    "log10",
    "log2",
    "nanvl",
    "pi",
    "power",
    "radians",
    "random",
    "round",
    "signum",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
    "trunc",
    // Texts.
    "ascii",
    "bit_length",
    "btrim",
    "character_length",
    "chr",
    "concat",
    "concat_ws",
    "contains",
    "ends_with",
    "find_in_set",
    "initcap",
    "left",
    "lower",
    "ltrim",
    "octet_length",
    "replace",
    "reverse",
    "right",
    "rtrim",
    "split_part",
    "starts_with",
    "strpos",
    "substr",
    "substr_index",
    "to_hex",
    "translate",
    "upper",
    // Patterns.
    "regexp_count",
    "regexp_instr",
    "regexp_like",
    "regexp_match",
    "regexp_replace",
];

/// Functions of many rows.
pub(crate) const AGGREGATE: &[&str] = &[
    "any_value",
    "approx_distinct",
    "approx_median",
    "approx_percentile_cont",
    "approx_percentile_cont_with_weight",
    "array_agg",
    "avg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "bool_and",
    "bool_or",
    "corr",
    "count",
    "covar_pop",
    "covar_samp",
    "first_value",
    "grouping",
    "last_value",
    "max",
    "median",
    "min",
    "nth_value",
    "percentile_cont",
    "regr_avgx",
    "regr_avgy",
    "regr_count",
    "regr_intercept",
    "regr_r2",
    "regr_slope",
    "regr_sxx",
    "regr_sxy",
    "regr_syy",
    "stddev",
    "stddev_pop",
    "string_agg",
    "sum",
    "var",
    "var_pop",
];

/// Functions of the rows around one.
pub(crate) const WINDOW: &[&str] = &[
    "cume_dist",
    "dense_rank",
    "first_value",
    "lag",
    "last_value",
    "lead",
    "nth_value",
    "ntile",
    "percent_rank",
    "rank",
    "row_number",
];

pub(super) fn scalar(share: &Share) -> Vec<Arc<ScalarUDF>> {
    let all = datafusion::functions::all_default_functions();
    let permitted = all
        .into_iter()
        .filter(|function| SCALAR.contains(&function.name()));
    let mut functions: Vec<_> = permitted
        .map(|function| Bounded::around(function, share))
        .collect();
    functions.push(Arc::new(ScalarUDF::new_from_impl(Attribute::new())));
    functions
}

pub(super) fn aggregate() -> Vec<Arc<AggregateUDF>> {
    let all = datafusion::functions_aggregate::all_default_aggregate_functions();
    all.into_iter()
        .filter(|function| AGGREGATE.contains(&function.name()))
        .collect()
}

pub(super) fn window() -> Vec<Arc<WindowUDF>> {
    let all = datafusion::functions_window::all_default_window_functions();
    all.into_iter()
        .filter(|function| WINDOW.contains(&function.name()))
        .collect()
}

/// What `EXTRACT`, `SUBSTRING`, `||` and the like become.
pub(super) fn planners(share: &Share) -> Vec<Arc<dyn ExprPlanner>> {
    vec![
        Arc::new(Planner::new(share)),
        Arc::new(datafusion::functions::core::planner::CoreFunctionPlanner::default()),
        Arc::new(datafusion::functions::datetime::planner::DatetimeFunctionPlanner),
        Arc::new(datafusion::functions::unicode::planner::UnicodeFunctionPlanner),
        Arc::new(datafusion::functions_aggregate::planner::AggregateFunctionPlanner),
        Arc::new(datafusion::functions_window::planner::WindowFunctionPlanner),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_in_the_lists_is_a_function_of_the_engine() {
        let found = scalar(&Share::default());
        for name in SCALAR {
            assert!(
                found.iter().any(|function| function.name() == *name),
                "{name}"
            );
        }
        let found = aggregate();
        for name in AGGREGATE {
            assert!(
                found.iter().any(|function| function.name() == *name),
                "{name}"
            );
        }
        let found = window();
        for name in WINDOW {
            assert!(
                found.iter().any(|function| function.name() == *name),
                "{name}"
            );
        }
    }
}
