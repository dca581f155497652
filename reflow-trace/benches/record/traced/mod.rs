//! Our own rows: what a send costs while it is recorded, only counted, or traced by nobody.

pub(crate) mod channels;
pub(crate) mod connectors;
mod pair;

use std::hint::black_box;
use std::time::Duration;

use reflow_trace::{Guard, global_tracing};

use crate::options::Share;
use crate::shared::rows::{Account, Expect, Row, measure};
use crate::shared::work::{Bare, Messages, drive};
use crate::shared::{BURST, Failure};
use connectors::{Held, Linked, Named, Numbered, Rare, Reading, Unannotated, Unaware};
use pair::{Pair, bare_pair, floor_pair};

const BARE_ASYNC: &str = "bare send, async";

/// Rows of a program that is built with tracing and has not begun it.
pub(crate) fn off(share: &Share) -> Result<(), Failure> {
    let named = Named::<Reading>::new();
    let named_async = Named::<Reading>::new();
    let rows = vec![
        Row::bare(),
        bare_async(),
        Row::floor(),
        row("off", Expect::Unseen, move |message| {
            let _sent = black_box(named.send(message));
        }),
        row("off, async", Expect::Unseen, move |message| {
            let _sent = black_box(drive(named_async.send_async(message)));
        })
        .over(BARE_ASYNC),
    ];
    measure(share.of(rows), share.rounds, |_| Ok(Account::default()))
}

/// Rows of a program that records.
pub(crate) fn recording(share: &Share) -> Result<(), Failure> {
    let guard = reflow_trace::builder().start()?;
    let mut rows = vec![Row::bare(), Row::floor()];
    rows.extend(synchronous());
    rows.extend(asynchronous());
    rows.extend(two_threads()?);
    measure(share.of(rows), share.rounds, |_| account(&guard))
}

/// What the collector has seen, after it has seen everything.
fn account(guard: &Guard) -> Result<Account, Failure> {
    guard.flush(Duration::from_secs(10))?;
    let tracing = global_tracing().ok_or("the recording has ended")?;
    let ledger = tracing.performance_metrics().ledger;
    Ok(Account {
        attempted: ledger.attempted,
        not_sampled: ledger.not_sampled,
        lost: ledger.lost_total(),
        drained: ledger.collected,
    })
}

/// A row of sends of messages of one type.
fn row<M: Copy + From<u64> + 'static>(
    name: &'static str,
    expect: Expect,
    mut send: impl FnMut(M) + 'static,
) -> Row<'static> {
    let messages = Messages::new();
    Row::new(name, expect, move |number| send(messages.nth(number)))
}

fn synchronous() -> Vec<Row<'static>> {
    let held = Held::<Reading>::new();
    let named = Named::<Reading>::new();
    let held_rare = Held::<Rare>::new();
    let named_rare = Named::<Rare>::new();
    let held_linked = Held::<Linked>::new();
    let held_numbered = Held::<Numbered>::new();
    let unaware = Unaware::<Reading>::new();
    let unaware_rare = Unaware::<Rare>::new();
    let unaware_unannotated = Unaware::<Unannotated>::new();
    let numbered = Messages::new();
    vec![
        row("recorded, handle", Expect::Recorded, move |message| {
            let _sent = black_box(held.send(message));
        }),
        row("recorded, names", Expect::Recorded, move |message| {
            let _sent = black_box(named.send(message));
        }),
        row("not sampled, handle", Expect::Counted, move |message| {
            let _sent = black_box(held_rare.send(message));
        }),
        row("not sampled, names", Expect::Counted, move |message| {
            let _sent = black_box(named_rare.send(message));
        }),
        row(
            "recorded, handle, context in message",
            Expect::Recorded,
            move |message| {
                let _sent = black_box(held_linked.send(message));
            },
        ),
        row(
            "recorded, handle, bare M with a policy",
            Expect::Recorded,
            move |message| {
                let _sent = black_box(unaware.send(message));
            },
        ),
        row(
            "not sampled, handle, bare M with a policy",
            Expect::Counted,
            move |message| {
                let _sent = black_box(unaware_rare.send(message));
            },
        ),
        row(
            "recorded, handle, bare M without a policy",
            Expect::Recorded,
            move |message| {
                let _sent = black_box(unaware_unannotated.send(message));
            },
        ),
        // The id takes a second slot of the ring.
        Row::with_burst(
            "recorded, handle, message id",
            Expect::Recorded,
            BURST / 2,
            move |number| {
                let _sent = black_box(held_numbered.send(numbered.nth(number)));
            },
        ),
    ]
}

fn bare_async() -> Row<'static> {
    let bare = Bare::new();
    row(BARE_ASYNC, Expect::Unseen, move |message| {
        let _sent = black_box(drive(bare.send_async(message)));
    })
}

fn asynchronous() -> Vec<Row<'static>> {
    let held = Held::<Reading>::new();
    let named = Named::<Reading>::new();
    let held_rare = Held::<Rare>::new();
    vec![
        bare_async(),
        row(
            "recorded, handle, async",
            Expect::Recorded,
            move |message| {
                let _sent = black_box(drive(held.send_async(message)));
            },
        )
        .over(BARE_ASYNC),
        row("recorded, names, async", Expect::Recorded, move |message| {
            let _sent = black_box(drive(named.send_async(message)));
        })
        .over(BARE_ASYNC),
        row(
            "not sampled, handle, async",
            Expect::Counted,
            move |message| {
                let _sent = black_box(drive(held_rare.send_async(message)));
            },
        )
        .over(BARE_ASYNC),
    ]
}

/// Each thread has a connector and a ring of its own; what they share is the machine.
fn two_threads() -> Result<Vec<Row<'static>>, Failure> {
    let recorded = Pair::start(|| {
        let (held, messages) = (Held::<Reading>::new(), Messages::new());
        move |number| {
            let _sent = black_box(held.send(messages.nth(number)));
        }
    })?;
    let not_sampled = Pair::start(|| {
        let (held, messages) = (Held::<Rare>::new(), Messages::new());
        move |number| {
            let _sent = black_box(held.send(messages.nth(number)));
        }
    })?;
    Ok(vec![
        bare_pair()?,
        floor_pair()?,
        recorded.row("recorded, handle, two threads", Expect::Recorded),
        not_sampled.row("not sampled, handle, two threads", Expect::Counted),
    ])
}
