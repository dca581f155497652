//! A store that lives outside the package, made of nothing but what is public, keeps the contract.
//!
//! It is also how one is begun: a thread that owns what is written, futures that wait for its answers, a snapshot that
//! shares what is in memory. What it has not is sealing, retention, and an answer to very many batches.

mod store;

use std::sync::Arc;

use reflow_trace::TraceEvent;
use reflow_trace::event::ProducerId;
use reflow_trace_server::store::conformance::{Subject, batch_of, block_on};
use reflow_trace_server::store::{Committed, Store, StoreError};
use store::FileStore;
use tempfile::TempDir;

struct InFiles(TempDir);

impl InFiles {
    fn new() -> Self {
        Self(TempDir::new().expect("a directory can be made"))
    }
}

impl Subject for InFiles {
    fn open(&mut self) -> Arc<dyn Store> {
        Arc::new(FileStore::open(self.0.path()).unwrap_or_else(|error| panic!("{error}")))
    }

    fn is_durable(&self) -> bool {
        true
    }
}

mod conformance {
    use super::InFiles;

    reflow_trace_server::store_conformance!(InFiles::new);
}

#[test]
fn what_is_damaged_is_named_in_the_words_of_the_package() {
    let mut subject = InFiles::new();
    let store = subject.open();
    let event = [TraceEvent::message_sent("a", "out", "T", 1)];
    let batch = batch_of(&event, ProducerId::from_bits(3), 1, 1);
    let committed = block_on(store.commit(vec![batch])).expect("there is room");
    assert_eq!(committed, [Committed::Stored { offset: 1 }]);
    drop(store);
    let file = subject.0.path().join("0000000000000001.group");
    std::fs::write(&file, b"something else").expect("it can be written");
    let error = FileStore::open(subject.0.path()).err();
    let Some(StoreError::Damaged { place, .. }) = error else {
        panic!("{error:?}");
    };
    assert_eq!(place, file.display().to_string());
}
