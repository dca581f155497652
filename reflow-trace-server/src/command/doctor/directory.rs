//! A store whose server is not running.

use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::report::Report;
use crate::command::asker::there_is_a_store;
use crate::command::failure::Failure;
use crate::command::progress::Progress;
use crate::command::show;
use crate::store::StoreError;
use crate::store::embedded::{Inspection, inspect};

/// How often the progress is looked at.
const INTERVAL: Duration = Duration::from_millis(100);

pub(super) async fn look(
    directory: PathBuf,
    deep: bool,
    report: &mut Report,
) -> Result<(), Failure> {
    there_is_a_store(&directory)?;
    let now_ns = Utc::now().timestamp_nanos_opt().unwrap_or(i64::MAX);
    let (seen, progress) = mpsc::channel();
    let looked_at = directory.clone();
    let looking = tokio::task::spawn_blocking(move || {
        let mut watch = |done: u64, all: u64| {
            let _nobody_looks = seen.send((done, all));
        };
        inspect(&looked_at, deep, now_ns, &mut watch)
    });
    let showing = tokio::task::spawn_blocking(move || {
        let mut line = Progress::new("MB");
        loop {
            match progress.recv_timeout(INTERVAL) {
                Ok((done, all)) => {
                    line.show(done / 1_000_000, Some(done as f64 / all.max(1) as f64));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    });
    let found = looking.await;
    // It is over when nobody tells it anything any more.
    let _cleared = showing.await;
    let found = found.unwrap_or_else(|fault| {
        Err(StoreError::Damaged {
            place: directory.display().to_string(),
            detail: fault.to_string(),
        })
    });
    let found = found.map_err(|source| Failure::Store { directory, source })?;
    tell(found, report);
    Ok(())
}

fn tell(found: Inspection, report: &mut Report) {
    let sums = &found.sums;
    report.about = format!(
        "the store in `{}`, format {}",
        found.directory.display(),
        found.format
    );
    let count = reflow_trace::terminal::count;
    report.lines.push(format!(
        "{} stored: {} in the log, {} in {}, {} retired, {} damaged",
        show::counted(sums.stored, "event"),
        count(sums.log),
        count(sums.in_segments),
        show::counted(sums.segments, "segment"),
        count(sums.retired),
        count(sums.damaged),
    ));
    if let Some((first, last)) = found.times_ns {
        let moment = |ns| show::moment(DateTime::from_timestamp_nanos(ns));
        report
            .lines
            .push(format!("from {} to {}", moment(first), moment(last)));
    }
    let mut room = format!(
        "{} in segments, {} in the database",
        show::bytes(sums.segment_bytes),
        show::bytes(sums.database_bytes)
    );
    if let Some(free) = found.free_bytes {
        room += &format!(", {} free", show::bytes(free));
    }
    report.lines.push(room);
    let producers = found.producers.len() as u64;
    if producers > 0 {
        report.lines.push(format!(
            "{} have sent what is in segments",
            show::counted(producers, "producer")
        ));
    }
    report.sums = Some(found.sums);
    report.findings = found.findings;
}
