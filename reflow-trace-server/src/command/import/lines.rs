//! JSON lines, from a file that may hold anything.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use reflow_trace::TraceEvent;

use super::source::Item;
use crate::command::failure::Failure;

/// Longest line that is read; an event has at most 4 MB, and JSON may write each byte as six.
const LINE_BYTES_MAX: u64 = 32 << 20;

/// The lines of a file.
pub(super) struct Lines {
    path: PathBuf,
    reader: BufReader<File>,
    line: Vec<u8>,
    number: u64,
    read_bytes: u64,
    bytes: u64,
}

impl Lines {
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let wrong = |error| Failure::file("read", path, error);
        let file = File::open(path).map_err(wrong)?;
        Ok(Self {
            path: path.to_owned(),
            bytes: file.metadata().map_err(wrong)?.len(),
            reader: BufReader::with_capacity(1 << 18, file),
            line: Vec::new(),
            number: 0,
            read_bytes: 0,
        })
    }

    pub(super) fn share(&self) -> f64 {
        self.read_bytes as f64 / self.bytes.max(1) as f64
    }

    /// The next event or mistake; empty lines are passed over.
    pub(super) fn next(&mut self) -> Result<Option<Item>, Failure> {
        loop {
            if !self.read_line()? {
                return Ok(None);
            }
            let place = format!("line {}", self.number);
            if self.line.len() as u64 > LINE_BYTES_MAX {
                let why = format!("it has more than {} MiB", LINE_BYTES_MAX >> 20);
                return Ok(Some(Item::Mistake(place, why)));
            }
            let mut line = self.line.trim_ascii();
            if self.number == 1 {
                // What some editors put at the beginning of a file.
                line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
            }
            if line.is_empty() {
                continue;
            }
            let is_torn = !self.line.ends_with(b"\n");
            return Ok(Some(match serde_json::from_slice::<TraceEvent>(line) {
                Ok(event) => Item::Event(Box::new(event)),
                Err(error) => Item::Mistake(place, why(&error, is_torn)),
            }));
        }
    }

    /// Reads a line, of one that is too long only the beginning; `false` at the end of the file.
    fn read_line(&mut self) -> Result<bool, Failure> {
        self.line.clear();
        let read = (&mut self.reader)
            .take(LINE_BYTES_MAX + 1)
            .read_until(b'\n', &mut self.line);
        let is_cut = self.line.len() as u64 > LINE_BYTES_MAX && !self.line.ends_with(b"\n");
        let read = read.and_then(|read| match is_cut {
            true => Ok(read as u64 + self.pass_over()?),
            false => Ok(read as u64),
        });
        let read = read.map_err(|error| Failure::file("read", &self.path, error))?;
        self.read_bytes += read;
        self.number += u64::from(read > 0);
        Ok(read > 0)
    }

    /// The rest of a line that is too long.
    fn pass_over(&mut self) -> std::io::Result<u64> {
        let mut passed = 0;
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(passed);
            }
            let end = buffer.iter().position(|&byte| byte == b'\n');
            let taken = end.map_or(buffer.len(), |at| at + 1);
            self.reader.consume(taken);
            passed += taken as u64;
            if end.is_some() {
                return Ok(passed);
            }
        }
    }
}

fn why(error: &serde_json::Error, is_torn: bool) -> String {
    if error.is_eof() && is_torn {
        return "the file ends in the middle of it".to_owned();
    }
    // The line is the one of the text that was parsed, which is always the first.
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or(&text);
    let mut text: String = text.chars().take(200).collect();
    if error.column() > 0 {
        text += &format!(" (column {})", error.column());
    }
    match error.classify() {
        serde_json::error::Category::Data => format!("no event: {text}"),
        _ => format!("no JSON: {text}"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn read(content: &[u8]) -> Vec<Result<String, String>> {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(content).expect("is written");
        let mut lines = Lines::open(file.path()).expect("is there");
        let mut items = Vec::new();
        while let Some(item) = lines.next().expect("is readable") {
            items.push(match item {
                Item::Event(event) => Ok(event.actor_id),
                Item::Mistake(place, why) => Err(format!("{place}: {why}")),
            });
        }
        assert!((lines.share() - 1.0).abs() < 1e-9 || content.is_empty());
        items
    }

    fn event(actor: &str) -> String {
        serde_json::to_string(&TraceEvent::actor_started(actor)).expect("is JSON")
    }

    #[test]
    fn a_line_that_is_none_costs_no_other_line() {
        let a = event("a");
        let torn = &a[..a.len() / 2];
        let content = format!(
            "\u{feff}{a}\n\n  \r\nnonsense\n{{}}\n{}\r\n{torn}",
            event("b")
        );
        let items = read(content.as_bytes());
        assert_eq!(items[0], Ok("a".to_owned()));
        assert!(
            items[1]
                .as_ref()
                .is_err_and(|why| why.starts_with("line 4: no JSON: "))
        );
        assert!(
            items[2]
                .as_ref()
                .is_err_and(|why| why.starts_with("line 5: no event: missing field"))
        );
        assert_eq!(items[3], Ok("b".to_owned()));
        assert_eq!(
            items[4],
            Err("line 7: the file ends in the middle of it".to_owned())
        );
        assert_eq!(items.len(), 5);
    }

    #[test]
    fn an_event_as_deep_as_may_be_sent_is_read() {
        let mut event = TraceEvent::actor_started("deep");
        let deep = (0..64).fold(serde_json::Value::Null, |deep, _| vec![deep].into());
        let attribute = ("deep".to_owned(), deep);
        event.data.custom_attributes.extend([attribute]);
        let line = serde_json::to_vec(&event).expect("is JSON");
        assert_eq!(read(&line), [Ok("deep".to_owned())]);
    }

    #[test]
    fn bytes_of_any_kind_are_mistakes_and_no_panic() {
        let deep = "[".repeat(100_000);
        for content in [&b"\xff\xfe\x00\n\x1b[2J"[..], b"\0\0\0", deep.as_bytes()] {
            assert!(read(content).iter().all(Result::is_err));
        }
        assert!(read(b"").is_empty());
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over() {
        let mut content = vec![b'x'; LINE_BYTES_MAX as usize + 100];
        content.push(b'\n');
        content.extend(event("b").bytes());
        let items = read(&content);
        assert_eq!(items[0], Err("line 1: it has more than 32 MiB".to_owned()));
        assert_eq!(items[1], Ok("b".to_owned()));
    }
}
