//! What a group commit waits for: events acknowledged durably each second, and how long an acknowledgement
//! takes, by `commit.group_wait` and by how many clients send.
//!
//! `cargo bench -p reflow-trace-server --bench ingest`. Batches are sealed beforehand, so that the server is
//! measured and not the client; both are in this process, on the same cores. Durable means the embedded store,
//! in a directory below the target directory (or `TMPDIR`). Nothing here is a check: it prints.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use reflow_trace::TraceEvent;
use reflow_trace::event::ProducerId;
use reflow_trace::wire::frame::{Frame, FrameLimits, Hello, Level, Message};
use reflow_trace::wire::seal_events;
use reflow_trace_server::config::Config;
use reflow_trace_server::{RunningServer, Server};
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

type Fault = Box<dyn std::error::Error + Send + Sync>;

/// One way to send: how many clients, how large their batches, how many of them.
struct Load {
    clients: u64,
    events: usize,
    batches: u64,
    /// Whether a client waits for each acknowledgement before it goes on.
    in_step: bool,
}

const LOADS: [Load; 4] = [
    Load {
        clients: 1,
        events: 100,
        batches: 300,
        in_step: true,
    },
    Load {
        clients: 16,
        events: 100,
        batches: 100,
        in_step: true,
    },
    Load {
        clients: 1,
        events: 8192,
        batches: 150,
        in_step: false,
    },
    Load {
        clients: 4,
        events: 8192,
        batches: 40,
        in_step: false,
    },
];
const WAITS_MS: [u64; 4] = [0, 1, 2, 5];

fn main() -> Result<(), Fault> {
    let runtime = tokio::runtime::Runtime::new()?;
    println!(
        "{:>8} {:>7} {:>8} {:>6} {:>11} {:>10} {:>9} {:>9} {:>9}",
        "clients",
        "events",
        "in step",
        "wait",
        "events/s",
        "batches/s",
        "groups",
        "ack p50",
        "ack p99"
    );
    for load in LOADS {
        for wait_ms in WAITS_MS {
            runtime.block_on(measure(&load, Duration::from_millis(wait_ms)))?;
        }
    }
    Ok(())
}

async fn measure(load: &Load, wait: Duration) -> Result<(), Fault> {
    let directory = tempfile::tempdir()?;
    let mut config = Config::default();
    config.listen.set_port(0);
    config.data = directory.path().to_owned();
    config.commit.group_wait = wait;
    let server = Server::start(config).await?;
    // Sealed before anybody connects: a server does not wait long for a hello.
    let sealed = (1..=load.clients).map(|stream| frames(stream, load));
    let mut clients = Vec::new();
    for frames in sealed.collect::<Result<Vec<_>, _>>()? {
        clients.push((connect(&server).await?, Arc::new(frames)));
    }
    let begun = Instant::now();
    let (in_step, mut tasks) = (load.in_step, tokio::task::JoinSet::new());
    for (socket, frames) in clients {
        tasks.spawn(send(socket, frames, in_step));
    }
    let mut took = Vec::new();
    while let Some(sent) = tasks.join_next().await {
        let metrics = server.metrics();
        let told = || {
            format!(
                "{:?} {:?}",
                metrics.refusals.get(),
                metrics.session_ends.get()
            )
        };
        took.extend(sent?.map_err(|error| format!("{error}; refusals and ends: {}", told()))?);
    }
    let seconds = begun.elapsed().as_secs_f64();
    took.sort_unstable();
    let at = |share: usize| {
        took.get(took.len() * share / 100)
            .copied()
            .unwrap_or_default()
    };
    let batches = (load.clients * load.batches) as f64;
    println!(
        "{:>8} {:>7} {:>8} {:>4}ms {:>11.0} {:>10.0} {:>9} {:>7.1}ms {:>7.1}ms",
        load.clients,
        load.events,
        if load.in_step { "yes" } else { "no" },
        wait.as_millis(),
        batches * load.events as f64 / seconds,
        batches / seconds,
        server.metrics().groups.get(),
        at(50).as_secs_f64() * 1e3,
        at(99).as_secs_f64() * 1e3,
    );
    server.shutdown(Duration::from_secs(10)).await;
    Ok(())
}

type Socket =
    tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

async fn connect(server: &RunningServer) -> Result<Socket, Fault> {
    let mut request = format!("ws://{}/ingest", server.addr()).into_client_request()?;
    request
        .headers_mut()
        .insert("sec-websocket-protocol", "reflow-trace.v1".parse()?);
    let (socket, _) = tokio_tungstenite::connect_async(request).await?;
    Ok(socket)
}

/// Sealed batches. All of a stream are alike but for their numbers: what they hold is not what is measured.
fn frames(stream: u64, load: &Load) -> Result<Vec<Frame>, Fault> {
    let events: Vec<TraceEvent> = (0..load.events)
        .map(|size| TraceEvent::message_sent("reader", "out", "SensorData", size))
        .collect();
    let producer = ProducerId::random();
    let sealed = (1..=load.batches)
        .map(|number| seal_events(&events, producer, stream, number, Some(Level::default())));
    Ok(sealed.collect::<Result<_, _>>()?)
}

/// Sends all, within the credits; how long each acknowledgement took.
async fn send(
    mut socket: Socket,
    frames: Arc<Vec<Frame>>,
    in_step: bool,
) -> Result<Vec<Duration>, Fault> {
    let stream = frames.first().map_or(0, |frame| frame.header().stream);
    let hello = Hello {
        protocol: 1,
        stream,
        ..Hello::default()
    };
    say(&mut socket, &Message::Hello(hello)).await?;
    say(
        &mut socket,
        &Message::Skip {
            stream,
            number: 0,
            after: 0,
        },
    )
    .await?;
    let mut credit = match hear(&mut socket).await? {
        Message::Welcome(welcome) => welcome.credit_total,
        other => return Err(format!("{other:?}").into()),
    };
    let (mut sent_bytes, mut sent_at, mut took) = (0, Vec::new(), Vec::new());
    for frame in frames.iter() {
        let bytes = frame.bytes().len() as u64;
        while sent_bytes + bytes > credit || (in_step && took.len() < sent_at.len()) {
            credit = acknowledged(&mut socket, &sent_at, &mut took).await?;
        }
        sent_bytes += bytes;
        sent_at.push(Instant::now());
        let sending = socket.send(tungstenite::Message::Binary(frame.bytes().clone()));
        if sending.await.is_err() {
            // The server has closed: what it has said last is why.
            loop {
                acknowledged(&mut socket, &sent_at, &mut took).await?;
            }
        }
    }
    while took.len() < sent_at.len() {
        acknowledged(&mut socket, &sent_at, &mut took).await?;
    }
    Ok(took)
}

async fn acknowledged(
    socket: &mut Socket,
    sent_at: &[Instant],
    took: &mut Vec<Duration>,
) -> Result<u64, Fault> {
    match hear(socket).await? {
        Message::Ack(ack) => {
            let up_to = usize::try_from(ack.number)?;
            took.extend(sent_at[took.len()..up_to].iter().map(Instant::elapsed));
            Ok(ack.credit_total)
        }
        other => Err(format!("{other:?}").into()),
    }
}

async fn say(socket: &mut Socket, message: &Message) -> Result<(), Fault> {
    Ok(socket
        .send(tungstenite::Message::Binary(message.encode().into_bytes()))
        .await?)
}

async fn hear(socket: &mut Socket) -> Result<Message, Fault> {
    loop {
        if let tungstenite::Message::Binary(bytes) =
            socket.next().await.ok_or("the server is gone")??
        {
            let frame = Frame::parse(bytes, &FrameLimits::default())?;
            return Ok(Message::decode(&frame)?);
        }
    }
}
