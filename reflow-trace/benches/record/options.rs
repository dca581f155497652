//! What the command line asks for.

use std::fmt;

use crate::shared::Failure;
use crate::shared::rows::Row;

pub(crate) const HELP: &str = "\
What tracing costs a send: ours, the floor under it, and the same work in other libraries.

cargo bench -p reflow-trace --bench record -- [OPTIONS]

  --quick            about a minute: fewer processes, fewer rounds
  --processes N      how often each row is measured, in a process of its own [default: 5]
  --rounds N         bursts of each row in a process [default: 400]
  --only PART        channels, or sends: all but channels
  --without-peers    do not build or measure other libraries
  --test             only see that our rows work; also without `--bench`, which cargo bench passes
  --help             this text

For a profiler, the program that cargo has built measures in one process, and one row alone if asked to:

  --child PROCESS    recording, off, channels, channels-off, ring, batch, kept or stalled
  --row NAME         only this row of the process, as the table calls it

A row is void when events were lost in it: then it measures the cost of losing them.";

/// What to do.
pub(crate) enum Order {
    Help,
    /// Name the tests there are: none.
    List,
    Try,
    Measure(Options),
    /// Be one of the processes of a measurement.
    Child(Child, Share),
}

/// How to measure.
pub(crate) struct Options {
    pub(crate) processes: u32,
    pub(crate) rounds: u32,
    pub(crate) with_peers: bool,
    /// What is measured; everything, if it is not given.
    pub(crate) part: Option<Part>,
}

/// A part of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Sends,
    Channels,
}

impl Part {
    fn by_name(name: &str) -> Result<Self, Failure> {
        match name {
            "sends" => Ok(Self::Sends),
            "channels" => Ok(Self::Channels),
            _ => Err(format!("`--only {name}`: choose `sends` or `channels`").into()),
        }
    }
}

/// How much of its rows a process measures.
pub(crate) struct Share {
    pub(crate) rounds: u32,
    /// The name of one row; of all, if it is not given.
    pub(crate) row: Option<String>,
}

impl Share {
    pub(crate) fn of<'a>(&self, mut rows: Vec<Row<'a>>) -> Vec<Row<'a>> {
        rows.retain(|row| self.row.as_ref().is_none_or(|only| row.name == only));
        rows
    }
}

impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "medians of {} processes, of {} bursts each",
            self.processes, self.rounds
        )
    }
}

/// What one process of this program measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Child {
    Recording,
    Off,
    Channels,
    ChannelsOff,
    Ring,
    Batch,
    Kept,
    Stalled,
}

impl Child {
    const ALL: [Self; 8] = [
        Self::Recording,
        Self::Off,
        Self::Channels,
        Self::ChannelsOff,
        Self::Ring,
        Self::Batch,
        Self::Kept,
        Self::Stalled,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Recording => "recording",
            Self::Off => "off",
            Self::Channels => "channels",
            Self::ChannelsOff => "channels-off",
            Self::Ring => "ring",
            Self::Batch => "batch",
            Self::Kept => "kept",
            Self::Stalled => "stalled",
        }
    }

    fn by_name(name: &str) -> Result<Self, Failure> {
        let mut all = Self::ALL.into_iter();
        all.find(|child| child.name() == name)
            .ok_or_else(|| format!("there is no process `{name}`").into())
    }
}

/// Reads the arguments; those of cargo itself are understood too.
pub(crate) fn read(arguments: impl Iterator<Item = String>) -> Result<Order, Failure> {
    let mut arguments = arguments.peekable();
    let (mut is_bench, mut is_test, mut is_quick, mut with_peers) = (false, false, false, true);
    let (mut processes, mut rounds, mut child, mut row) = (None, None, None, None);
    let mut part = None;
    while let Some(argument) = arguments.next() {
        let mut value = || {
            let value = arguments.next();
            value.ok_or_else(|| format!("`{argument}` needs a value; see `--help`"))
        };
        match argument.as_str() {
            "--help" | "-h" => return Ok(Order::Help),
            "--list" => return Ok(Order::List),
            "--bench" => is_bench = true,
            "--test" => is_test = true,
            "--quick" => is_quick = true,
            "--without-peers" => with_peers = false,
            "--processes" => processes = Some(positive(&argument, &value()?)?),
            "--rounds" => rounds = Some(positive(&argument, &value()?)?),
            "--only" => part = Some(Part::by_name(&value()?)?),
            "--row" => row = Some(value()?),
            "--child" => child = Some(Child::by_name(&value()?)?),
            _ => return Err(format!("`{argument}` is no option; see `--help`").into()),
        }
    }
    let rounds = rounds.unwrap_or(if is_quick { 100 } else { 400 });
    Ok(match child {
        Some(child) => Order::Child(child, Share { rounds, row }),
        None if is_test || !is_bench => Order::Try,
        None => Order::Measure(Options {
            processes: processes.unwrap_or(if is_quick { 3 } else { 5 }),
            rounds,
            with_peers,
            part,
        }),
    })
}

fn positive(option: &str, value: &str) -> Result<u32, Failure> {
    match value.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!("`{option} {value}`: choose a whole number from 1").into()),
    }
}
