//! The tests that every store has to pass, for the tests of any store.
//!
//! A store says by a [`Subject`] how it is opened, and the macro [`store_conformance`](crate::store_conformance) makes one test of each
//! check. They ask what the contract in the header of [`store`](crate::store) promises; the last of them
//! runs random sequences against the model, from seeds that are printed.
//!
//! ```
//! use std::sync::Arc;
//!
//! use reflow_trace_server::store::Store;
//! use reflow_trace_server::store::conformance::Subject;
//! use reflow_trace_server::store::memory::MemoryStore;
//!
//! struct InMemory;
//!
//! impl Subject for InMemory {
//!     fn open(&mut self) -> Arc<dyn Store> {
//!         Arc::new(MemoryStore::new())
//!     }
//!
//!     fn is_durable(&self) -> bool {
//!         false
//!     }
//! }
//!
//! reflow_trace_server::store_conformance!(|| InMemory);
//! ```

mod batches;
mod compare;
mod contract;
mod lookups;
mod model;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

pub use batches::{Batches, batch_of};
pub use compare::assert_equal;
pub use contract::*;
pub use lookups::assert_same_answers;
pub use model::random_sequences_do_as_the_model_does;

use super::Store;

/// A store under test.
pub trait Subject {
    /// Opens the store: the first time an empty one, later the same again. What was opened before has been
    /// dropped, with all its snapshots.
    fn open(&mut self) -> Arc<dyn Store>;

    /// Whether what was stored is there when it is opened again.
    fn is_durable(&self) -> bool;
}

/// Makes a test of each check; the argument makes a new [`Subject`] with a store of its own.
#[macro_export]
macro_rules! store_conformance {
    ($make:expr) => {
        $crate::store_conformance! { $make;
            an_empty_store_holds_nothing,
            what_was_committed_comes_back_as_it_was,
            offsets_ascend_by_one,
            a_duplicate_is_stored_once,
            skipped_numbers_are_counted,
            an_empty_group_is_committed,
            a_snapshot_stays_as_it_is,
            a_snapshot_survives_maintenance,
            what_was_committed_is_there_after_opening_again,
            a_duplicate_is_known_after_opening_again,
            a_range_holds_what_is_in_it,
            what_is_asked_for_is_found_and_nothing_else,
            rollups_say_what_the_events_say,
            producers_are_told_by_what_counts_most,
            commits_from_many_threads_are_each_stored_once,
            random_sequences_do_as_the_model_does,
        }
    };
    ($make:expr; $($check:ident,)*) => {
        $(
            #[test]
            fn $check() {
                $crate::store::conformance::$check(&mut || Box::new($make()));
            }
        )*
    };
}

/// Makes a new subject, with a store of its own.
pub type Make<'a> = &'a mut dyn FnMut() -> Box<dyn Subject>;

/// Waits for a future on this thread.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}
