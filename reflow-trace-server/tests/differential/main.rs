//! The same events and the same conditions through three evaluations: ours over segments and tail, ours over events
//! in memory, and SQLite's over a table.
//!
//! What differs on purpose, and what the generator therefore leaves out: SQLite has no whole numbers above
//! 2⁶³ − 1; its LIKE and its texts end at a NUL; and a time that nanoseconds since 1970 cannot hold in 64 bits has no
//! column there. Texts are compared by their bytes in both, `LIKE` tells upper and lower case apart (a pragma of
//! SQLite), and an attribute is compared with its own kind only, which the translation spells out.
//!
//! `REFLOW_TRACE_FILTER_CASES` asks for more cases, `REFLOW_TRACE_FILTER_SEED` for other ones.

mod data;
mod filters;
#[path = "../recording/mod.rs"]
mod recording;
mod sqlite;

use std::collections::BTreeMap;

use reflow_trace::TraceEvent;
use reflow_trace::api::Cursor;
use reflow_trace::query::TraceQuery;
use reflow_trace::query::filter::Filter;
use reflow_trace_server::store::embedded::{EmbeddedStore, Settings};
use reflow_trace_server::store::{Scan, Snapshot, Store, TimeRange, Unwatched};

const CASES: u64 = 60;

fn number(variable: &str, default: u64) -> u64 {
    let given = std::env::var(variable).ok();
    given
        .and_then(|given| given.parse().ok())
        .unwrap_or(default)
}

#[test]
fn sqlite_and_both_of_ours_find_the_same() {
    let seed = number("REFLOW_TRACE_FILTER_SEED", 1);
    let directory = tempfile::tempdir().expect("a directory can be made");
    let store = EmbeddedStore::open(Settings {
        seal_events: 700,
        merge_fan: 0,
        ..Settings::new(directory.path())
    });
    let store = store.expect("the directory can be used");
    let admitted = data::batches(&mut fastrand::Rng::with_seed(seed));
    let (sealed, tail) = admitted.split_at(admitted.len() * 2 / 3);
    data::block_on(async {
        store.commit(sealed.to_vec()).await.expect("there is room");
        store.seal_all(0).await.expect("there is room");
        store.commit(tail.to_vec()).await.expect("there is room");
    });
    let stats = store.stats();
    assert!(stats.segments > 2 && stats.tail_events > 300, "{stats:?}");
    let view = store.view();
    let events: Vec<TraceEvent> = view
        .events(TimeRange::ALL)
        .collect::<Result<_, _>>()
        .expect("every event can be read");
    let table = sqlite::Table::of(&events);
    let (mut found_some, mut found_none) = (0, 0);
    for case in 0..number("REFLOW_TRACE_FILTER_CASES", CASES) {
        let mut random = fastrand::Rng::with_seed(seed.wrapping_mul(1_000_003) ^ case);
        let filter = filters::filter(&events, &mut random);
        let context = format!("seed {seed}, case {case}: {filter}");
        let due = table.select(filter.expr());
        assert_eq!(in_memory(&events, &filter), due, "{context}");
        assert_eq!(
            stored(&*view, &events, &filter, &mut random),
            due,
            "{context}"
        );
        *if due.is_empty() {
            &mut found_none
        } else {
            &mut found_some
        } += 1;
    }
    println!("seed {seed}: {found_some} conditions found something, {found_none} nothing");
    assert!(
        found_some > found_none / 4,
        "the conditions know the events"
    );
}

/// Places of the events that match.
fn in_memory(events: &[TraceEvent], filter: &Filter) -> Vec<usize> {
    let places = events.iter().enumerate();
    places
        .filter(|(_, event)| filter.matches(*event))
        .map(|(place, _)| place)
        .collect()
}

/// The same through the columns, forwards or backwards.
fn stored(
    view: &dyn Snapshot,
    events: &[TraceEvent],
    filter: &Filter,
    random: &mut fastrand::Rng,
) -> Vec<usize> {
    let text = filter.to_string();
    let query = TraceQuery {
        custom_filter: Some(&text),
        ..TraceQuery::default()
    };
    let mut scan = Scan::new(query.compile().expect("what is printed is read"));
    scan.newest_first = random.bool();
    scan.most = random.usize(1..200);
    let mut found: Vec<(Cursor, TraceEvent)> = view
        .scan(&scan, &Unwatched)
        .map(|found| found.map(|found| (found.place, found.event)))
        .collect::<Result<_, _>>()
        .expect("every event can be read");
    if scan.newest_first {
        found.reverse();
    }
    assert!(found.is_sorted_by(|one, other| one.0 < other.0), "{text}");
    // Both are in the order of time, so that each is found behind the one before.
    let mut places = BTreeMap::new();
    let mut at = 0;
    for (_, event) in &found {
        while events.get(at).is_some_and(|known| known != event) {
            at += 1;
        }
        assert!(
            at < events.len(),
            "{text}: {event:?} is made up or out of order"
        );
        places.insert(at, ());
        at += 1;
    }
    places.into_keys().collect()
}
