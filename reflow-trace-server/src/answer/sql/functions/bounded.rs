//! Functions that make texts, with a bound.
//!
//! The memory of the engine's sorting, grouping and joining is counted, that of a function is not: a
//! statement that joins a text with itself forty times, or that joins six hundred texts beside each other, would
//! take all there is before anybody notices. So what such a function can make at most is counted from its
//! arguments before it makes anything, and the calls of a statement share an amount.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::arrow::array::Array;
use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::compute::{is_null, nullif};
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::config::ConfigOptions;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

/// Bytes of text that a function may make of some thousand rows.
const BYTES_MAX: usize = 64 << 20;
/// The same of all calls in a statement together: one step makes the texts of all its columns at one time.
const STATEMENT_BYTES_MAX: usize = 512 << 20;

/// Bytes that one call may make. The functions are there before it is known how many calls there are.
#[derive(Clone, Debug)]
pub(crate) struct Share(Arc<AtomicUsize>);

/// A function that is asked first how much it would make.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Bounded {
    inner: Arc<ScalarUDF>,
    aliases: Vec<String>,
    share: Share,
    /// It is `||`: null where one of its arguments is, which `concat` takes for an empty text.
    joins: bool,
}

impl Default for Share {
    fn default() -> Self {
        Self(Arc::new(AtomicUsize::new(BYTES_MAX)))
    }
}

impl Share {
    /// So many calls share what there is.
    pub(in super::super) fn divide(&self, calls: usize) {
        let bytes = (STATEMENT_BYTES_MAX / calls.max(1)).min(BYTES_MAX);
        self.0.store(bytes, Ordering::Relaxed);
    }

    fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

// It belongs to the statement and is no part of what a function does: two calls are equal without it.
impl PartialEq for Share {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Share {}

impl Hash for Share {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl Bounded {
    /// The function as it is, or with its bound where it makes texts.
    pub(super) fn around(function: Arc<ScalarUDF>, share: &Share) -> Arc<ScalarUDF> {
        if most(function.name(), &[], 0).is_none() {
            return function;
        }
        let aliases = function.aliases().to_vec();
        Arc::new(ScalarUDF::new_from_impl(Self {
            inner: function,
            aliases,
            share: share.clone(),
            joins: false,
        }))
    }

    /// The function of the operator `||`.
    pub(super) fn joining(share: &Share) -> Self {
        Self {
            inner: datafusion::functions::string::concat(),
            aliases: Vec::new(),
            share: share.clone(),
            joins: true,
        }
    }

    fn written(args: &[Expr]) -> String {
        let args: Vec<_> = args
            .iter()
            .map(|arg| arg.schema_name().to_string())
            .collect();
        args.join(" || ")
    }
}

/// The bytes that a function makes at most; `None` where it makes no texts, or refers to those that it gets.
fn most(name: &str, args: &[ColumnarValue], rows: usize) -> Option<usize> {
    let bytes = |at: usize| args.get(at).map_or(0, |arg| bytes_of(arg, rows));
    let all = || (0..args.len()).map(bytes).fold(0, usize::saturating_add);
    // A letter may become a whole replacement, and so may the gap behind it.
    let replaced = |at: usize| {
        let letters = bytes(0).saturating_add(rows);
        letters.saturating_mul(longest(args.get(at)).saturating_add(1))
    };
    match name {
        "concat" => Some(all()),
        "concat_ws" => {
            let between = bytes(0).saturating_mul(args.len());
            Some(all().saturating_add(between))
        }
        "replace" => Some(replaced(2)),
        // `\0` stands for all that was found.
        "regexp_replace" => Some(replaced(2).saturating_add(bytes(0).saturating_mul(8))),
        "to_char" => Some(rows.saturating_mul(longest(args.get(1)).saturating_mul(32))),
        // Another case may have three times the bytes.
        "upper" | "lower" | "initcap" => Some(bytes(0).saturating_mul(3)),
        "reverse" | "translate" | "regexp_match" | "split_part" | "substr_index" | "left"
        | "right" | "substr" | "btrim" | "ltrim" | "rtrim" => Some(bytes(0)),
        "nullif" | "greatest" | "least" => Some(all()),
        // `coalesce` and its like, and casts, become terms of the engine; pieces are cut for those.
        _ => None,
    }
}

fn bytes_of(arg: &ColumnarValue, rows: usize) -> usize {
    match arg {
        ColumnarValue::Array(array) => text_bytes(array),
        ColumnarValue::Scalar(scalar) => text_of(scalar).saturating_mul(rows),
    }
}

fn text_of(scalar: &ScalarValue) -> usize {
    match scalar {
        ScalarValue::Utf8(Some(text))
        | ScalarValue::Utf8View(Some(text))
        | ScalarValue::LargeUtf8(Some(text)) => text.len(),
        ScalarValue::Dictionary(_, inner) => text_of(inner),
        _ => 32,
    }
}

/// Bytes of the texts of a column, each as often as it stands there.
fn text_bytes(array: &datafusion::arrow::array::ArrayRef) -> usize {
    match array.data_type() {
        DataType::Utf8View => {
            let lengths = array.as_string_view().lengths();
            lengths.fold(0, |all, length| all.saturating_add(length as usize))
        }
        DataType::Utf8 => array.as_string::<i32>().value_data().len(),
        DataType::LargeUtf8 => array.as_string::<i64>().value_data().len(),
        DataType::Dictionary(..) => array.len().saturating_mul(longest_in(array)),
        _ => array.len().saturating_mul(32),
    }
}

fn longest(arg: Option<&ColumnarValue>) -> usize {
    match arg {
        None => 0,
        Some(ColumnarValue::Scalar(scalar)) => text_of(scalar),
        Some(ColumnarValue::Array(array)) => longest_in(array),
    }
}

fn longest_in(array: &datafusion::arrow::array::ArrayRef) -> usize {
    match array.data_type() {
        DataType::Utf8View => array.as_string_view().lengths().max().unwrap_or(0) as usize,
        DataType::Dictionary(..) => array
            .as_any_dictionary_opt()
            .map_or(0, |dictionary| longest_in(dictionary.values())),
        // All of them together are no shorter.
        DataType::Utf8 => array.as_string::<i32>().value_data().len(),
        DataType::LargeUtf8 => array.as_string::<i64>().value_data().len(),
        _ => 32,
    }
}

impl ScalarUDFImpl for Bounded {
    fn name(&self) -> &str {
        if self.joins { "||" } else { self.inner.name() }
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        match self.joins {
            true => Ok(Self::written(args)),
            false => self.inner.schema_name(args),
        }
    }

    fn display_name(&self, args: &[Expr]) -> Result<String> {
        self.schema_name(args)
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, kinds: &[DataType]) -> Result<DataType> {
        self.inner.return_type(kinds)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.inner.return_field_from_args(args)
    }

    fn coerce_types(&self, kinds: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(kinds)
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        let inner = self.inner.inner().with_updated_config(config)?;
        Some(ScalarUDF::new_from_impl(Self {
            inner: Arc::new(inner),
            aliases: self.aliases.clone(),
            share: self.share.clone(),
            joins: self.joins,
        }))
    }

    fn simplify(&self, args: Vec<Expr>, _: &SimplifyContext) -> Result<ExprSimplifyResult> {
        // What the function would become might be without the bound.
        Ok(ExprSimplifyResult::Original(args))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows.max(1);
        let share = self.share.bytes();
        if most(self.inner.name(), &args.args, rows).is_some_and(|most| most > share) {
            return Err(DataFusionError::Execution(format!(
                "`{}` may make more than its share of {} KiB of text of {rows} rows: shorten its arguments, with `left(…, 1000)` for example, or call fewer functions",
                self.name(),
                share >> 10,
            )));
        }
        if !self.joins {
            return self.inner.invoke_with_args(args);
        }
        let sides = args.args.clone();
        without(self.inner.invoke_with_args(args)?, &sides)
    }
}

/// Nothing where one of the sides is nothing.
fn without(joined: ColumnarValue, sides: &[ColumnarValue]) -> Result<ColumnarValue> {
    let mut joined = joined;
    for side in sides {
        joined = match (joined, side) {
            (ColumnarValue::Scalar(text), ColumnarValue::Scalar(side)) if side.is_null() => {
                ColumnarValue::Scalar(ScalarValue::try_from(&text.data_type())?)
            }
            (ColumnarValue::Array(texts), ColumnarValue::Scalar(side)) if side.is_null() => {
                ColumnarValue::Scalar(ScalarValue::try_from(texts.data_type())?)
            }
            (ColumnarValue::Array(texts), ColumnarValue::Array(side)) if side.null_count() > 0 => {
                ColumnarValue::Array(nullif(&texts, &is_null(side)?)?)
            }
            (joined, _) => joined,
        };
    }
    Ok(joined)
}
