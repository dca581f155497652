//! Events in a file, one JSON object per line, in the form of Reflow's protocol.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::{Sink, SinkError};
use crate::collector::Batch;
use crate::event::TraceEvent;

/// Appends every event to a file as a line of JSON.
#[derive(Debug)]
pub struct JsonLinesSink {
    path: PathBuf,
    writer: BufWriter<File>,
    /// A write failed in the middle of a line.
    is_torn: bool,
}

impl JsonLinesSink {
    /// Creates the file, or empties it.
    ///
    /// # Errors
    ///
    /// When the file cannot be created.
    pub fn create(path: impl AsRef<Path>) -> std::io::Result<Self> {
        let path = path.as_ref().to_owned();
        let writer = BufWriter::with_capacity(1 << 16, File::create(&path)?);
        Ok(Self {
            path,
            writer,
            is_torn: false,
        })
    }

    /// Appends to the file, or creates it.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened for writing.
    pub fn append(path: impl AsRef<Path>) -> std::io::Result<Self> {
        let path = path.as_ref().to_owned();
        let file = File::options().append(true).create(true).open(&path)?;
        Ok(Self {
            path,
            writer: BufWriter::with_capacity(1 << 16, file),
            is_torn: false,
        })
    }

    fn write_line(&mut self, event: &TraceEvent) -> std::io::Result<()> {
        if self.is_torn {
            // What is left of the broken line must not swallow this one.
            self.writer.write_all(b"\n")?;
        }
        serde_json::to_writer(&mut self.writer, event)?;
        self.writer.write_all(b"\n")
    }

    fn explain(&self, error: impl std::fmt::Display) -> SinkError {
        format!("cannot write to `{}`: {error}", self.path.display()).into()
    }
}

impl Sink for JsonLinesSink {
    fn name(&self) -> &str {
        "file"
    }

    fn write(&mut self, batch: &Batch) -> Result<(), SinkError> {
        for event in batch.events() {
            let written = self.write_line(&event);
            self.is_torn = written.is_err();
            written.map_err(|error| self.explain(error))?;
        }
        // A batch is on its way to the disk before it is counted as stored.
        self.flush()
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        self.writer.flush().map_err(|error| self.explain(error))
    }
}
