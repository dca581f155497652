//! The settings of the embedded store.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::files::{Files, RealFiles};
use super::steps::Steps;
use crate::clock::wall_clock_ns;

/// How an embedded store works. Everything has a default but the directory.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it lives. It is made when it is not there.
    pub directory: PathBuf,
    /// So many events make a segment. More make fewer, larger segments and take more memory until then;
    /// about 200 bytes an event. Default 1 000 000.
    pub seal_events: u64,
    /// What has waited in the log for so long becomes a segment, however little it is. Default five minutes.
    pub seal_after: Duration,
    /// Most events that wait for sealing; beyond, commits are refused as
    /// [`Behind`](crate::store::StoreError::Behind). Bounds the memory. Default 4 000 000.
    pub tail_events_max: u64,
    /// Most bytes of memory, nearly, that they may take. Default 1 GiB.
    pub tail_bytes_max: u64,
    /// Segments are merged until they have so many events. Default 4 000 000.
    pub merge_events_max: u64,
    /// So many neighbours of about the same size become one. Bounds the number of segments, and so what a
    /// question costs: an event is written again once for each power of it. Default 8; below 2 none is merged.
    pub merge_fan: usize,
    /// What was committed longer ago is retired, in whole segments. `None`: never. Default `None`.
    pub retain_for: Option<Duration>,
    /// While segments have more bytes together, the oldest is retired. `None`: never. Default `None`.
    pub retain_bytes: Option<u64>,
    /// Most bytes that the ledgers of producers may take in memory; beyond, the one not seen for longest
    /// is forgotten and counted. Default 64 MiB.
    pub ledger_bytes_max: usize,
    /// Most streams whose last number is remembered; beyond, those not seen for longest are forgotten and
    /// counted. A forgotten stream that comes again is stored again. Default 1 000 000, about 50 MB.
    pub streams_max: u64,
    /// Most bytes of the database. SQLite refuses to grow it further, as if the disk were full.
    /// `None`: what the disk has. Default `None`.
    pub database_bytes_max: Option<u64>,
}

/// Where a test can put something else in.
#[derive(Clone)]
pub(crate) struct Seams {
    /// The wall clock, nanoseconds since 1970. It dates commits, for retention.
    pub(crate) clock: Clock,
    /// Where segments are written.
    pub(crate) files: Arc<dyn Files>,
    /// Lets a test stop the work between two of its steps.
    pub(crate) steps: Steps,
}

impl Default for Seams {
    fn default() -> Self {
        Self {
            clock: Clock(Arc::new(wall_clock_ns)),
            files: Arc::new(RealFiles),
            steps: Steps::default(),
        }
    }
}

/// A source of wall time.
#[derive(Clone)]
pub(crate) struct Clock(pub(crate) Arc<dyn Fn() -> i64 + Send + Sync>);

impl Clock {
    pub(crate) fn now_ns(&self) -> i64 {
        (self.0)()
    }
}

impl Settings {
    /// The defaults, for a store in this directory.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            seal_events: 1_000_000,
            seal_after: Duration::from_secs(300),
            tail_events_max: 4_000_000,
            tail_bytes_max: 1 << 30,
            merge_events_max: 4_000_000,
            merge_fan: 8,
            retain_for: None,
            retain_bytes: None,
            ledger_bytes_max: 64 << 20,
            streams_max: 1_000_000,
            database_bytes_max: None,
        }
    }
}
