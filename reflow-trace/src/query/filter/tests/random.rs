//! Random trees, random texts, and what a second evaluation says.
//!
//! proptest prints the smallest failing case whole, so that it needs no seed to be seen again.

use std::collections::HashMap;

use proptest::prelude::*;

use super::super::*;
use super::second;
use super::strategies::{event, tree};
use crate::query::filter::value::Row as _;

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases: if cfg!(miri) { 4 } else { cases },
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}
proptest! {
    #![proptest_config(config(512))]

    #[test]
    fn a_tree_is_read_as_it_is_printed(filter in tree()) {
        let text = filter.to_string();
        let read = Filter::parse(&text);
        prop_assert_eq!(read.as_ref().map_err(|error| format!("{error:#}")), Ok(&filter), "{}", text);
    }

    #[test]
    fn both_evaluations_agree(filter in tree(), events in prop::collection::vec(event(), 1..6)) {
        for event in &events {
            let json = serde_json::to_value(event).expect("serializes");
            let expected = match second::evaluate(filter.expr(), &json, event.weight()) {
                0 => Some(false),
                2 => Some(true),
                _ => None,
            };
            prop_assert_eq!(filter.evaluate(event), expected, "{} of {}", filter, json);
        }
    }

    #[test]
    fn a_condition_and_its_opposite_and_neither_are_all_there_is(filter in tree(), event in event()) {
        let opposite = Filter::new(Expr::Not(Box::new(filter.expr().clone())));
        prop_assume!(opposite.is_ok());
        let opposite = opposite.expect("assumed");
        prop_assert_eq!(opposite.evaluate(&event), filter.evaluate(&event).map(|is| !is));
    }

    #[test]
    fn no_event_that_is_found_lies_outside_of_the_bounds(filter in tree(), event in event()) {
        for &column in Column::ALL {
            let (bounds, value) = (filter.bounds(column), event.column(column));
            let is_admitted = bounds.admits(value.as_ref());
            prop_assert!(is_admitted || !filter.matches(&event), "{filter}: {column:?} {value:?} {bounds:?}");
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        if let Err(error) = Filter::parse(&text) {
            prop_assert!(error.place().end <= text.len());
        }
    }

    #[test]
    fn no_damage_to_a_text_makes_it_panic(
        filter in tree(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<char>()), 1..4),
    ) {
        let mut chars: Vec<char> = filter.to_string().chars().collect();
        for (place, c) in damage {
            let place = place.index(chars.len());
            chars[place] = c;
        }
        let text: String = chars.into_iter().collect();
        if let Err(error) = Filter::parse(&text) {
            prop_assert!(error.place().end <= text.len());
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn no_words_in_any_order_make_it_panic(words in prop::collection::vec(prop::sample::select(&[
        "and", "or", "not", "in", "between", "like", "escape", "is", "null", "true", "(", ")", ",", "=", "<",
        "'a'", "''", "1", "-1.5", "1ms", "1KiB", "port", "hop_count", "timestamp", "outcome", "attr.x", "'",
    ][..]), 0..40)) {
        let text = words.join(" ");
        if let Ok(filter) = Filter::parse(&text) {
            prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(filter.clone()));
            prop_assert_eq!(Filter::new(filter.expr().clone()), Ok(filter));
        }
    }
}

/// What a random test never meets proves nothing: true, false and unknown all come up.
#[test]
fn the_random_events_are_found_missed_and_unknown() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let mut counts: HashMap<Option<bool>, u32> = HashMap::new();
    for _ in 0..400 {
        let mut new = || {
            Some((
                tree().new_tree(&mut runner).ok()?,
                event().new_tree(&mut runner).ok()?,
            ))
        };
        let Some((filter, event)) = new() else {
            continue;
        };
        *counts
            .entry(filter.current().evaluate(&event.current()))
            .or_default() += 1;
    }
    for truth in [Some(true), Some(false), None] {
        assert!(
            counts.get(&truth).is_some_and(|&count| count > 40),
            "{counts:?}"
        );
    }
}
