//! `data_flow_events` and `trace_events` as the engine sees them.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::Session;
use datafusion::datasource::{TableProvider, TableType};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;

use super::column::{EventColumn, SCHEMA, View};
use super::pushed::Pushed;
use super::scan::EventsScan;
use crate::store::Watch;
use crate::store::columns::Part;

/// A view of the events of a snapshot.
pub(super) struct EventsTable {
    view: View,
    parts: Arc<[Arc<dyn Part>]>,
    watch: Arc<dyn Watch>,
}

impl EventsTable {
    pub(super) fn new(view: View, parts: Arc<[Arc<dyn Part>]>, watch: Arc<dyn Watch>) -> Self {
        Self { view, parts, watch }
    }
}

impl fmt::Debug for EventsTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.view.name())
    }
}

#[async_trait]
impl TableProvider for EventsTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&SCHEMA)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let understood = filters.iter().map(|filter| {
            if Pushed::understands(self.view, filter) {
                TableProviderFilterPushDown::Inexact
            } else {
                TableProviderFilterPushDown::Unsupported
            }
        });
        Ok(understood.collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all: Vec<EventColumn> = EventColumn::all().collect();
        let columns: Vec<EventColumn> = match projection {
            Some(places) => places.iter().map(|&place| all[place]).collect(),
            None => all,
        };
        let partitions = state.config().target_partitions();
        Ok(Arc::new(EventsScan::new(
            self.view,
            Arc::clone(&self.parts),
            Arc::clone(&self.watch),
            columns,
            Pushed::of(self.view, filters),
            // A row that is not wanted may be among the first.
            limit.filter(|_| filters.is_empty()),
            partitions,
        )?))
    }
}
