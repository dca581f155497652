//! Five actors over tokio channels: sensor_reader → data_validator → data_transformer →
//! analytics_engine → dashboard. A quarter of the readings is traced, each of them all the way;
//! alerts are traced always, debug messages never.
//!
//! ```text
//! cargo run --example sensor_pipeline
//! ```

use std::time::Duration;

use reflow_trace::{
    Context, DataFlowGraph, MemorySink, global_tracing, sample, traced_actor, traced_connector,
};
use reflow_trace_examples::print_lineage;
use tokio::sync::mpsc::{Sender, channel};
use tokio::task::JoinSet;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What flows. The variants are the message types: id of the reading, value, context.
#[derive(Debug)]
#[sample(rate = 0.25)]
enum Message {
    SensorReading(#[trace(id)] u64, f64, #[trace(context)] Context),
    ValidatedReading(#[trace(id)] u64, f64, #[trace(context)] Context),
    ProcessedData(#[trace(id)] u64, f64, #[trace(context)] Context),
    Insights(#[trace(id)] u64, f64, #[trace(context)] Context),
    #[sample(always)]
    CriticalAlert(#[trace(id)] u64, f64, #[trace(context)] Context),
    #[sample(never)]
    DebugInfo(#[trace(id)] u64, #[trace(context)] Context),
}
use Message::*;

/// What each actor answers to what it is sent; the dashboard shows it instead.
fn answers(message: Message) -> Vec<Message> {
    let new = Context::NONE;
    match message {
        SensorReading(_, celsius, _) if celsius < -273.15 => vec![],
        SensorReading(id, celsius, _) => vec![ValidatedReading(id, celsius, new)],
        ValidatedReading(id, celsius, _) => vec![ProcessedData(id, celsius + 273.15, new)],
        ProcessedData(id, kelvin, _) => {
            let alert = (kelvin > 363.15).then_some(CriticalAlert(id, kelvin, new));
            let others = [DebugInfo(id, new), Insights(id, kelvin.round(), new)];
            alert.into_iter().chain(others).collect()
        }
        CriticalAlert(id, kelvin, _) => show(format!("reading {id}: {kelvin} K, ALERT")),
        Insights(id, kelvin, _) if id % 100 == 0 => show(format!("reading {id}: {kelvin} K")),
        Insights(..) | DebugInfo(..) => vec![],
    }
}

fn show(text: String) -> Vec<Message> {
    println!("{text}");
    vec![]
}

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
    next: Option<Connector>,
}

#[traced_actor]
impl Actor {
    async fn handle(&mut self, message: Message) -> Result<(), Failure> {
        for answer in answers(message) {
            let next = self.next.as_ref().ok_or("the last actor answers nothing")?;
            next.send_message(answer).await?;
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let memory = MemorySink::with_capacity(100_000);
    let guard = reflow_trace::builder().sink(memory.clone()).start()?;

    // From the last connector to the first: an actor owns the one that leads on from it.
    let mut next = None;
    let mut tasks = JoinSet::new();
    for (from_actor, to_actor) in [
        ("analytics_engine", "dashboard"),
        ("data_transformer", "analytics_engine"),
        ("data_validator", "data_transformer"),
        ("sensor_reader", "data_validator"),
    ] {
        let (channel, mut inbox) = channel(8);
        let mut actor = Actor { next: next.take() };
        tasks.spawn(async move {
            while let Some(message) = inbox.recv().await {
                actor.handle(message).await?;
            }
            Ok::<(), Failure>(())
        });
        next = Some(Connector {
            from_actor,
            from_port: "out",
            to_actor,
            to_port: "in",
            channel,
        });
    }
    let reader = next.ok_or("a chain has a first connector")?;
    for id in 0..400 {
        let celsius = match id % 40 {
            7 => -300.0, // a broken sensor: the validator drops it
            13 => 95.0,
            step => 20.0 + step as f64 / 10.0,
        };
        reader
            .send_message(SensorReading(id, celsius, Context::NONE))
            .await?;
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
    let tracing = global_tracing().ok_or("tracing was started above")?;
    println!("{}", tracing.get_performance_metrics().await?);
    graph.render_to_file("data_flow_diagram.svg")?;
    println!("the picture is in `data_flow_diagram.svg`");
    Ok(())
}
