//! The annotated connectors in a build without the feature `enable`, for the benchmark `record`.
//!
//! `reflow-trace-bench-compiled-out ROUNDS` prints a line for each row.

#[path = "../../record/traced/connectors.rs"]
#[expect(dead_code, reason = "the rows that record need more of it")]
mod connectors;
#[path = "../../shared/mod.rs"]
#[expect(dead_code, reason = "the rows that record need more of it")]
mod shared;

use std::hint::black_box;

use connectors::{Named, Reading};
use shared::Failure;
use shared::rows::{Account, Expect, Row, measure};
use shared::work::{Bare, Messages, drive};

const BARE_ASYNC: &str = "bare send, async";

fn main() -> Result<(), Failure> {
    let rounds = std::env::args().nth(1).ok_or("how many rounds?")?.parse()?;
    let (bare, for_bare) = (Bare::new(), Messages::new());
    let (named, for_named) = (Named::<Reading>::new(), Messages::new());
    let (named_async, for_named_async) = (Named::<Reading>::new(), Messages::new());
    let rows = vec![
        Row::bare(),
        Row::floor(),
        Row::new("compiled out", Expect::Unseen, move |number| {
            let _sent = black_box(named.send(for_named.nth(number)));
        }),
        Row::new(BARE_ASYNC, Expect::Unseen, move |number| {
            let _sent = black_box(drive(bare.send_async(for_bare.nth(number))));
        }),
        Row::new("compiled out, async", Expect::Unseen, move |number| {
            let _sent = black_box(drive(named_async.send_async(for_named_async.nth(number))));
        })
        .over(BARE_ASYNC),
    ];
    measure(rows, rounds, |_| Ok(Account::default()))
}
