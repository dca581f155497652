//! Going on behind a place within one moment, of which a segment may have any number of events.

use reflow_trace::TraceEvent;
use reflow_trace::api::{Cursor, Work};
use reflow_trace::event::ProducerId;
use reflow_trace::query::TraceQuery;
use tempfile::TempDir;

use super::{asking, directory, view};
use crate::store::conformance::{batch_of, block_on};
use crate::store::embedded::{EmbeddedStore, Settings};
use crate::store::{Found, Scan, Snapshot, Store};

const MOMENT_NS: i64 = 1_750_000_000_000_000_000;
/// The events of each batch: pages begin in the middle of one, and one is no page long.
const BATCHES: [usize; 3] = [5_000, 10, 9_000];

/// One segment of some batches, of which every event is of the same moment.
fn filled() -> (TempDir, EmbeddedStore) {
    let directory = directory();
    let store = EmbeddedStore::open(Settings::new(directory.path()));
    let store = store.expect("the directory can be used");
    for (events, number) in BATCHES.into_iter().zip(1..) {
        let events: Vec<_> = (0..events)
            .map(|_| TraceEvent {
                timestamp: chrono::DateTime::from_timestamp_nanos(MOMENT_NS),
                ..TraceEvent::data_flow("reader", "out", "store", "in", "Reading", 8)
            })
            .collect();
        let batch = batch_of(&events, ProducerId::from_bits(7), 1, number);
        block_on(store.commit(vec![batch])).expect("there is room");
    }
    block_on(store.seal_all(0)).expect("there is room");
    assert_eq!(store.stats().segments, 1);
    (directory, store)
}

/// What comes first behind a place, and what it has cost.
fn found(
    view: &dyn Snapshot,
    after: Option<Cursor>,
    newest_first: bool,
    most: usize,
) -> (Vec<Found>, Work) {
    let asking = asking();
    let query = TraceQuery::default().compile();
    let scan = Scan {
        after,
        newest_first,
        most,
        ..Scan::new(query.expect("it asks for everything"))
    };
    let found: Result<Vec<_>, _> = view.scan(&scan, &asking).take(most).collect();
    (found.expect("it can be read"), asking.work())
}

#[test]
fn going_on_within_one_moment_reads_no_more_than_beginning_there() {
    let (_directory, store) = filled();
    let view = view(&store);
    for newest_first in [false, true] {
        let (all, _) = found(&*view, None, newest_first, usize::MAX);
        let count = all.len();
        assert_eq!(count, BATCHES.into_iter().sum::<usize>());
        for passed in [
            0,
            1,
            3_990,
            4_999,
            5_000,
            5_009,
            5_010,
            8_191,
            8_192,
            9_000,
            13_999,
            14_008,
            count - 1,
        ] {
            let after = Some(all[passed].place);
            let (page, work) = found(&*view, after, newest_first, 5);
            let due: Vec<_> = all.iter().skip(passed + 1).take(5).collect();
            assert!(
                page.iter().eq(due),
                "newest first: {newest_first}, {passed}"
            );
            // Two pages to find the place, and then one or two: looked at, placed, and read whole.
            assert!(work.pages_read <= 9, "after {passed}: {work:?}");
        }
    }
}

#[test]
fn a_place_that_is_none_lies_between_others() {
    let (_directory, store) = filled();
    let view = view(&store);
    let count = BATCHES.into_iter().sum::<usize>();
    let place = |offset, row| Cursor {
        time_ns: MOMENT_NS,
        offset,
        row,
    };
    let at = |time_ns| Cursor {
        time_ns,
        ..place(2, 5)
    };
    for (after, before_it) in [
        (place(0, 77), 0),
        (place(1, 5_000), 5_000),
        (place(1, u32::MAX), 5_000),
        (place(2, 10), 5_010),
        (place(4, 0), count),
        (at(MOMENT_NS - 1), 0),
        (at(MOMENT_NS + 1), count),
        (at(i64::MIN), 0),
        (at(i64::MAX), count),
    ] {
        for (newest_first, due) in [(false, count - before_it), (true, before_it)] {
            let (rest, _) = found(&*view, Some(after), newest_first, usize::MAX);
            assert_eq!(rest.len(), due, "{after:?}, newest first: {newest_first}");
        }
    }
}
