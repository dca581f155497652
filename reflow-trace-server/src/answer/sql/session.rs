//! What the engine is given for one statement: tables, functions, limits, and nothing else.
//!
//! It is built from nothing rather than from the engine's defaults: no file format, no table function, no
//! object store, no disk to spill to, no `information_schema`, and only [`functions`](super::functions) that
//! were chosen.

use std::sync::Arc;

use datafusion::catalog::CatalogProviderList;
use datafusion::catalog::{CatalogProvider, MemoryCatalogProvider, MemoryCatalogProviderList};
use datafusion::catalog::{MemorySchemaProvider, SchemaProvider};
use datafusion::error::Result;
use datafusion::execution::SessionState;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::prelude::SessionConfig;

use super::functions::{self, Share};
use super::oversee::Oversee;
use super::table;
use crate::store::columns::Part;
use crate::store::{ProducerLedgers, Watch};

/// Names of what holds the tables; nobody has to write them.
const CATALOG: &str = "reflow";
const SCHEMA: &str = "trace";

/// The state of the engine for one statement, whose functions have this share of bytes each.
pub(super) fn state(
    parts: Vec<Arc<dyn Part>>,
    ledgers: &ProducerLedgers,
    watch: &Arc<dyn Watch>,
    memory_bytes_max: usize,
    partitions: usize,
    share: &Share,
) -> Result<SessionState> {
    let mut config = SessionConfig::new()
        .with_target_partitions(partitions)
        .with_default_catalog_and_schema(CATALOG, SCHEMA)
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(false);
    let options = config.options_mut();
    options.sql_parser.collect_spans = true;
    // As the column `timestamp` has it, so that `now()` is compared without a cast.
    options.execution.time_zone = Some("UTC".to_owned());
    options.explain.show_statistics = false;
    // It takes room for as many groups as a LIMIT names, before there is one and without counting it.
    options.optimizer.enable_topk_aggregation = false;

    let schema = MemorySchemaProvider::new();
    for (name, provider) in table::tables(parts, ledgers, watch) {
        schema.register_table(name.to_owned(), provider)?;
    }
    let catalog = MemoryCatalogProvider::new();
    catalog.register_schema(SCHEMA, Arc::new(schema))?;
    let catalogs = MemoryCatalogProviderList::new();
    catalogs.register_catalog(CATALOG.to_owned(), Arc::new(catalog));

    let no_disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(GreedyMemoryPool::new(memory_bytes_max)))
        .with_disk_manager_builder(no_disk)
        .build_arc()?;
    let mut rules = PhysicalOptimizer::new().rules;
    rules.push(Arc::new(Oversee::new(Arc::clone(watch))));
    let mut state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_catalog_list(Arc::new(catalogs))
        .with_expr_planners(functions::planners(share))
        .with_scalar_functions(functions::scalar(share))
        .with_aggregate_functions(functions::aggregate())
        .with_window_functions(functions::window())
        .with_physical_optimizer_rules(rules)
        .build();
    // What `now()` is for all of the statement.
    state.mark_start_execution();
    Ok(state)
}
