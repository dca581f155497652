//! Counts the lines, words and bytes of files as `wc` does, in four actors on threads, and shows
//! how the data flowed between them: `file_reader → splitter → counter → reporter`.
//!
//! ```text
//! cargo run --example word_flow -- README.md CHANGELOG.md
//! ```

use std::collections::HashMap;
use std::io::Read as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SendError, SyncSender, sync_channel};
use std::{fs::File, io, mem, thread};

use reflow_trace::{Context, DataFlowGraph, MemorySink, Message, sample, traced_actor, traced_connector};

const USAGE: &str = "\
usage: word_flow FILE...

Counts lines, words and bytes of each FILE as `wc` does, names the most frequent words, and shows
how the data flowed between the four actors that did it. Words are separated by ASCII white space;
any bytes are accepted.
";
const CHUNK_BYTES_MAX: u64 = 64 * 1024;
/// What is kept of a longer word. It is counted all the same.
const WORD_BYTES_MAX: usize = 64;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Clone, Copy, Default)]
struct Counts {
    lines: u64,
    words: u64,
    bytes: u64,
}

/// A piece of a file; the last one is empty.
#[sample(rate = 1.0, size = "self.bytes.len()")]
struct Chunk {
    #[trace(attribute)]
    file: Arc<str>,
    bytes: Vec<u8>,
    #[trace(context)]
    context: Context,
}

/// The words that ended in a piece, and its counts.
#[sample(rate = 1.0, size = "self.words.iter().map(Vec::len).sum()")]
struct Words {
    file: Arc<str>,
    is_last: bool,
    words: Vec<Vec<u8>>,
    counts: Counts,
    #[trace(context)]
    context: Context,
}

#[sample(rate = 1.0)]
enum Report {
    FileTotals {
        file: Arc<str>,
        counts: Counts,
        #[trace(context)]
        context: Context,
    },
    FrequentWords {
        words: Vec<(String, u64)>,
    },
}

struct Connector<M> {
    from_actor: &'static str,
    from_port: &'static str,
    to_actor: &'static str,
    to_port: &'static str,
    channel: SyncSender<M>,
}

#[traced_connector]
impl<M: Message> Connector<M> {
    fn send(&self, message: M) -> Result<(), SendError<M>> {
        self.channel.send(message)
    }
}

fn connect<M>(from_actor: &'static str, to_actor: &'static str) -> (Connector<M>, Receiver<M>) {
    let (channel, inbox) = sync_channel(16);
    let connector = Connector { from_actor, from_port: "out", to_actor, to_port: "in", channel };
    (connector, inbox)
}

struct Splitter {
    partial: Vec<u8>,
    counter: Connector<Words>,
}

#[traced_actor]
impl Splitter {
    fn handle(&mut self, message: Chunk) -> Result<(), Failure> {
        let Chunk { file, bytes, .. } = message;
        let is_last = bytes.is_empty();
        let mut words = Vec::new();
        // A file ends its last word as white space would.
        for &byte in if is_last { b" ".as_slice() } else { &bytes } {
            // What `isspace` says in the C locale: unlike `is_ascii_whitespace`, with \v.
            if !matches!(byte, b' ' | b'\t'..=b'\r') {
                if self.partial.len() < WORD_BYTES_MAX {
                    self.partial.push(byte);
                }
            } else if !self.partial.is_empty() {
                words.push(mem::take(&mut self.partial));
            }
        }
        let counts = Counts {
            lines: bytes.iter().filter(|&&byte| byte == b'\n').count() as u64,
            words: words.len() as u64,
            bytes: bytes.len() as u64,
        };
        let context = Context::default();
        Ok(self.counter.send(Words { file, is_last, words, counts, context })?)
    }
}

#[derive(Default)]
struct Counter {
    of_file: Counts,
    frequency: HashMap<Vec<u8>, u64>,
}

#[traced_actor]
impl Counter {
    fn handle(&mut self, message: Words, reporter: &Connector<Report>) -> Result<(), Failure> {
        self.of_file.add(message.counts);
        for word in message.words {
            *self.frequency.entry(word).or_default() += 1;
        }
        if message.is_last {
            let (file, counts) = (message.file, mem::take(&mut self.of_file));
            reporter.send(Report::FileTotals { file, counts, context: Context::default() })?;
        }
        Ok(())
    }
}

/// Counts what the reporter is told, and keeps it in the order of the files.
fn report(inbox: Receiver<Report>, reporter: &mut Reporter) -> Result<(), Failure> {
    for message in inbox {
        reporter.handle(message)?;
    }
    Ok(())
}
