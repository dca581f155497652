//! Messages over five hops.

use std::cell::Cell;
use std::convert::Infallible;
use std::fmt;
use std::hint::black_box;
use std::sync::mpsc::channel;

use reflow_trace::{Context, Edge, sample};
use uuid::Uuid;

/// Turns of an empty loop that an actor works for, at most; on the average it is half a microsecond.
const WORK_MAX: u64 = 2_000;

use crate::Failure;

/// Names as people give them.
const ACTORS: [&str; 6] = [
    "reader",
    "validator",
    "enricher",
    "router",
    "aggregator",
    "store",
];
const HOPS: usize = ACTORS.len() - 1;

/// How a message names itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ids {
    None,
    Sequential,
    Uuid,
}

impl fmt::Display for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Sequential => "sequential",
            Self::Uuid => "UUID",
        })
    }
}

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Threads {
    One,
    EachHop,
}

impl fmt::Display for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::One => "one thread",
            Self::EachHop => "a thread for each hop",
        })
    }
}

#[sample(rate = 1.0)]
struct Order {
    #[trace(id)]
    id: String,
    #[trace(context)]
    context: Context,
}

#[sample(rate = 1.0)]
struct Anonymous {
    #[trace(context)]
    context: Context,
}

/// Sends about `events`, in bursts that make a batch; after each of them `drain` is called.
pub(crate) fn send(
    ids: Ids,
    threads: Threads,
    batch_size: usize,
    events: usize,
    drain: impl Fn() -> Result<(), Failure>,
) -> Result<(), Failure> {
    let messages = batch_size / HOPS;
    let mut number = 0;
    for _ in 0..events.div_ceil(batch_size) {
        match ids {
            Ids::None => pass_on(threads, messages, || Anonymous {
                context: Context::default(),
            }),
            _ => pass_on(threads, messages, || {
                number += 1;
                Order {
                    id: match ids {
                        Ids::Uuid => Uuid::new_v4().to_string(),
                        _ => format!("order-{number}"),
                    },
                    context: Context::default(),
                }
            }),
        }
        drain()?;
    }
    Ok(())
}

fn pass_on<M: reflow_trace::Message + Send>(
    threads: Threads,
    messages: usize,
    mut make: impl FnMut() -> M,
) {
    let edges = [0, 1, 2, 3, 4].map(|hop| Edge::new(ACTORS[hop], "out", ACTORS[hop + 1], "in"));
    let hop = |edge: &Edge, message: M| -> M {
        work();
        let sent = reflow_trace::send(edge, message, Ok::<M, Infallible>);
        sent.unwrap_or_else(|never| match never {})
    };
    match threads {
        Threads::One => {
            for _ in 0..messages {
                let message = edges
                    .iter()
                    .fold(make(), |message, edge| hop(edge, message));
                black_box(message);
            }
        }
        Threads::EachHop => std::thread::scope(|scope| {
            let (first, mut inbox) = channel();
            for edge in &edges {
                let (outbox, next) = channel();
                let from = std::mem::replace(&mut inbox, next);
                scope.spawn(move || {
                    for message in from {
                        // The last one has nobody behind it who could hang up.
                        let _taken = outbox.send(hop(edge, message));
                    }
                });
            }
            for _ in 0..messages {
                let _taken = first.send(make());
            }
            drop(first);
            black_box(inbox.iter().count());
        }),
    }
}

/// Takes a time that nobody can foretell: what a tight loop records is so regular that zstd makes
/// nearly nothing of it.
fn work() {
    thread_local!(static RANDOM: Cell<u64> = const { Cell::new(0x9e37_79b9_7f4a_7c15) });
    let turns = RANDOM.with(|random| {
        let mut bits = random.get();
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        random.set(bits);
        bits % WORK_MAX
    });
    for turn in 0..turns {
        black_box(turn);
    }
}
