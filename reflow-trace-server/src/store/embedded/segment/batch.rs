//! A batch that is in no segment yet, as the columns that it will have there.
//!
//! Most batches know nothing in many of the columns. Such a column takes no memory of its own: all of them
//! share one stretch of zeros.

use std::sync::{Arc, LazyLock};

use arrow_array::types::{
    ArrowPrimitiveType, Float32Type, Float64Type, Int32Type, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, BinaryArray, DictionaryArray, FixedSizeBinaryArray, PrimitiveArray,
    RecordBatch, StringArray,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType};
use reflow_trace::wire::WireBatch;

use super::columns::Columns;
use crate::store::rollup::EdgeTable;

/// Bytes of zeros that are shared; enough for 65 536 rows of the widest column.
const ZEROS_BYTES: usize = 1 << 20;

static ZEROS: LazyLock<Buffer> = LazyLock::new(|| Buffer::from_vec(vec![0u8; ZEROS_BYTES]));

/// The rows of a batch in the order of their time, and of their place where it is the same.
pub(crate) fn columns_of(batch: &WireBatch, offset: u64) -> Result<RecordBatch, ArrowError> {
    let mut order: Vec<(i64, u32)> =
        std::iter::zip(batch.starts_ns().iter().copied(), 0..).collect();
    order.sort_unstable();
    let mut edges = EdgeTable::default();
    let mut columns = Columns::default();
    for (_, row) in order {
        let Some(row) = batch.row(row as usize) else {
            continue;
        };
        let number = edges.number(&row.edge);
        columns.push(offset, &row, number, &edges.edges()[number as usize])?;
    }
    let full = columns.finish()?;
    let rows = full.num_rows();
    let schema = full.schema();
    let arrays = full.columns().iter().map(|array| {
        let is_empty = array.null_count() == rows;
        let shared = is_empty.then(|| nothing(array.data_type(), rows)).flatten();
        shared.unwrap_or_else(|| array.clone())
    });
    RecordBatch::try_new(schema, arrays.collect())
}

/// Bytes of memory that these columns take, without what is shared.
pub(crate) fn memory_bytes(columns: &RecordBatch) -> usize {
    let rows = columns.num_rows();
    let arrays = columns.columns().iter();
    let own = arrays.filter(|array| array.null_count() < rows);
    own.map(|array| array.get_buffer_memory_size()).sum()
}

/// A column of nulls; `None` where there are too many.
fn nothing(kind: &DataType, rows: usize) -> Option<ArrayRef> {
    if 16 * (rows + 1) > ZEROS_BYTES {
        return None;
    }
    let nulls = NullBuffer::new(BooleanBuffer::new(ZEROS.clone(), 0, rows));
    Some(match kind {
        DataType::UInt8 => primitive::<UInt8Type>(rows, nulls),
        DataType::UInt16 => primitive::<UInt16Type>(rows, nulls),
        DataType::UInt32 => primitive::<UInt32Type>(rows, nulls),
        DataType::UInt64 => primitive::<UInt64Type>(rows, nulls),
        DataType::Float32 => primitive::<Float32Type>(rows, nulls),
        DataType::Float64 => primitive::<Float64Type>(rows, nulls),
        DataType::Dictionary(..) => {
            let keys = PrimitiveArray::<Int32Type>::new(zeros(rows), Some(nulls));
            let values = Arc::new(StringArray::new_null(0));
            Arc::new(DictionaryArray::try_new(keys, values).ok()?)
        }
        DataType::FixedSizeBinary(16) => {
            let bytes = ZEROS.slice_with_length(0, 16 * rows);
            Arc::new(FixedSizeBinaryArray::try_new(16, bytes, Some(nulls)).ok()?)
        }
        DataType::Utf8 => Arc::new(StringArray::new(offsets(rows), empty(), Some(nulls))),
        DataType::Binary => Arc::new(BinaryArray::new(offsets(rows), empty(), Some(nulls))),
        _ => return None,
    })
}

fn primitive<T: ArrowPrimitiveType>(rows: usize, nulls: NullBuffer) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::new(zeros(rows), Some(nulls)))
}

fn zeros<N: arrow_buffer::ArrowNativeType>(rows: usize) -> ScalarBuffer<N> {
    ScalarBuffer::new(ZEROS.clone(), 0, rows)
}

fn offsets(rows: usize) -> OffsetBuffer<i32> {
    OffsetBuffer::new(zeros(rows + 1))
}

fn empty() -> Buffer {
    ZEROS.slice_with_length(0, 0)
}
