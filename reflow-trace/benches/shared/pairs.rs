//! Channels that nobody traces: the zero of those that somebody does.
//!
//! A pair is a send and a receive on one thread, so that no thread is woken: that would cost more than
//! all that is measured here.

use std::hint::black_box;

use crate::shared::BURST;
use crate::shared::rows::{Expect, Row};
use crate::shared::work::{Load, Messages};

/// Places of the channels that have a bound.
pub(crate) const BOUND: usize = 64;

/// The rows of the originals.
pub(crate) const STD: &str = "std mpsc pair, plain";
pub(crate) const CROSSBEAM: &str = "crossbeam pair, plain";
pub(crate) const TOKIO: &str = "tokio mpsc pair, plain";

/// A row of pairs; a tracer makes `events` of each.
pub(crate) fn pair<'a>(
    name: &'static str,
    plain: &'static str,
    expect: Expect,
    events: u64,
    send_and_receive: impl FnMut(u64) + 'a,
) -> Row<'a> {
    let mut row = Row::with_burst(name, expect, BURST / 2, send_and_receive).over(plain);
    row.events = events;
    row
}

/// The originals.
pub(crate) fn plain() -> Vec<Row<'static>> {
    let (std_sender, std_receiver) = std::sync::mpsc::channel();
    let (crossbeam_sender, crossbeam_receiver) = crossbeam_channel::bounded(BOUND);
    let (tokio_sender, mut tokio_receiver) = tokio::sync::mpsc::channel(BOUND);
    vec![
        plain_pair(STD, move |message| {
            let _sent = black_box(std_sender.send(message));
            let _received = black_box(std_receiver.try_recv());
        }),
        plain_pair(CROSSBEAM, move |message| {
            let _sent = black_box(crossbeam_sender.try_send(message));
            let _received = black_box(crossbeam_receiver.try_recv());
        }),
        plain_pair(TOKIO, move |message| {
            let _sent = black_box(tokio_sender.try_send(message));
            let _received = black_box(tokio_receiver.try_recv());
        }),
    ]
}

fn plain_pair(name: &'static str, mut pair_of: impl FnMut(Load) + 'static) -> Row<'static> {
    let messages = Messages::new();
    pair(name, name, Expect::Unseen, 0, move |number| {
        pair_of(messages.nth(number));
    })
}
