//! A sink that seals each batch and reads it again.

use std::fmt;
use std::hint::black_box;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use reflow_trace::wire::{BatchLimits, Frame, Level, Sealer, WireBatch};
use reflow_trace::{Batch, Sink, SinkError};

use crate::Failure;

/// How often each batch is sealed and read.
pub(crate) const TIMES: usize = 5;

/// A way of compressing.
pub(crate) struct Way(Option<i32>);

/// What is compared.
pub(crate) const WAYS: [Way; 3] = [Way(None), Way(Some(1)), Way(Some(3))];

impl Way {
    pub(crate) fn is_default(&self) -> bool {
        self.0 == Some(Level::FAST.get())
    }

    fn level(&self) -> Option<Level> {
        self.0.and_then(|level| Level::new(level).ok())
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("none"),
            Some(level) => write!(f, "zstd {level}"),
        }
    }
}

/// What was measured of one way.
#[derive(Clone, Default)]
pub(crate) struct Totals {
    events: u64,
    bytes: u64,
    plain_bytes: u64,
    /// Nanoseconds per event of each batch, the middle of its times.
    seal: Vec<f64>,
    decode: Vec<f64>,
    rows: Vec<f64>,
}

impl Totals {
    /// Five columns of the table.
    pub(crate) fn row(&self) -> String {
        format!(
            "{:.1} | {:.1} | {:.0} | {:.0} | {:.0}",
            self.bytes_per_event(),
            self.plain_bytes as f64 / self.events as f64,
            middle(&self.seal),
            middle(&self.decode),
            middle(&self.rows),
        )
    }

    fn bytes_per_event(&self) -> f64 {
        self.bytes as f64 / self.events as f64
    }

    /// What is over its target.
    pub(crate) fn missed(&self, bytes: f64, ns: f64) -> impl Iterator<Item = String> {
        let figures = [
            ("bytes", self.bytes_per_event(), bytes),
            ("ns to seal", middle(&self.seal), ns),
            ("ns to decode", middle(&self.decode), ns),
        ];
        figures
            .into_iter()
            .filter(|&(_, figure, target)| figure > target)
            .map(|(what, figure, _)| format!("{figure:.1} {what}"))
    }
}

fn middle(times: &[f64]) -> f64 {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The sink.
#[derive(Clone)]
pub(crate) struct Measure {
    batch_size: usize,
    totals: Arc<Mutex<[Totals; WAYS.len()]>>,
}

impl Measure {
    pub(crate) fn new(batch_size: usize) -> Self {
        Self {
            batch_size,
            totals: Arc::default(),
        }
    }

    /// What was measured so far.
    pub(crate) fn totals(&self) -> Result<[Totals; WAYS.len()], Failure> {
        let totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        match totals[0].events {
            0 => Err("no batch of the size that was asked for was made".into()),
            _ => Ok(totals.clone()),
        }
    }
}

impl Sink for Measure {
    fn name(&self) -> &str {
        "measure"
    }

    fn write(&mut self, batch: &Batch) -> Result<(), SinkError> {
        // A collector that comes by in the middle of a burst divides it in two.
        let size = batch.len();
        if size < self.batch_size * 9 / 10 {
            return Ok(());
        }
        let mut totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        for (way, totals) in WAYS.iter().zip(totals.iter_mut()) {
            let mut sealer = Sealer::new(way.level(), BatchLimits::default());
            let frame = sealer.seal(batch, 1, 1)?;
            totals.events += size as u64;
            totals.bytes += frame.bytes().len() as u64;
            totals.plain_bytes += u64::from(frame.header().plain_len);
            let per_event = |time: &mut dyn FnMut() -> Result<(), SinkError>| {
                let mut times = Vec::with_capacity(TIMES);
                for _ in 0..TIMES {
                    let begun = Instant::now();
                    time()?;
                    times.push(begun.elapsed().as_nanos() as f64 / size as f64);
                }
                Ok::<f64, SinkError>(middle(&times))
            };
            totals.seal.push(per_event(&mut || {
                black_box(sealer.seal(batch, 1, 1)?);
                Ok(())
            })?);
            totals.decode.push(per_event(&mut || {
                black_box(decode(&frame)?);
                Ok(())
            })?);
            let read = decode(&frame)?;
            totals.rows.push(per_event(&mut || {
                for row in read.rows() {
                    black_box(row);
                }
                Ok(())
            })?);
        }
        Ok(())
    }
}

/// As a server does: checksum, zstd, columns.
fn decode(frame: &Frame) -> Result<WireBatch, SinkError> {
    let limits = BatchLimits::default();
    let frame = Frame::parse(frame.bytes().clone(), &limits.frame)?;
    Ok(WireBatch::decode(&frame, &limits)?)
}
