//! Values of the engine as JSON.
//!
//! How each kind is written stands in [`SqlAnswer`](reflow_trace::api::SqlAnswer): numbers as numbers, and
//! text where JSON has nothing of the kind.

use std::fmt::Write as _;

use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::array::types::{
    Decimal128Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::util::display::{ArrayFormatter, DurationFormat, FormatOptions};
use serde_json::{Map, Value};

/// How what has no form in JSON is written as text.
const FORMAT: FormatOptions<'static> = FormatOptions::new()
    .with_display_error(false)
    .with_duration_format(DurationFormat::ISO8601)
    .with_timestamp_format(Some("%Y-%m-%dT%H:%M:%S%.9f"))
    .with_timestamp_tz_format(Some("%Y-%m-%dT%H:%M:%S%.9fZ"));

/// A value of a column.
pub(super) fn json(array: &ArrayRef, at: usize) -> Result<Value, ArrowError> {
    if array.is_null(at) {
        return Ok(Value::Null);
    }
    macro_rules! number {
        ($kind:ty) => {
            array.as_primitive::<$kind>().value(at).into()
        };
    }
    Ok(match array.data_type() {
        DataType::Null => Value::Null,
        DataType::Boolean => array.as_boolean().value(at).into(),
        DataType::Int8 => number!(Int8Type),
        DataType::Int16 => number!(Int16Type),
        DataType::Int32 => number!(Int32Type),
        DataType::Int64 => number!(Int64Type),
        DataType::UInt8 => number!(UInt8Type),
        DataType::UInt16 => number!(UInt16Type),
        DataType::UInt32 => number!(UInt32Type),
        DataType::UInt64 => number!(UInt64Type),
        DataType::Float16 => float(f64::from(array.as_primitive::<Float16Type>().value(at))),
        DataType::Float32 => float(f64::from(array.as_primitive::<Float32Type>().value(at))),
        DataType::Float64 => float(array.as_primitive::<Float64Type>().value(at)),
        DataType::Utf8 => array.as_string::<i32>().value(at).into(),
        DataType::LargeUtf8 => array.as_string::<i64>().value(at).into(),
        DataType::Utf8View => array.as_string_view().value(at).into(),
        DataType::Binary => hex(array.as_binary::<i32>().value(at)).into(),
        DataType::LargeBinary => hex(array.as_binary::<i64>().value(at)).into(),
        DataType::BinaryView => hex(array.as_binary_view().value(at)).into(),
        DataType::FixedSizeBinary(_) => hex(array.as_fixed_size_binary().value(at)).into(),
        DataType::List(_) => list(&array.as_list::<i32>().value(at))?,
        DataType::LargeList(_) => list(&array.as_list::<i64>().value(at))?,
        DataType::FixedSizeList(..) => list(&array.as_fixed_size_list().value(at))?,
        DataType::Struct(fields) => {
            let members = array.as_struct();
            let mut object = Map::new();
            for (field, member) in fields.iter().zip(members.columns()) {
                object.insert(field.name().clone(), json(member, at)?);
            }
            Value::Object(object)
        }
        DataType::Dictionary(..) => match array.as_dictionary_opt::<Int32Type>() {
            Some(dictionary) => match usize::try_from(dictionary.keys().value(at)) {
                Ok(key) => json(dictionary.values(), key)?,
                Err(_) => Value::Null,
            },
            // No column of ours has other keys.
            None => text(array, at)?,
        },
        // The engine's type for sums of unsigned and signed numbers.
        DataType::Decimal128(_, 0) => {
            let whole = array.as_primitive::<Decimal128Type>().value(at);
            match (u64::try_from(whole), i64::try_from(whole)) {
                (Ok(whole), _) => whole.into(),
                (_, Ok(whole)) => whole.into(),
                _ => text(array, at)?,
            }
        }
        // Times, stretches of time, decimals and whatever else there is.
        _ => text(array, at)?,
    })
}

fn text(array: &ArrayRef, at: usize) -> Result<Value, ArrowError> {
    let format = ArrayFormatter::try_new(array, &FORMAT)?;
    Ok(format.value(at).try_to_string()?.into())
}

/// What is no number in JSON is a text.
fn float(number: f64) -> Value {
    match serde_json::Number::from_f64(number) {
        Some(number) => Value::Number(number),
        None if number.is_nan() => "NaN".into(),
        None if number > 0.0 => "Infinity".into(),
        None => "-Infinity".into(),
    }
}

fn list(values: &ArrayRef) -> Result<Value, ArrowError> {
    (0..values.len()).map(|at| json(values, at)).collect()
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing into a text cannot fail.
        let _written = write!(text, "{byte:02x}");
    }
    text
}

/// Bytes that a value takes as JSON, nearly.
pub(super) fn bytes(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(_) => 12,
        Value::String(text) => text.len() + 3,
        Value::Array(values) => 2 + values.iter().map(bytes).sum::<usize>(),
        Value::Object(members) => {
            let members = members.iter();
            2 + members
                .map(|(name, value)| name.len() + 4 + bytes(value))
                .sum::<usize>()
        }
    }
}

/// What SQL calls values of this kind.
pub(super) fn kind(data_type: &DataType) -> String {
    match data_type {
        DataType::Null => "NULL".to_owned(),
        DataType::Boolean => "BOOLEAN".to_owned(),
        DataType::Int8 => "TINYINT".to_owned(),
        DataType::Int16 => "SMALLINT".to_owned(),
        DataType::Int32 => "INTEGER".to_owned(),
        DataType::Int64 => "BIGINT".to_owned(),
        DataType::UInt8 => "TINYINT UNSIGNED".to_owned(),
        DataType::UInt16 => "SMALLINT UNSIGNED".to_owned(),
        DataType::UInt32 => "INTEGER UNSIGNED".to_owned(),
        DataType::UInt64 => "BIGINT UNSIGNED".to_owned(),
        DataType::Float16 | DataType::Float32 => "REAL".to_owned(),
        DataType::Float64 => "DOUBLE".to_owned(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "VARCHAR".to_owned(),
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => "BYTEA".to_owned(),
        DataType::Date32 | DataType::Date64 => "DATE".to_owned(),
        DataType::Time32(_) | DataType::Time64(_) => "TIME".to_owned(),
        DataType::Timestamp(_, None) => "TIMESTAMP".to_owned(),
        DataType::Timestamp(_, Some(_)) => "TIMESTAMP WITH TIME ZONE".to_owned(),
        DataType::Interval(_) | DataType::Duration(_) => "INTERVAL".to_owned(),
        DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
            format!("DECIMAL({precision}, {scale})")
        }
        DataType::List(of) | DataType::LargeList(of) | DataType::FixedSizeList(of, _) => {
            format!("{} ARRAY", kind(of.data_type()))
        }
        DataType::Dictionary(_, of) => kind(of),
        DataType::Struct(_) => "STRUCT".to_owned(),
        other => other.to_string(),
    }
}
