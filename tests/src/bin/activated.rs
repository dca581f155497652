//! A program that is switched on from outside, for the tests of activation, here and with a server.
//!
//! ```text
//! activated BEGIN END
//! ```
//!
//! Sends ten messages over one connector and prints their sum. `BEGIN` says whether it ever calls
//! `init`, `END` how it ends; no way keeps a guard that could deliver anything.

use std::sync::mpsc::{SendError, Sender, channel};
use std::thread;

use reflow_trace::{TracingConfig, sample, traced_connector};

#[sample(always)]
struct Number(u64);

struct Connector {
    from_actor: &'static str,
    from_port: &'static str,
    to_actor: &'static str,
    to_port: &'static str,
    channel: Sender<Number>,
}

#[traced_connector]
impl Connector {
    fn send(&self, message: Number) -> Result<(), SendError<Number>> {
        self.channel.send(message)
    }
}

/// Sends ten messages and prints their sum.
fn work() {
    let (channel, inbox) = channel();
    let connector = Connector {
        from_actor: "counter",
        from_port: "out",
        to_actor: "adder",
        to_port: "in",
        channel,
    };
    for number in 1..=10 {
        connector.send(Number(number)).expect("the inbox is open");
    }
    drop(connector);
    println!(
        "sum {}",
        inbox.into_iter().map(|number| number.0).sum::<u64>()
    );
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [begin, end] = words.as_slice() else {
        panic!("two words say how to begin and how to end");
    };
    match begin.as_str() {
        "unaware" => work(),
        "init" => {
            let guard = reflow_trace::init(TracingConfig::default()).expect("nobody else records");
            println!("recording {}", guard.is_recording());
            work();
            // Not dropped: only the exit can deliver.
            std::mem::forget(guard);
        }
        "init-late" => {
            work();
            let guard = reflow_trace::init(TracingConfig::default()).expect("nobody else records");
            work();
            std::mem::forget(guard);
        }
        "init-twice" => {
            drop(reflow_trace::init(TracingConfig::default()).expect("nobody else records"));
            work();
            drop(reflow_trace::init(TracingConfig::default()).expect("the first has ended"));
            work();
        }
        "idle" => println!("idle"),
        file => {
            let config = TracingConfig {
                file: Some(file.into()),
                ..TracingConfig::default()
            };
            let guard = reflow_trace::init(config).expect("nobody else records");
            work();
            std::mem::forget(guard);
        }
    }
    match end.as_str() {
        "return" => {}
        "exit" => std::process::exit(3),
        "exit-in-thread" => {
            let never = thread::spawn(|| {
                work();
                std::process::exit(3)
            });
            never.join().expect("the process ends before the thread");
        }
        "panic" => panic!("as the test wants it"),
        "panic-in-thread" => {
            let thread = thread::spawn(|| {
                work();
                panic!("as the test wants it");
            });
            thread.join().expect_err("it has panicked");
        }
        "thread-before-main" => thread::spawn(work).join().expect("it does not panic"),
        other => panic!("`{other}` is no way to end"),
    }
}
