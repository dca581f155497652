//! Two threads that send at once.
//!
//! They live as long as their row, so that no burst pays for the start of a thread or for its ring.
//! They wait for each other spinning: a thread that is woken begins some microseconds after another.

use std::hint::{black_box, spin_loop};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use crate::shared::floor::Floor;
use crate::shared::rows::{BARE, Expect, Row, timed};
use crate::shared::work::{Bare, Messages};
use crate::shared::{BURST, Failure};

const THREADS: u64 = 2;
const BARE_PAIR: &str = "bare send, two threads";
const FLOOR_PAIR: &str = "floor, two threads";

/// Two threads that wait for a command to send a burst.
pub(crate) struct Pair {
    /// A thread ends when its sender is dropped.
    commands: Vec<Sender<()>>,
    bursts: Receiver<Duration>,
}

impl Pair {
    /// Starts the threads; each makes its own send, where it runs.
    pub(crate) fn start<S: FnMut(u64)>(
        make: impl Fn() -> S + Send + Clone + 'static,
    ) -> Result<Self, Failure> {
        let arrived = Arc::new(AtomicU64::new(0));
        let (report, bursts) = channel();
        let commands = (0..THREADS)
            .map(|_| {
                let (command, commands) = channel();
                let (arrived, report, make) = (Arc::clone(&arrived), report.clone(), make.clone());
                std::thread::Builder::new().spawn(move || {
                    let mut send = make();
                    for (turn, ()) in (1..).zip(&commands) {
                        arrived.fetch_add(1, Ordering::AcqRel);
                        while arrived.load(Ordering::Acquire) < turn * THREADS {
                            spin_loop();
                        }
                        if report.send(timed(BURST, &mut send)).is_err() {
                            return;
                        }
                    }
                })?;
                Ok(command)
            })
            .collect::<std::io::Result<_>>()?;
        Ok(Self { commands, bursts })
    }

    /// The row of these threads; a burst takes as long as the two take on the average.
    pub(crate) fn row(self, name: &'static str, expect: Expect) -> Row<'static> {
        Row {
            name,
            bare: BARE_PAIR,
            floor: FLOOR_PAIR,
            bare_of_floor: BARE_PAIR,
            expect,
            sends: BURST,
            threads: THREADS,
            events: 1,
            burst: Box::new(move || {
                for command in &self.commands {
                    // A thread that is gone has panicked, and then no burst comes back below.
                    let _gone = command.send(());
                }
                let bursts = self.commands.iter().map(|_| self.bursts.recv());
                bursts
                    .sum::<Result<Duration, _>>()
                    .map_or(Duration::MAX, |sum| sum / THREADS as u32)
            }),
        }
    }
}

/// Two threads that nobody traces.
pub(crate) fn bare_pair() -> Result<Row<'static>, Failure> {
    let pair = Pair::start(|| {
        let (bare, messages) = (Bare::new(), Messages::new());
        move |number| {
            let _sent = black_box(bare.send(messages.nth(number)));
        }
    })?;
    Ok(pair.row(BARE_PAIR, Expect::Unseen).over(BARE))
}

/// Two floors at once.
pub(crate) fn floor_pair() -> Result<Row<'static>, Failure> {
    let pair = Pair::start(|| {
        let mut floor = Floor::new();
        move |number| floor.send(number)
    })?;
    Ok(pair.row(FLOOR_PAIR, Expect::Unseen))
}
