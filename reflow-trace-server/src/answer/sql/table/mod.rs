//! The tables of SQL, over what a snapshot holds.
//!
//! | table | a row is |
//! | --- | --- |
//! | `data_flow_events` | a message that arrived, as its event says |
//! | `trace_events` | an event of any kind |
//! | `edge_counters` | the messages of one type over one edge, as one producer has counted them |
//! | `losses` | the events that one producer has lost for one reason |

mod column;
mod counters;
mod events;
mod pushed;
mod rows;
mod scan;

use std::sync::Arc;

use datafusion::datasource::TableProvider;

use self::column::View;
use self::counters::Counters;
use self::events::EventsTable;
use crate::store::columns::Part;
use crate::store::{ProducerLedgers, Watch};

/// The names of all tables.
pub(super) const NAMES: [&str; 4] = [
    "data_flow_events",
    "trace_events",
    "edge_counters",
    "losses",
];

/// Every table with its name.
pub(super) fn tables(
    parts: Vec<Arc<dyn Part>>,
    ledgers: &ProducerLedgers,
    watch: &Arc<dyn Watch>,
) -> [(&'static str, Arc<dyn TableProvider>); 4] {
    let parts: Arc<[_]> = parts.into();
    let events = |view| {
        Arc::new(EventsTable::new(
            view,
            Arc::clone(&parts),
            Arc::clone(watch),
        )) as Arc<dyn TableProvider>
    };
    let [flows, all, counters, losses] = NAMES;
    [
        (flows, events(View::DataFlows)),
        (all, events(View::Everything)),
        (counters, Arc::new(Counters::of_edges(ledgers.clone()))),
        (losses, Arc::new(Counters::of_losses(ledgers.clone()))),
    ]
}
