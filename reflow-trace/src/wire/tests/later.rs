//! What a later version may say is no reason to refuse a batch: all else in it would be lost.

use super::hostile::{Plain, Value, packed};
use crate::event::Outcome;
use crate::ledger::{Loss, LossReason};
use crate::wire::format::{field, notice_field};
use crate::wire::protobuf::{put_bytes, put_number};

/// A form like that of [`Plain::whole`] with one number changed.
fn form(place: usize, value: u64) -> Value {
    let mut form = [0, 1, 0b10_0010, 0b11_1111, 0, 1, 1, 3, 2];
    form[place] = value;
    packed(&form)
}

/// A notice with an id, and what `say` adds.
fn notice(say: impl FnOnce(&mut Vec<u8>)) -> Value {
    let mut notice = Vec::new();
    put_bytes(&mut notice, notice_field::EVENT_ID, &[1; 16]);
    say(&mut notice);
    Value::Bytes(notice)
}

#[test]
fn a_loss_by_a_reason_of_a_later_version_is_counted() {
    let told = notice(|notice| {
        put_bytes(notice, notice_field::LOSS_REASON, b"eaten_by_mice");
        put_number(notice, notice_field::LOSS_COUNT, 7);
    });
    let batch = Plain::whole().with(field::NOTICE, told).decode();
    let batch = batch.expect("the reason alone is not known");
    let loss = Loss {
        reason: LossReason::Other,
        count: 7,
    };
    assert_eq!(batch.losses(), [loss]);
    let events: Vec<_> = batch.events().collect();
    assert_eq!(events.len(), 3);
    assert_eq!(events[2].as_loss(), Some(loss));
}

#[test]
fn a_notice_of_which_nothing_is_known_is_left_out() {
    let told = notice(|notice| put_bytes(notice, 16, b"later"));
    let batch = Plain::whole().with(field::NOTICE, told).decode();
    let batch = batch.expect("what is not known is skipped");
    assert_eq!(batch.events().count(), 2);
    assert_eq!((batch.losses(), batch.counters()), (&[][..], None));
}

#[test]
fn an_outcome_of_a_later_version_is_not_known() {
    for outcome in [7, 255, 256 + 1, u64::MAX] {
        let batch = Plain::whole().with(field::FORM, form(1, outcome)).decode();
        let batch = batch.expect("the outcome alone is not known");
        let row = batch.row(0).expect("it has two");
        assert_eq!(row.outcome, None, "{outcome}");
        assert_eq!(row.duration_ns, Some(1));
        // What the column holds depends on the outcome.
        assert_eq!((row.waiting_ns, row.memory_bytes), (None, None));
    }
    let known = Plain::whole().decode().expect("it is whole");
    let row = known.row(0).expect("it has two");
    assert_eq!(row.outcome, Some(Outcome::Delivered));
    assert_eq!(row.memory_bytes, Some(1));
}

#[test]
fn a_column_of_a_later_version_is_left_out() {
    let plain = Plain::whole()
        .with(field::FORM, form(3, 0b1_0000_0011_1111))
        .with(40, packed(&[5, 6]));
    let batch = plain.decode().expect("the column alone is not known");
    let known = Plain::whole().decode().expect("it is whole");
    assert!(batch.events().eq(known.events()));
}
