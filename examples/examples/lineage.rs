//! A network that fans out, fans in and loops, and what can be asked of its events: source → splitter →
//! left and right → joiner → polisher, which sends each message to itself twice → store. `right` is slow,
//! and the store refuses one message.
//!
//! ```text
//! cargo run --example lineage
//! ```

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use reflow_trace::lineage::FlowIndex;
use reflow_trace::{Context, MemorySink, sample, traced_actor, traced_connector};

const TASKS: u64 = 40;
const REFUSED: u64 = 13;

/// What flows: the id of the task, how often it was polished, what it was made from beside its cause.
#[sample(rate = 1.0)]
enum Message {
    Task(#[trace(id)] u64, #[trace(context)] Context),
    Half(#[trace(id)] u64, #[trace(context)] Context),
    Whole(
        #[trace(id)] u64,
        u32,
        #[trace(attribute)] Vec<Context>,
        #[trace(context)] Context,
    ),
}
use Message::*;

struct Connector {
    from_actor: &'static str,
    to_actor: &'static str,
    channel: SyncSender<Option<Message>>,
}

#[traced_connector(from_port = ("out"), to_port = ("in"))]
impl Connector {
    fn send(&self, message: Message) -> Result<(), &'static str> {
        match message {
            Whole(REFUSED, ..) if self.to_actor == "store" => Err("the store is full"),
            message => self
                .channel
                .send(Some(message))
                .map_err(|_| "nobody listens"),
        }
    }
}

type Channels = HashMap<&'static str, SyncSender<Option<Message>>>;

fn connector(from_actor: &'static str, to_actor: &'static str, channels: &Channels) -> Connector {
    let channel = channels[to_actor].clone();
    Connector {
        from_actor,
        to_actor,
        channel,
    }
}

#[derive(Default)]
struct Actor {
    name: &'static str,
    outs: Vec<Connector>,
    put_aside: HashMap<u64, Context>,
}

#[traced_actor(actor = "self.name", port = "in")]
impl Actor {
    fn handle(&mut self, message: Message) {
        let new = Context::NONE;
        let answers = match message {
            Task(id, _) => vec![(0, Half(id, new)), (1, Half(id, new))],
            Half(id, _) if self.name != "joiner" => {
                if self.name == "right" {
                    thread::sleep(Duration::from_millis(3));
                }
                vec![(0, Half(id, new))]
            }
            Half(id, _) => match self.put_aside.remove(&id) {
                Some(other) => vec![(0, whole(id, 0, vec![other]))],
                None => {
                    // The handling of this half is one cause of the whole; the other half is the other.
                    self.put_aside.insert(id, Context::current());
                    vec![]
                }
            },
            Whole(..) if self.name == "store" => vec![],
            Whole(id, polished @ 0..2, ..) => vec![(0, whole(id, polished + 1, vec![]))],
            Whole(id, polished, ..) => vec![(1, whole(id, polished, vec![]))],
        };
        for (out, answer) in answers {
            if let Err(error) = self.outs[out].send(answer) {
                println!("{}: {error}", self.name);
            }
        }
    }

    /// Until told to stop, and until what it has sent itself is worked off.
    fn work(mut self, inbox: Receiver<Option<Message>>) {
        while let Ok(Some(message)) = inbox.recv() {
            self.handle(message);
        }
        while let Ok(Some(message)) = inbox.try_recv() {
            self.handle(message);
        }
    }
}

fn whole(id: u64, polished: u32, made_from: Vec<Context>) -> Message {
    Whole(id, polished, made_from, Context::NONE)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let memory = MemorySink::with_capacity(100_000);
    let guard = reflow_trace::builder().sink(memory.clone()).start()?;

    // From the last actor to the first: each needs the channels that lead on from it.
    let mut channels = HashMap::new();
    let mut threads = Vec::new();
    for (name, to) in [
        ("store", &[][..]),
        ("polisher", &["polisher", "store"]),
        ("joiner", &["polisher"]),
        ("right", &["joiner"]),
        ("left", &["joiner"]),
        ("splitter", &["left", "right"]),
    ] {
        // Who sends to himself must not wait for himself.
        let (channel, inbox) = sync_channel(if name == "polisher" { 100 } else { 2 });
        channels.insert(name, channel);
        let outs = to
            .iter()
            .map(|&to| connector(name, to, &channels))
            .collect();
        let actor = Actor {
            name,
            outs,
            ..Actor::default()
        };
        threads.push((name, thread::spawn(move || actor.work(inbox))));
    }
    let source = connector("source", "splitter", &channels);
    for id in 0..TASKS {
        source.send(Task(id, Context::NONE))?;
    }
    for (name, thread) in threads.into_iter().rev() {
        channels[name].send(None)?;
        thread.join().map_err(|_| "an actor panicked")?;
    }

    guard.flush(Duration::from_secs(1))?;
    let events = memory.events();
    let index = FlowIndex::new(&events);
    let stored = events.iter().find(|event| event.actor_id == "store");
    println!(
        "{}",
        index
            .lineage(stored.ok_or("something was stored")?)
            .ok_or("it is there")?
    );
    println!("{}", index.dependency_map());
    println!("{}", index.bottleneck());
    for share in index.edge_shares() {
        println!("{share}");
    }
    for missing in index.missing_flows(|_| true) {
        let message = missing.sent.message_id().ok_or("every message has an id")?;
        println!(
            "\nmessage {message} of {} did not flow: {:?}",
            missing.sent.actor_id, missing.reason
        );
    }
    Ok(())
}
