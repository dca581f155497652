//! The columns of a segment, and how each is encoded.
//!
//! Which encoding a column has was measured, on five-hop traces and on random events, by the benchmark
//! `store`, which prints the bytes of each.

use std::sync::{Arc, LazyLock};

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::schema::types::ColumnPath;

/// Rows of a page: what has to be decoded to see one row.
pub(crate) const PAGE_ROWS: usize = 8_192;
/// Rows of a row group: what one bloom filter answers for, and what a question that it does not exclude looks
/// through. A multiple of a page, so that pages begin at multiples of their rows.
const GROUP_ROWS: usize = 1 << 17;
/// Share of wrong answers of a bloom filter.
const BLOOM_FALSE: f64 = 0.01;

/// How a column is encoded before zstd.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Coding {
    /// Few different values: numbers into a dictionary.
    Dictionary,
    /// Differences to the value before, packed to the width of the largest of 32.
    Delta,
    /// As it is.
    Plain,
}

/// The columns with Bloom filters.
pub(super) fn with_bloom() -> impl Iterator<Item = Place> {
    let all = std::iter::zip(Place::ALL, columns());
    all.filter(|(_, column)| column.search == Search::Bloom)
        .map(|(&place, _)| place)
}

/// Whether a column can be searched for one value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Search {
    Bloom,
    None,
}

struct Column {
    name: &'static str,
    kind: DataType,
    is_nullable: bool,
    coding: Coding,
    search: Search,
}

/// Places of the columns; the order of [`columns`].
macro_rules! columns {
    ($($name:ident: $kind:expr, $nullable:expr, $coding:ident, $search:ident;)*) => {
        /// The columns of an event as it is stored, by name; what each holds stands in the table of
        /// [`columns`](crate::store::columns).
        #[expect(non_camel_case_types, reason = "each is the name of a column")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Place {
            $(#[doc = concat!("`", stringify!($name), "`")] $name),*
        }

        impl Place {
            /// Every column, in the order of the schema.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }
        }

        fn columns() -> Vec<Column> {
            vec![$(Column {
                name: stringify!($name),
                kind: $kind,
                is_nullable: $nullable,
                coding: Coding::$coding,
                search: Search::$search,
            }),*]
        }
    };
}

fn text() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

const ID: DataType = DataType::FixedSizeBinary(16);

columns! {
    time_ns: DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())), false, Delta, None;
    offset: DataType::UInt64, false, Dictionary, None;
    producer: DataType::UInt64, true, Dictionary, None;
    ring: DataType::UInt32, true, Dictionary, None;
    sequence: DataType::UInt64, true, Delta, None;
    event_id: ID, true, Plain, Bloom;
    kind: DataType::UInt8, false, Dictionary, None;
    outcome: DataType::UInt8, true, Dictionary, None;
    flags: DataType::UInt16, false, Dictionary, None;
    duration_ns: DataType::UInt64, true, Delta, None;
    from_actor: text(), false, Dictionary, None;
    from_port: text(), false, Dictionary, None;
    to_actor: text(), false, Dictionary, None;
    to_port: text(), false, Dictionary, None;
    protocol: text(), false, Dictionary, None;
    compression: text(), false, Dictionary, None;
    message_type: text(), true, Dictionary, None;
    size_bytes: DataType::UInt64, true, Dictionary, None;
    queue_depth: DataType::UInt64, true, Dictionary, None;
    waiting_ns: DataType::UInt64, true, Delta, None;
    memory_bytes: DataType::UInt64, true, Dictionary, None;
    cpu_percent: DataType::Float32, true, Dictionary, None;
    throughput: DataType::Float64, true, Dictionary, None;
    parent_producer: DataType::UInt64, true, Dictionary, None;
    parent_ring: DataType::UInt32, true, Dictionary, None;
    parent_sequence: DataType::UInt64, true, Delta, None;
    parent_id: ID, true, Plain, Bloom;
    trace_producer: DataType::UInt64, true, Dictionary, None;
    trace_ring: DataType::UInt32, true, Dictionary, None;
    trace_number: DataType::UInt64, true, Delta, Bloom;
    trace_id: ID, true, Dictionary, Bloom;
    randomness: DataType::UInt64, true, Dictionary, None;
    hops: DataType::UInt8, true, Dictionary, None;
    threshold: DataType::UInt64, true, Dictionary, None;
    message_prefix: text(), true, Dictionary, None;
    message_width: DataType::UInt8, true, Dictionary, None;
    message_number: DataType::UInt64, true, Delta, Bloom;
    message_uuid: ID, true, Dictionary, Bloom;
    message_text: DataType::Utf8, true, Dictionary, Bloom;
    message_other: DataType::Utf8, true, Plain, Bloom;
    sections: DataType::Binary, true, Plain, None;
}

impl Place {
    /// What makes up the id of the event.
    pub const EVENT: [Self; 4] = [Self::producer, Self::ring, Self::sequence, Self::event_id];
    /// What makes up the id of its direct cause.
    pub const CAUSE: [Self; 4] = [
        Self::parent_producer,
        Self::parent_ring,
        Self::parent_sequence,
        Self::parent_id,
    ];
    /// What makes up the id of its trace.
    pub const TRACE: [Self; 4] = [
        Self::trace_producer,
        Self::trace_ring,
        Self::trace_number,
        Self::trace_id,
    ];
}

/// The columns as arrow has them, in the order of [`Place`].
pub static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let fields = columns()
        .into_iter()
        .map(|column| Field::new(column.name, column.kind, column.is_nullable));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
});

/// Key and value by which a reader knows the format.
pub(crate) const FORMAT: (&str, &str) = ("reflow_trace.format", "2");

const fn ascending(place: Place) -> SortingColumn {
    SortingColumn {
        column_idx: place as i32,
        descending: false,
        nulls_first: false,
    }
}

/// How a segment of so many rows is written.
pub(crate) fn properties(rows: u64) -> WriterProperties {
    let zstd = ZstdLevel::try_new(3).unwrap_or_default();
    let mut properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_2_0)
        .set_created_by(concat!("reflow-trace-server ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(zstd))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_write_batch_size(1_024)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_sorting_columns(Some(vec![
            ascending(Place::time_ns),
            ascending(Place::offset),
        ]))
        .set_key_value_metadata(Some(vec![KeyValue::new(
            FORMAT.0.to_owned(),
            FORMAT.1.to_owned(),
        )]));
    for place in [Place::message_other, Place::sections] {
        // Nobody looks for what lies between two of them.
        let path = ColumnPath::from(SCHEMA.field(place as usize).name().as_str());
        properties = properties.set_column_statistics_enabled(path, EnabledStatistics::None);
    }
    for column in columns() {
        let path = ColumnPath::from(column.name);
        properties = match column.coding {
            Coding::Dictionary => properties.set_column_dictionary_enabled(path.clone(), true),
            coding => {
                let encoding = match coding {
                    Coding::Delta => Encoding::DELTA_BINARY_PACKED,
                    Coding::Dictionary | Coding::Plain => Encoding::PLAIN,
                };
                properties
                    .set_column_dictionary_enabled(path.clone(), false)
                    .set_column_encoding(path.clone(), encoding)
            }
        };
        if column.search == Search::Bloom {
            properties = properties
                .set_column_bloom_filter_enabled(path.clone(), true)
                // It is folded to what it holds in the end.
                .set_column_bloom_filter_max_ndv(path.clone(), rows.clamp(1, GROUP_ROWS as u64))
                .set_column_bloom_filter_fpp(path, BLOOM_FALSE);
        }
    }
    properties.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_the_schema() {
        assert_eq!(SCHEMA.field(Place::time_ns as usize).name(), "time_ns");
        assert_eq!(
            SCHEMA.field(Place::trace_number as usize).name(),
            "trace_number"
        );
        assert_eq!(Place::sections as usize + 1, SCHEMA.fields().len());
    }
}
