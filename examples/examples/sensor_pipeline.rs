//! Five actors over tokio channels: sensor_reader → data_validator → data_transformer →
//! analytics_engine → dashboard. A quarter of the readings is traced, each of them all the way;
//! alerts are traced always, debug messages never.
//!
//! ```text
//! cargo run --example sensor_pipeline
//! ```

use std::collections::HashMap;
use std::time::Duration;

use reflow_trace::{
    Context, DataFlowGraph, MemorySink, global_tracing, sample, traced_actor, traced_connector,
};
use reflow_trace_examples::print_lineage;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What flows. The variants are the message types; each carries the id of its reading and a context.
#[derive(Debug)]
#[sample(rate = 0.25)]
enum Message {
    SensorReading(#[trace(id)] u64, f64, #[trace(context)] Context),
    ValidatedReading(#[trace(id)] u64, f64, #[trace(context)] Context),
    ProcessedData(#[trace(id)] u64, f64, #[trace(context)] Context),
    Insights(#[trace(id)] u64, String, #[trace(context)] Context),
    #[sample(always)]
    CriticalAlert(#[trace(id)] u64, String, #[trace(context)] Context),
    #[sample(never)]
    DebugInfo(#[trace(id)] u64, String, #[trace(context)] Context),
}
use Message::*;

struct Connector {
    from_actor: &'static str,
    from_port: &'static str,
    to_actor: &'static str,
    to_port: &'static str,
    channel: Sender<Message>,
}

#[traced_connector]
impl Connector {
    async fn send_message(&self, message: Message) -> Result<(), Failure> {
        Ok(self.channel.send(message).await?)
    }
}

struct Actor {
    outputs: Vec<Connector>,
}

#[traced_actor]
impl Actor {
    /// What each of the five does with what it is sent.
    async fn handle(&mut self, message: Message) -> Result<(), Failure> {
        let new = Context::NONE;
        match message {
            SensorReading(id, celsius, _) if celsius < -50.0 => {
                let text = format!("{celsius} °C is no temperature");
                self.send("debug", DebugInfo(id, text, new)).await
            }
            SensorReading(id, celsius, _) => {
                self.send("data", ValidatedReading(id, celsius, new)).await
            }
            ValidatedReading(id, celsius, _) => {
                self.send("data", ProcessedData(id, celsius + 273.15, new)).await
            }
            ProcessedData(id, kelvin, _) => {
                if kelvin > 363.15 {
                    let text = format!("{kelvin} K is too hot");
                    self.send("alert", CriticalAlert(id, text, new)).await?;
                }
                let text = format!("reading {id}: {kelvin} K");
                self.send("data", Insights(id, text, new)).await
            }
            Insights(..) | CriticalAlert(..) | DebugInfo(..) => Ok(()),
        }
    }
}

impl Actor {
    async fn send(&self, port: &str, message: Message) -> Result<(), Failure> {
        let output = self.outputs.iter().find(|output| output.from_port == port);
        output.ok_or("no such port")?.send_message(message).await
    }
}

async fn run(mut actor: Actor, mut inbox: Receiver<Message>) -> Result<(), Failure> {
    while let Some(message) = inbox.recv().await {
        actor.handle(message).await?;
    }
    Ok(())
}

const NETWORK: [[&str; 4]; 6] = [
    ["sensor_reader", "data", "data_validator", "readings"],
    ["data_validator", "data", "data_transformer", "readings"],
    ["data_validator", "debug", "dashboard", "log"],
    ["data_transformer", "data", "analytics_engine", "data"],
    ["analytics_engine", "data", "dashboard", "insights"],
    ["analytics_engine", "alert", "dashboard", "alerts"],
];

const ACTORS: [&str; 4] = ["data_validator", "data_transformer", "analytics_engine", "dashboard"];
const READINGS: u64 = 400;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let memory = MemorySink::with_capacity(100_000);
    let guard = reflow_trace::builder().sink(memory.clone()).start()?;

    let mut channels = HashMap::from(ACTORS.map(|name| (name, channel(8))));
    let actor = |name| {
        let own = NETWORK.iter().filter(|[from, ..]| *from == name);
        let connect = |&[from_actor, from_port, to_actor, to_port]: &[&'static str; 4]| Connector {
            from_actor,
            from_port,
            to_actor,
            to_port,
            channel: channels[to_actor].0.clone(),
        };
        Actor { outputs: own.map(connect).collect() }
    };
    let reader = actor("sensor_reader");
    let actors = ACTORS.map(|name| (name, actor(name)));
    let mut tasks = JoinSet::new();
    for (name, actor) in actors {
        let (_, inbox) = channels.remove(name).ok_or("an actor has one inbox")?;
        tasks.spawn(run(actor, inbox));
    }
    for id in 0..READINGS {
        let celsius = match id % 40 {
            7 => -300.0,
            13 => 95.0,
            step => 20.0 + step as f64 / 10.0,
        };
        reader.send("data", SensorReading(id, celsius, Context::NONE)).await?;
    }
    drop(reader);
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }

    guard.flush(Duration::from_secs(1))?;
    let events = memory.events();
    let graph = DataFlowGraph::from_events(&events);
    println!("{}", graph.edge_table());
    print_lineage(&events, "Insights");
    let tracing = global_tracing().ok_or("tracing is on")?;
    println!("{}", tracing.get_performance_metrics().await?);
    graph.render_to_file("data_flow_diagram.svg")?;
    println!("the picture is in data_flow_diagram.svg");
    Ok(())
}
