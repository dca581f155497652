//! `edge_counters` and `losses`: what producers have counted themselves, of every message, recorded or not.

use std::fmt;
use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use datafusion::arrow::array::builder::{
    StringViewBuilder, TimestampNanosecondBuilder, UInt64Builder,
};
use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::catalog::Session;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::{TableProvider, TableType};
use datafusion::error::Result;
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;

use crate::store::ProducerLedgers;

/// A table of what producers have counted. Its rows are made when somebody reads it.
pub(super) struct Counters {
    ledgers: ProducerLedgers,
    schema: SchemaRef,
    rows: fn(&ProducerLedgers) -> Vec<ArrayRef>,
}

fn text(name: &str) -> Field {
    Field::new(name, DataType::Utf8View, false)
}

fn count(name: &str) -> Field {
    Field::new(name, DataType::UInt64, false)
}

fn seen() -> Field {
    let kind = DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()));
    Field::new("seen", kind, true)
}

static EDGES: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(Schema::new(vec![
        count("producer"),
        seen(),
        text("source_actor"),
        text("source_port"),
        text("destination_actor"),
        text("destination_port"),
        text("message_type"),
        count("messages"),
        count("bytes"),
        count("failures"),
        count("not_sampled"),
        count("received"),
        count("dropped"),
    ]))
});

static LOSSES: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(Schema::new(vec![
        count("producer"),
        seen(),
        text("reason"),
        count("count"),
    ]))
});

impl Counters {
    pub(super) fn of_edges(ledgers: ProducerLedgers) -> Self {
        Self {
            ledgers,
            schema: Arc::clone(&EDGES),
            rows: edges,
        }
    }

    pub(super) fn of_losses(ledgers: ProducerLedgers) -> Self {
        Self {
            ledgers,
            schema: Arc::clone(&LOSSES),
            rows: losses,
        }
    }
}

fn times() -> TimestampNanosecondBuilder {
    TimestampNanosecondBuilder::new().with_timezone("UTC")
}

/// When a batch was committed last, where one was.
fn known(seen_ns: i64) -> Option<i64> {
    (seen_ns != i64::MIN).then_some(seen_ns)
}

fn edges(ledgers: &ProducerLedgers) -> Vec<ArrayRef> {
    let mut seen = times();
    let mut producers = UInt64Builder::new();
    let mut names: [StringViewBuilder; 5] = Default::default();
    let mut counts: [UInt64Builder; 6] = Default::default();
    for ledger in ledgers.iter() {
        for edge in ledger.counters.iter().flat_map(|all| &all.edges) {
            producers.append_value(ledger.producer.bits());
            seen.append_option(known(ledger.seen_ns));
            let texts = [
                &edge.from_actor,
                &edge.from_port,
                &edge.to_actor,
                &edge.to_port,
                &edge.message_type,
            ];
            for (builder, text) in names.iter_mut().zip(texts) {
                builder.append_value(text);
            }
            let numbers = [
                edge.messages,
                edge.bytes,
                edge.failures,
                edge.not_sampled,
                edge.received,
                edge.dropped,
            ];
            for (builder, number) in counts.iter_mut().zip(numbers) {
                builder.append_value(number);
            }
        }
    }
    let mut columns = finished(producers, seen, names);
    columns.extend(counts.map(|mut builder| Arc::new(builder.finish()) as ArrayRef));
    columns
}

fn losses(ledgers: &ProducerLedgers) -> Vec<ArrayRef> {
    let mut seen = times();
    let mut producers = UInt64Builder::new();
    let mut reasons = StringViewBuilder::new();
    let mut counts = UInt64Builder::new();
    for ledger in ledgers.iter() {
        for (reason, count) in &ledger.losses {
            producers.append_value(ledger.producer.bits());
            seen.append_option(known(ledger.seen_ns));
            reasons.append_value(reason.name());
            counts.append_value(*count);
        }
    }
    let mut columns = finished(producers, seen, [reasons]);
    columns.push(Arc::new(counts.finish()));
    columns
}

/// Who, when, and the names.
fn finished<const N: usize>(
    mut producers: UInt64Builder,
    mut seen: TimestampNanosecondBuilder,
    names: [StringViewBuilder; N],
) -> Vec<ArrayRef> {
    let mut columns: Vec<ArrayRef> = vec![Arc::new(producers.finish()), Arc::new(seen.finish())];
    columns.extend(names.map(|mut builder| Arc::new(builder.finish()) as ArrayRef));
    columns
}

impl fmt::Debug for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Counters")
    }
}

#[async_trait]
impl TableProvider for Counters {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let rows = RecordBatch::try_new(Arc::clone(&self.schema), (self.rows)(&self.ledgers))?;
        let partitions = [vec![rows]];
        Ok(MemorySourceConfig::try_new_exec(
            &partitions,
            Arc::clone(&self.schema),
            projection.cloned(),
        )?)
    }
}
