//! Rows, measured in turns, and the lines in which a process reports them.
//!
//! In each round every row runs one burst, so that a noisy moment of the machine hits all alike.
//! After a burst its tracer is drained, untimed, and asked where the events have gone: a row whose
//! events were not all delivered measures the cost of losing them, and is void.

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::floor::Floor;
use super::work::{Bare, Messages};
use super::{BURST, Failure};

/// Name of the row that the cost is taken over.
pub(crate) const BARE: &str = "bare send";
/// Name of the row that is the unit of the cost.
pub(crate) const FLOOR: &str = "floor";

/// What ought to become of the sends of a row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expect {
    /// No tracer sees them.
    Unseen,
    /// They are counted and not recorded.
    Counted,
    /// Every one is recorded.
    Recorded,
}

/// Where the events of a tracer have gone since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) attempted: u64,
    pub(crate) not_sampled: u64,
    pub(crate) lost: u64,
    pub(crate) drained: u64,
}

impl Account {
    fn add_since(&mut self, before: Self, after: Self) {
        self.attempted += after.attempted - before.attempted;
        self.not_sampled += after.not_sampled - before.not_sampled;
        self.lost += after.lost - before.lost;
        self.drained += after.drained - before.drained;
    }

    fn recorded(&self) -> u64 {
        self.attempted - self.not_sampled
    }
}

/// One kind of send.
pub(crate) struct Row<'a> {
    pub(crate) name: &'static str,
    /// The row of the same set that is its zero.
    pub(crate) bare: &'static str,
    /// The rows of the same set whose difference is its unit.
    pub(crate) floor: &'static str,
    pub(crate) bare_of_floor: &'static str,
    pub(crate) expect: Expect,
    /// Sends in one burst; each of `threads` makes so many.
    pub(crate) sends: u64,
    pub(crate) threads: u64,
    /// What a tracer makes of one send.
    pub(crate) events: u64,
    pub(crate) burst: Box<dyn FnMut() -> Duration + 'a>,
}

impl<'a> Row<'a> {
    /// A row of [`BURST`] sends, each made by `send`.
    pub(crate) fn new(name: &'static str, expect: Expect, send: impl FnMut(u64) + 'a) -> Self {
        Self::with_burst(name, expect, BURST, send)
    }

    /// A row with fewer sends in a burst, because each fills more of the buffer.
    pub(crate) fn with_burst(
        name: &'static str,
        expect: Expect,
        sends: u64,
        mut send: impl FnMut(u64) + 'a,
    ) -> Self {
        Self {
            name,
            bare: BARE,
            floor: FLOOR,
            bare_of_floor: BARE,
            expect,
            sends,
            threads: 1,
            events: 1,
            burst: Box::new(move || timed(sends, &mut send)),
        }
    }

    /// The bare send.
    pub(crate) fn bare() -> Self {
        let (bare, messages) = (Bare::new(), Messages::new());
        Self::new(BARE, Expect::Unseen, move |number| {
            let _sent = black_box(bare.send(messages.nth(number)));
        })
    }

    /// The floor.
    pub(crate) fn floor() -> Self {
        let mut floor = Floor::new();
        Self::new(FLOOR, Expect::Unseen, move |number| floor.send(number))
    }

    /// Takes the cost over another bare row.
    #[must_use]
    pub(crate) fn over(mut self, bare: &'static str) -> Self {
        self.bare = bare;
        self
    }
}

/// How long so many sends take.
#[inline(always)]
pub(crate) fn timed(sends: u64, mut send: impl FnMut(u64)) -> Duration {
    let start = Instant::now();
    for number in 0..sends {
        send(number);
    }
    start.elapsed()
}

/// Measures the rows in turns and prints a line for each.
///
/// After each burst `drain` waits until its events have been delivered and says where all have gone.
/// A line has the fields row, median ns, lowest ns, ns over bare, times the floor, recorded, lost,
/// drained, and why the row is void or `-`; separated by tabs.
pub(crate) fn measure(
    mut rows: Vec<Row<'_>>,
    rounds: u32,
    mut drain: impl FnMut(&Row<'_>) -> Result<Account, Failure>,
) -> Result<(), Failure> {
    if rows.is_empty() {
        return Err("there is no such row".into());
    }
    let mut before = Account::default();
    for row in &mut rows {
        // Warms caches and makes what is made once.
        (row.burst)();
        before = drain(row)?;
    }
    let mut costs = vec![Vec::new(); rows.len()];
    let mut accounts = vec![Account::default(); rows.len()];
    for _ in 0..rounds {
        for (index, row) in rows.iter_mut().enumerate() {
            let burst = (row.burst)();
            costs[index].push(burst.as_nanos() as f64 / row.sends as f64);
            let after = drain(row)?;
            accounts[index].add_since(before, after);
            before = after;
        }
    }

    let lowest: Vec<f64> = costs
        .iter()
        .map(|costs| costs.iter().copied().fold(f64::INFINITY, f64::min))
        .collect();
    let medians: Vec<f64> = costs.iter_mut().map(|costs| median(costs)).collect();
    let median_of = |name| {
        let index = rows.iter().position(|row| row.name == name);
        index.map_or(f64::NAN, |index| medians[index])
    };
    for (index, row) in rows.iter().enumerate() {
        let over = medians[index] - median_of(row.bare);
        let times = over / (median_of(row.floor) - median_of(row.bare_of_floor));
        let account = &accounts[index];
        println!(
            "row\t{}\t{}\t{}\t{over}\t{times}\t{}\t{}\t{}\t{}",
            row.name,
            medians[index],
            lowest[index],
            account.recorded(),
            account.lost,
            account.drained,
            fault(row, account, rounds).unwrap_or_else(|| "-".to_owned()),
        );
    }
    Ok(())
}

/// Why the row is void, if it is.
fn fault(row: &Row<'_>, account: &Account, rounds: u32) -> Option<String> {
    let sent = row.sends * row.threads * row.events * u64::from(rounds);
    let (attempted, recorded) = match row.expect {
        Expect::Unseen => (0, 0),
        Expect::Counted => (sent, 0),
        Expect::Recorded => (sent, sent),
    };
    if account.lost > 0 {
        Some(format!("{} lost", account.lost))
    } else if account.attempted != attempted {
        Some(format!("{} seen, not {attempted}", account.attempted))
    } else if account.recorded() != recorded {
        Some(format!("{} recorded, not {recorded}", account.recorded()))
    } else if account.drained != recorded {
        Some(format!("{} drained, not {recorded}", account.drained))
    } else {
        None
    }
}

/// The value in the middle; not a number when there is none.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
