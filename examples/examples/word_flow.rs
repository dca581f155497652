//! Counts the lines, words and bytes of files as `wc` does, in four actors on threads, and shows
//! how the data flowed between them: file_reader → splitter → counter → reporter.
//!
//! ```text
//! cargo run --example word_flow -- README.md CHANGELOG.md
//! ```

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;
use std::{mem, thread};

use reflow_trace::{
    Context, DataFlowGraph, Edge, MemorySink, sample, traced_actor, traced_connector,
};
use reflow_trace_examples::{Splitter, Tally, pieces};

const USAGE: &str = "\
usage: word_flow FILE...

Counts the lines, words and bytes of each FILE as `wc` does, names the most frequent words, and
shows how the data flowed between the four actors that did it. Words are separated by ASCII white
space; any bytes are accepted.
";

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What flows, each with the name of its file: a piece (the last one is empty), its words, the sum.
#[sample(rate = 1.0)]
enum Message {
    Chunk(Arc<str>, Vec<u8>, #[trace(context)] Context),
    Words(Arc<str>, Tally, #[trace(context)] Context),
    FileTotals(Arc<str>, Tally, #[trace(context)] Context),
}
use Message::*;

/// Holds its edge as a handle, which is looked up once; `sensor_pipeline` shows the four names.
struct Connector {
    edge: Edge,
    channel: SyncSender<Message>,
}

#[traced_connector(edge = "self.edge")]
impl Connector {
    fn send(&self, message: Message) -> Result<(), Failure> {
        Ok(self.channel.send(message)?)
    }
}

#[derive(Default)]
struct Actor {
    splitter: Splitter,
    tally: Tally,
    next: Option<Connector>,
}

#[traced_actor]
impl Actor {
    /// What each of the four does with what it is sent.
    fn handle(&mut self, message: Message) -> Result<(), Failure> {
        let answer = match message {
            Chunk(file, bytes, _) => Words(file, self.splitter.split(&bytes), Context::NONE),
            Words(file, words, _) => {
                let is_last = words.bytes == 0;
                self.tally.add(words);
                if !is_last {
                    return Ok(());
                }
                FileTotals(file, mem::take(&mut self.tally), Context::NONE)
            }
            FileTotals(file, totals, _) => {
                println!("{totals} {file}");
                self.tally.add(totals);
                return Ok(());
            }
        };
        let next = self.next.as_ref().ok_or("the last actor answers nothing")?;
        next.send(answer)
    }
}

/// The work of the file_reader.
fn send(name: &Path, reader: &Connector) -> Result<(), Failure> {
    let file: Arc<str> = name.display().to_string().into();
    for piece in pieces(name)? {
        reader.send(Chunk(Arc::clone(&file), piece?, Context::NONE))?;
    }
    Ok(())
}

fn main() -> Result<ExitCode, Failure> {
    let files: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    if files.is_empty() || files.iter().any(|file| file == Path::new("--help")) {
        print!("{USAGE}");
        return Ok(ExitCode::from(if files.is_empty() { 2 } else { 0 }));
    }
    let memory = MemorySink::with_capacity(100_000);
    let guard = reflow_trace::builder().sink(memory.clone()).start()?;

    // From the last connector to the first: each actor owns the one that leads on from it.
    let mut next = None;
    let mut threads = Vec::new();
    for (from_actor, to_actor) in [
        ("counter", "reporter"),
        ("splitter", "counter"),
        ("file_reader", "splitter"),
    ] {
        let (channel, inbox) = sync_channel(16);
        let mut actor = Actor {
            next: next.take(),
            ..Actor::default()
        };
        threads.push(thread::spawn(move || {
            inbox
                .into_iter()
                .try_for_each(|message| actor.handle(message))?;
            Ok::<Tally, Failure>(actor.tally)
        }));
        let edge = Edge::new(from_actor, "out", to_actor, "in");
        next = Some(Connector { edge, channel });
    }
    let reader = next.ok_or("a chain has a first connector")?;
    let mut exit_code = ExitCode::SUCCESS;
    for name in &files {
        if let Err(error) = send(name, &reader) {
            eprintln!("word_flow: {}: {error}", name.display());
            exit_code = ExitCode::FAILURE;
        }
    }
    drop(reader);
    // Only the last actor, whose thread was started first, keeps what it has added up.
    let mut total = Tally::default();
    for thread in threads {
        total.add(thread.join().map_err(|_| "an actor panicked")??);
    }
    if files.len() > 1 {
        println!("{total} total");
    }
    println!("\nmost frequent: {:?}\n", total.most_frequent(5));

    guard.flush(Duration::from_secs(1))?;
    println!(
        "{}",
        DataFlowGraph::from_events(&memory.events()).edge_table()
    );
    Ok(exit_code)
}
