//! Traced channels: a send and a receive of a message that is there, as one pair on one thread.
//!
//! `bench` needs the features of the channels: `--features crossbeam,tokio`; std's is always there.

use std::hint::black_box;

use reflow_trace::channel as traced;

use super::account;
use super::connectors::{Rare, Reading};
use crate::options::Share;
use crate::pairs::{self, pair, plain};
use crate::shared::Failure;
use crate::shared::rows::{Account, Expect, Row, measure};
use crate::shared::work::Messages;

/// What a recording makes of a pair: the send and the receive.
const EVENTS: u64 = 2;

/// A row of one channel, and of messages of one type.
macro_rules! traced_pair {
    ($name:expr, $plain:expr, $expect:expr, $message:ty, $make:expr, $send:ident, $receiver:pat, $receive:expr) => {{
        let (sender, $receiver) = $make;
        let sender = sender.with_policy();
        let messages = Messages::<$message>::new();
        pair($name, $plain, $expect, EVENTS, move |number| {
            let _sent = black_box(sender.$send(messages.nth(number)));
            let _received = black_box($receive);
        })
    }};
}

/// All rows of one channel.
macro_rules! rows {
    ($rows:ident, $is_on:expr, $name:literal over $plain:expr, $make:expr, $($by:tt)+) => {
        if $is_on {
            let (not_sampled, recorded) = (concat!($name, ", not sampled"), concat!($name, ", recorded"));
            $rows.push(traced_pair!(not_sampled, $plain, Expect::Counted, Rare, $make, $($by)+));
            $rows.push(traced_pair!(recorded, $plain, Expect::Recorded, Reading, $make, $($by)+));
        } else {
            let off = concat!($name, ", off");
            $rows.push(traced_pair!(off, $plain, Expect::Unseen, Reading, $make, $($by)+));
        }
    };
}

fn rows(is_on: bool) -> Vec<Row<'static>> {
    let mut rows = vec![Row::bare(), Row::floor()];
    rows.extend(plain());
    rows!(
        rows,
        is_on,
        "std mpsc pair" over pairs::STD,
        traced::std::mpsc::channel(),
        send,
        receiver,
        receiver.try_recv()
    );
    #[cfg(feature = "crossbeam")]
    rows!(
        rows,
        is_on,
        "crossbeam pair" over pairs::CROSSBEAM,
        traced::crossbeam::bounded(pairs::BOUND),
        try_send,
        receiver,
        receiver.try_recv()
    );
    #[cfg(feature = "tokio")]
    rows!(
        rows,
        is_on,
        "tokio mpsc pair" over pairs::TOKIO,
        traced::tokio::mpsc::channel(pairs::BOUND),
        try_send,
        mut receiver,
        receiver.try_recv()
    );
    rows
}

/// Rows of a program that is built with tracing and has not begun it.
pub(crate) fn off(share: &Share) -> Result<(), Failure> {
    measure(share.of(rows(false)), share.rounds, |_| {
        Ok(Account::default())
    })
}

/// Rows of a program that records.
pub(crate) fn recording(share: &Share) -> Result<(), Failure> {
    let guard = reflow_trace::builder().start()?;
    measure(share.of(rows(true)), share.rounds, |_| account(&guard))
}
