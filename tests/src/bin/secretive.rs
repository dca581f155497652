//! A program whose messages hold a secret, for the test that looks for it in everything that comes out.
//!
//! ```text
//! secretive FILE
//! ```
//!
//! Sends, fails, panics, handles and draws, and prints everything that tracing has to say. The secret comes
//! in by the variable `SECRET`, so that it is not in the program either.

use std::io::Write as _;
use std::sync::mpsc::{Receiver, RecvError, Sender, channel};
use std::time::Duration;

use reflow_trace::{
    ContentKey, ContentLimits, DataFlowGraph, MemorySink, TraceEvent, TracingConfig,
    global_tracing, sample, traced_actor, traced_connector,
};
use serde::{Serialize, Serializer};

/// What serde makes of it is seen; the derived `Debug` of the program's own types never is.
#[sample(capture)]
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Login {
    user: String,
    #[trace(redact)]
    pass_word: String,
    #[serde(flatten)]
    session: Session,
}

#[sample]
#[derive(Clone, Serialize)]
struct Session {
    #[trace(redact)]
    token: String,
    hops: u8,
}

#[sample(capture)]
#[derive(Serialize)]
#[serde(untagged)]
enum Command {
    Enter(Box<Login>),
    Leave(#[trace(redact)] String),
}

/// Fails to be serialised, with the secret in the error.
#[sample(capture)]
struct Failing(String);

impl Serialize for Failing {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom(&self.0))
    }
}

/// Holds the secret and asks for nothing.
#[sample(rate = 1.0)]
#[derive(Serialize)]
struct Silent(String);

/// Says nothing of tracing at all.
struct Unknown(#[expect(dead_code, reason = "looked for in the output")] String);

struct Connector<M> {
    from_actor: &'static str,
    from_port: &'static str,
    to_actor: &'static str,
    to_port: &'static str,
    channel: Sender<M>,
    inbox: Receiver<M>,
}

impl<M> Connector<M> {
    fn new() -> Self {
        let (channel, inbox) = channel();
        Self {
            from_actor: "client",
            from_port: "out",
            to_actor: "server",
            to_port: "in",
            channel,
            inbox,
        }
    }
}

/// An error that has the message in it, as those of channels do.
#[derive(Debug)]
struct Refused(#[expect(dead_code, reason = "looked for in the output")] String);

macro_rules! connectors {
    ($($message:ty)*) => {$(
        #[traced_connector]
        impl Connector<$message> {
            fn send(&self, message: $message) -> Result<(), Refused> {
                self.channel.send(message).map_err(|_| Refused(String::new()))
            }
            fn recv(&self) -> Result<$message, RecvError> {
                self.inbox.recv()
            }
            #[trace(send)]
            fn refuse(&self, message: $message, secret: &str) -> Result<(), Refused> {
                drop(message);
                Err(Refused(secret.to_owned()))
            }
            #[trace(send)]
            fn explode(&self, message: $message, secret: &str) {
                drop(message);
                std::panic::panic_any(secret.to_owned());
            }
        }

        impl Connector<$message> {
            fn exercise(&self, make: impl Fn() -> $message, secret: &str) {
                let _sent = self.send(make());
                let _received = self.recv();
                let _refused = self.refuse(make(), secret);
                let exploded = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    self.explode(make(), secret);
                }));
                assert!(exploded.is_err(), "it always explodes");
            }
        }
    )*};
}

connectors!(Login Command Failing Silent Unknown);

struct Server;

#[traced_actor(actor = "\"server\"")]
impl Server {
    fn handle(&mut self, message: &Login) -> Result<(), String> {
        Err(format!("wrong password {}", message.pass_word))
    }
}

fn main() {
    let file = std::env::args().nth(1).expect("a file is named");
    let secret = std::env::var("SECRET").expect("the secret is set");
    // The panics are the program's own, and so would be their words.
    std::panic::set_hook(Box::new(|_| {}));
    let memory = MemorySink::with_capacity(1_000);
    let config = TracingConfig {
        file: Some(file.into()),
        content: ContentLimits {
            key: std::env::var("KEY").ok().map(ContentKey::new),
            ..Default::default()
        },
        ..Default::default()
    };
    println!("{config:?}");
    let builder = reflow_trace::builder().config(config).sink(memory.clone());
    println!("{builder:?}");
    let guard = builder.start().expect("nobody else is recording");

    let login = || Login {
        user: "ada".into(),
        pass_word: secret.clone(),
        session: Session {
            token: secret.clone(),
            hops: 1,
        },
    };
    Connector::<Login>::new().exercise(login, &secret);
    Connector::<Command>::new().exercise(|| Command::Enter(Box::new(login())), &secret);
    Connector::<Command>::new().exercise(|| Command::Leave(secret.clone()), &secret);
    Connector::<Failing>::new().exercise(|| Failing(secret.clone()), &secret);
    Connector::<Silent>::new().exercise(|| Silent(secret.clone()), &secret);
    Connector::<Unknown>::new().exercise(|| Unknown(secret.clone()), &secret);
    let _refused = Server.handle(&login());

    let flushed = guard.flush(Duration::from_secs(5));
    println!("{flushed:?} {guard:?} {memory:?}");
    say(&memory.events());
    let tracing = global_tracing().expect("a recording is under way");
    let metrics = tracing.performance_metrics();
    println!("{tracing:?}\n{metrics}\n{metrics:?}");
    println!("{:?}", tracing.edge_counters());
}

/// Everything that can be made of events.
fn say(events: &[TraceEvent]) {
    println!("{events:?}\n{events:#?}");
    for event in events {
        let message = event.data.message.as_ref();
        let content = message.map(|message| message.serialized_data.as_slice());
        // As text too, because numbers are hard to read.
        let _unread = std::io::stdout().write_all(content.unwrap_or_default());
        println!();
    }
    let graph = DataFlowGraph::from_events(events);
    println!("{graph:?}\n{}", graph.edge_table());
    println!(
        "{}\n{}\n{}",
        graph.to_svg(),
        graph.to_dot(),
        graph.to_mermaid()
    );
}
