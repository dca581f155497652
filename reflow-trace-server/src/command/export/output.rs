//! The two forms, into a file or to standard output.

use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use parquet::errors::ParquetError;
use reflow_trace::TraceEvent;
use reflow_trace::event::ProducerId;
use reflow_trace::wire::{BatchLimits, SealError, Sealer, WireBatch};

use crate::command::failure::Failure;
use crate::command::file::NewFile;
use crate::command::screen::escaped;
use crate::store::embedded::LooseWriter;

/// How events are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    JsonLines,
    Parquet,
}

impl Form {
    /// The form that is said, or that the name of the file says.
    pub(super) fn of(said: Option<&String>, path: Option<&Path>) -> Result<Self, Failure> {
        match said.map(String::as_str) {
            Some("parquet") => return Ok(Self::Parquet),
            Some(_) => return Ok(Self::JsonLines),
            None => {}
        }
        let Some(path) = path else {
            return Ok(Self::JsonLines);
        };
        let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
        match ending.to_str() {
            Some("parquet") => Ok(Self::Parquet),
            Some("jsonl" | "ndjson" | "json") => Ok(Self::JsonLines),
            _ => Err(Failure::Usage(format!(
                "`{}` does not say which form is wanted: end it in `.jsonl` or `.parquet`, or say `--format`",
                path.display()
            ))),
        }
    }
}

/// What is being written.
pub(super) enum Output {
    JsonLines(Place),
    Parquet(PathBuf, Box<Packing>),
}

/// Into a file, or to standard output.
pub(super) enum Place {
    File(NewFile, PathBuf),
    Stdout(io::BufWriter<io::Stdout>),
}

/// Events on their way into columns.
pub(super) struct Packing {
    writer: LooseWriter<Place>,
    sealer: Sealer,
    producer: ProducerId,
}

impl Write for Place {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file, _) => file.write(bytes),
            Self::Stdout(stdout) => stdout.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file, _) => file.flush(),
            Self::Stdout(stdout) => stdout.flush(),
        }
    }
}

impl Place {
    fn failed(&self, error: io::Error) -> Failure {
        match self {
            Self::File(_, path) => Failure::file("write", path, error),
            Self::Stdout(_) => Failure::printing(error),
        }
    }

    fn finish(self) -> Result<(), Failure> {
        match self {
            Self::File(file, _) => file.finish(),
            Self::Stdout(mut stdout) => stdout.flush().map_err(Failure::printing),
        }
    }
}

impl Output {
    pub(super) fn create(form: Form, path: Option<&Path>) -> Result<Self, Failure> {
        let place = match path {
            Some(path) => Place::File(NewFile::create(path)?, path.to_owned()),
            None if form == Form::Parquet && io::stdout().is_terminal() => {
                return Err(Failure::Usage(
                    "Parquet is nothing to look at: name a file with `-o`, or redirect the output"
                        .to_owned(),
                ));
            }
            None => Place::Stdout(io::BufWriter::with_capacity(1 << 18, io::stdout())),
        };
        Ok(match form {
            Form::JsonLines => Self::JsonLines(place),
            Form::Parquet => {
                let name = path.unwrap_or(Path::new("standard output")).to_owned();
                let writer =
                    LooseWriter::new(place).map_err(|error| parquet_failed(&name, error))?;
                let packing = Packing {
                    writer,
                    sealer: Sealer::new(None, limits()),
                    producer: ProducerId::random(),
                };
                Self::Parquet(name, Box::new(packing))
            }
        })
    }

    /// Adds events, which begin no earlier than those before them.
    pub(super) fn write(&mut self, events: &[TraceEvent]) -> Result<(), Failure> {
        match self {
            Self::JsonLines(place) => {
                for event in events {
                    // The same JSON to whoever reads it, and harmless on a terminal.
                    let line = serde_json::to_string(event).map(escaped);
                    let written = line.map_err(io::Error::from).and_then(|mut line| {
                        line.push('\n');
                        place.write_all(line.as_bytes())
                    });
                    written.map_err(|error| place.failed(error))?;
                }
                Ok(())
            }
            Self::Parquet(name, packing) => packing.write(name, events),
        }
    }

    /// Ends it; a file gets its name.
    pub(super) fn finish(self) -> Result<(), Failure> {
        match self {
            Self::JsonLines(place) => place.finish(),
            Self::Parquet(name, packing) => {
                let place = packing.writer.finish();
                place
                    .map_err(|error| parquet_failed(&name, error))?
                    .finish()
            }
        }
    }
}

impl Packing {
    fn write(&mut self, name: &Path, events: &[TraceEvent]) -> Result<(), Failure> {
        let mut left = vec![events];
        while let Some(part) = left.pop() {
            if part.is_empty() {
                continue;
            }
            match self.batch(part) {
                Ok(batch) if batch.len() == part.len() => {
                    let written = self.writer.push(&batch);
                    written.map_err(|error| parquet_failed(name, error))?;
                }
                Err(SealError::TooLarge { .. }) if part.len() > 1 => {
                    let (first, second) = part.split_at(part.len() / 2);
                    left.extend([second, first]);
                }
                Ok(_) => {
                    return Err(Failure::content(
                        name,
                        ": an event among these would not be read again as what it is",
                    ));
                }
                Err(error) => {
                    return Err(Failure::content(
                        name,
                        format!(": an event cannot be written: {error}"),
                    ));
                }
            }
        }
        Ok(())
    }

    /// The events as rows: by the way that they take to a store too.
    fn batch(&mut self, events: &[TraceEvent]) -> Result<WireBatch, SealError> {
        let frame = self.sealer.seal_events(events, self.producer, 1, 1)?;
        // What was sealed a moment ago within the same limits can be read.
        WireBatch::decode(&frame, &limits()).map_err(|_| SealError::NotANotice)
    }
}

/// An event that was stored fits.
fn limits() -> BatchLimits {
    let mut limits = BatchLimits::default();
    limits.frame.payload_bytes_max = 1 << 30;
    limits.frame.plain_bytes_max = 1 << 30;
    limits
}

fn parquet_failed(name: &Path, error: ParquetError) -> Failure {
    if let ParquetError::External(source) = &error
        && let Some(source) = source.downcast_ref::<io::Error>()
    {
        let same = source.raw_os_error().map_or_else(
            || io::Error::new(source.kind(), source.to_string()),
            io::Error::from_raw_os_error,
        );
        if name == Path::new("standard output") {
            return Failure::printing(same);
        }
        return Failure::file("write", name, same);
    }
    Failure::file("write", name, io::Error::other(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_that_of_the_name_unless_it_is_said() {
        let form = |said: Option<&str>, path: Option<&str>| {
            let said = said.map(str::to_owned);
            Form::of(said.as_ref(), path.map(Path::new)).ok()
        };
        assert_eq!(form(None, None), Some(Form::JsonLines));
        assert_eq!(form(None, Some("x.PARQUET")), Some(Form::Parquet));
        assert_eq!(
            form(Some("jsonl"), Some("x.parquet")),
            Some(Form::JsonLines)
        );
        assert_eq!(form(None, Some("x.csv")), None);
    }
}
