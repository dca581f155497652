//! A program that does not know that it is traced: no configuration, no guard, no server.

use std::sync::mpsc::{SendError, Sender, channel};

use reflow_trace::{sample, traced_connector};

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

fn main() -> Result<(), SendError<Number>> {
    let (channel, inbox) = channel();
    let connector = Connector {
        from_actor: "counter",
        from_port: "out",
        to_actor: "adder",
        to_port: "in",
        channel,
    };
    for number in 1..=10 {
        connector.send(Number(number))?;
    }
    drop(connector);
    println!(
        "sum {}",
        inbox.into_iter().map(|number| number.0).sum::<u64>()
    );
    Ok(())
}
