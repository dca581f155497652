//! One of two processes that talk over TCP, for the tests of what travels between processes.
//!
//! ```text
//! relay send ADDRESS COUNT      sends readings to ADDRESS, then ends
//! relay receive COUNT           prints the address it listens at, takes readings up, stores them
//! ```
//!
//! A reading is a line: number, `traceparent` and `tracestate`, divided by tabs. Where the events go is
//! said from outside, as for any program.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::net::{TcpListener, TcpStream};

use reflow_trace::w3c::{Incoming, TraceState};
use reflow_trace::{Context, TracingConfig, sample, traced_actor, traced_connector};

#[sample(rate = 0.1)]
#[derive(Default)]
struct Reading {
    #[trace(attribute)]
    number: u64,
    #[trace(context)]
    context: Context,
    /// What other tracers have said.
    state: TraceState,
}

/// The way to the other process.
struct Line {
    from_actor: &'static str,
    from_port: &'static str,
    to_actor: &'static str,
    to_port: &'static str,
    stream: BufWriter<TcpStream>,
}

#[traced_connector]
impl Line {
    fn send(&mut self, message: Reading) -> std::io::Result<()> {
        let headers = message.context.to_w3c(&message.state);
        let (traceparent, tracestate) = headers
            .map(|headers| (headers.traceparent, headers.tracestate))
            .unwrap_or_default();
        writeln!(
            self.stream,
            "{}\t{traceparent}\t{tracestate}",
            message.number
        )
    }
}

/// Where the readings end.
struct Shelf {
    from_actor: &'static str,
    from_port: &'static str,
    to_actor: &'static str,
    to_port: &'static str,
}

#[traced_connector]
impl Shelf {
    fn send(&self, _message: Reading) {}
}

struct Store {
    shelf: Shelf,
}

#[traced_actor(actor = ("store"), port = ("in"))]
impl Store {
    fn handle(&self, message: Reading) {
        self.shelf.send(Reading {
            number: message.number,
            ..Reading::default()
        });
    }
}

fn parse(line: &str) -> Option<Reading> {
    let mut fields = line.split('\t');
    let number = fields.next()?.parse().ok()?;
    let Incoming { context, state } = Incoming::extract(fields.next()?, fields.next()?);
    Some(Reading {
        number,
        context,
        state,
    })
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let _guard = reflow_trace::init(TracingConfig::default()).expect("nobody else records");
    match words.as_slice() {
        ["send", address, count] => {
            let stream = TcpStream::connect(address).expect("somebody listens");
            let mut line = Line {
                from_actor: "sensor",
                from_port: "out",
                to_actor: "store",
                to_port: "in",
                stream: BufWriter::new(stream),
            };
            for number in 0..count.parse().expect("a number") {
                let reading = Reading {
                    number,
                    ..Reading::default()
                };
                line.send(reading).expect("the other side reads");
            }
            line.stream.flush().expect("the other side reads");
        }
        ["receive", count] => {
            let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
            println!("{}", listener.local_addr().expect("it is bound"));
            let (stream, _) = listener.accept().expect("somebody comes");
            let store = Store {
                shelf: Shelf {
                    from_actor: "store",
                    from_port: "out",
                    to_actor: "shelf",
                    to_port: "in",
                },
            };
            let lines = BufReader::new(stream).lines();
            for line in lines.take(count.parse().expect("a number")) {
                let line = line.expect("the other side writes text");
                store.handle(parse(&line).expect("it writes readings"));
            }
        }
        _ => panic!("say who to be"),
    }
}
