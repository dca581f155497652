//! What is read: a file of a known kind, and what makes it the same file another time.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use reflow_trace::event::ProducerId;
use reflow_trace::{EventId, TraceEvent};
use sha2::{Digest as _, Sha256};

use super::lines::Lines;
use crate::command::failure::Failure;
use crate::command::screen::remark;
use crate::store::embedded::{LooseReader, NotLoose};

/// Goes into the hash, so that other rules of dividing make other streams.
const RULES: &[u8] = b"reflow-trace import 1\0";

/// Events of a file, in its order.
pub(super) enum Source {
    Lines(Lines),
    Parquet(Rows),
}

/// One thing that was read.
pub(super) enum Item {
    Event(Box<TraceEvent>),
    /// Where, and why it is no event.
    Mistake(String, String),
}

/// Rows of a Parquet file.
pub(super) struct Rows {
    path: PathBuf,
    reader: LooseReader,
    read: std::vec::IntoIter<Result<TraceEvent, String>>,
    row: u64,
}

impl Source {
    /// Opens a file by the kind that its name says.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let about = std::fs::metadata(path).map_err(|error| Failure::file("read", path, error))?;
        if !about.is_file() {
            return Err(Failure::content(
                path,
                " is no regular file: it is read twice, so write what comes out of a pipe to a file first",
            ));
        }
        let ending = path.extension().unwrap_or_default();
        if !ending.eq_ignore_ascii_case("parquet") {
            return Lines::open(path).map(Self::Lines);
        }
        let reader = LooseReader::open(path).map_err(|error| match error {
            NotLoose::Io(error) => Failure::file("read", path, error),
            other => Failure::content(path, format!(" {other}")),
        })?;
        Ok(Self::Parquet(Rows {
            path: path.to_owned(),
            reader,
            read: Vec::new().into_iter(),
            row: 0,
        }))
    }

    /// Whether damage to the content would be seen: lines break, and a checksum is wrong.
    fn shows_damage(&self) -> bool {
        match self {
            Self::Lines(_) => true,
            Self::Parquet(rows) => rows.reader.is_vouched_for(),
        }
    }

    /// The next event or mistake; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Item>, Failure> {
        match self {
            Self::Lines(lines) => lines.next(),
            Self::Parquet(rows) => rows.next(),
        }
    }

    /// Which share of the file was read.
    pub(super) fn share(&self) -> f64 {
        match self {
            Self::Lines(lines) => lines.share(),
            Self::Parquet(rows) => rows.row as f64 / rows.reader.rows().max(1) as f64,
        }
    }
}

impl Rows {
    fn next(&mut self) -> Result<Option<Item>, Failure> {
        loop {
            if let Some(read) = self.read.next() {
                self.row += 1;
                return Ok(Some(match read {
                    Ok(event) => Item::Event(Box::new(event)),
                    Err(why) => Item::Mistake(format!("row {}", self.row), why),
                }));
            }
            match self.reader.next() {
                None => return Ok(None),
                Some(Ok(rows)) => self.read = rows.into_iter(),
                Some(Err(error)) => {
                    return Err(Failure::content(
                        &self.path,
                        format!(" is damaged behind row {}: {error}", self.row),
                    ));
                }
            }
        }
    }
}

/// What makes a file the same file another time: its content.
#[derive(Clone, Copy, Debug)]
pub(super) struct Identity {
    /// The stream that its events are.
    pub(super) stream: u64,
    /// The producer of its batches.
    pub(super) producer: ProducerId,
    /// The first event in it.
    pub(super) first: Option<EventId>,
}

impl Identity {
    /// Reads the file once. `strict`: and finds out whether all of it can be read, and is what was written.
    pub(super) fn of(path: &Path, strict: bool) -> Result<Self, Failure> {
        let (stream, producer) =
            hashed(path).map_err(|error| Failure::file("read", path, error))?;
        let mut source = Source::open(path)?;
        if !source.shows_damage() {
            const WHY: &str = "has no checksum, so nobody can tell whether it is damaged";
            if strict {
                let detail = format!(" {WHY}; nothing of it was imported (`--strict`)");
                return Err(Failure::content(path, detail));
            }
            remark(&format!("{}: {WHY}", path.display()));
        }
        let mut first = None;
        while let Some(item) = source.next()? {
            match item {
                Item::Event(event) => {
                    let is_notice = super::parcel::is_notice(&event);
                    first = first.or((!is_notice).then_some(event.event_id));
                    if first.is_some() && !strict {
                        break;
                    }
                }
                Item::Mistake(place, why) if strict => {
                    return Err(Failure::content(
                        path,
                        format!(": {place}: {why}; nothing of it was imported (`--strict`)"),
                    ));
                }
                Item::Mistake(..) => {}
            }
        }
        Ok(Self {
            stream,
            producer,
            first,
        })
    }
}

fn hashed(path: &Path) -> std::io::Result<(u64, ProducerId)> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new_with_prefix(RULES);
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => hash.update(&buffer[..read]),
        }
    }
    let hash = hash.finalize();
    let word = |at: usize| {
        let bytes = hash[at..at + 8].iter();
        bytes.fold(0_u64, |word, &byte| word << 8 | u64::from(byte))
    };
    // Number 0 is none.
    Ok((word(0).max(1), ProducerId::from_bits(word(8))))
}
