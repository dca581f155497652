//! The server that is measured: the real one, in a process of its own, on a directory of its own.

use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use reflow_trace_server::store::Store;
use reflow_trace_server::store::embedded::{EmbeddedStore, Settings};
use tempfile::TempDir;

use super::Failure;
use crate::process::ServerProcess;

/// Memory of a process at one time.
#[derive(Clone, Copy, Debug)]
pub struct Resident {
    /// Since the process was started.
    pub at: Duration,
    /// How much.
    pub bytes: u64,
}

impl Resident {
    /// As the kernel counts it; `None` when the process is gone.
    pub fn of(process: u32, begun: Instant) -> Option<Self> {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(Self {
            at: begun.elapsed(),
            bytes: kibibytes * 1024,
        })
    }
}

/// A server whose memory is watched.
#[derive(Debug)]
pub struct Measured {
    process: ServerProcess,
    directory: TempDir,
    begun: Instant,
    resident: Mutex<Vec<Resident>>,
}

impl Measured {
    /// Starts the program `durability-server`, which lies beside this one.
    ///
    /// # Errors
    ///
    /// It is not built, or the disk refuses.
    pub fn start() -> Result<Self, Failure> {
        // Beside the programs: `/tmp` may be memory, and a commit there costs nothing.
        let program = std::env::current_exe()?;
        let beside = program.parent().unwrap_or(Path::new("."));
        let directory = tempfile::tempdir_in(beside)?;
        let server = program.with_file_name("durability-server");
        if !server.exists() {
            return Err(format!(
                "`{}` is not built: build the package first",
                server.display()
            )
            .into());
        }
        Ok(Self {
            process: ServerProcess::start(&server, directory.path(), &[]),
            directory,
            begun: Instant::now(),
            resident: Mutex::default(),
        })
    }

    /// Where clients find it.
    pub fn url(&self) -> String {
        format!("ws://{}", self.process.address())
    }

    /// Takes down how much memory it has now.
    pub fn look(&self) {
        if let Ok(mut resident) = self.resident.lock() {
            resident.extend(Resident::of(self.process.id(), self.begun));
        }
    }

    /// What was taken down.
    pub fn resident(&self) -> Vec<Resident> {
        self.resident
            .lock()
            .map(|resident| resident.clone())
            .unwrap_or_default()
    }

    /// Ends it, seals what is left, and says what the segments weigh and hold.
    ///
    /// # Errors
    ///
    /// It did not end in good order, or the store cannot be read.
    pub fn finish(self) -> Result<(u64, u64), Failure> {
        let Self {
            process, directory, ..
        } = self;
        if !process.stop() {
            return Err("the server did not end in good order".into());
        }
        let settings = Settings {
            seal_after: Duration::ZERO,
            ..Settings::new(directory.path())
        };
        let store = EmbeddedStore::open(settings)?;
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        loop {
            let report = runtime.block_on(store.maintain(i64::MAX / 2))?;
            if report.sealed_events == 0 && report.merged_segments == 0 {
                break;
            }
        }
        let stats = store.stats();
        if stats.tail_events > 0 || stats.segment_events != stats.events {
            return Err(format!("not everything is sealed: {stats:?}").into());
        }
        Ok((stats.segment_bytes, stats.segment_events))
    }
}
