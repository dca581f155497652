//! A client that has its batches ready, and only sends them: what is measured is the server.

use std::collections::VecDeque;
use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::websocket::{read_head, read_message};
use bytes::Bytes;
use reflow_trace::wire::frame::{FrameLimits, Hello, Message};
use reflow_trace::wire::{BatchLimits, Frame, Level, Sealer};
use reflow_trace::{Batch, Sink, SinkError, TracingConfig};
use serde::{Deserialize, Serialize};

use super::Failure;
use super::traffic::{HOPS, Line};

const STREAM: u64 = 0x5ea1ed;
/// More than a server takes in a second on any machine this was run on.
const EVENTS_PER_SECOND: u64 = 2_000_000;
const BURST: usize = 2_000;
const PATIENCE: Duration = Duration::from_secs(60);

/// What came of it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Sent {
    /// Until the last acknowledgement that counts.
    pub seconds: f64,
    /// Acknowledged.
    pub events: u64,
    /// Their batches.
    pub batches: u64,
    /// Of the batches that were acknowledged.
    pub wire_bytes: u64,
}

/// Seals, as the client's sink does, and keeps.
struct Keep {
    sealer: Sealer,
    frames: Arc<Mutex<VecDeque<Frame>>>,
    next_number: u64,
}

impl Sink for Keep {
    fn name(&self) -> &str {
        "keep"
    }

    fn write(&mut self, batch: &Batch) -> Result<(), SinkError> {
        let sealed = self.sealer.seal_split(batch, STREAM, self.next_number)?;
        self.next_number += sealed.frames.len() as u64;
        let mut frames = self.frames.lock().unwrap_or_else(PoisonError::into_inner);
        frames.extend(sealed.frames);
        Ok(())
    }
}

/// How far the server is.
#[derive(Default)]
struct Answers {
    credit_total: u64,
    acked: u64,
    failure: Option<String>,
}

/// How much is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// As much as there is time for.
    Seconds(u64),
    /// So many events, or a few more.
    Events(u64),
}

/// Records, seals, and then sends as fast as the server takes it. `ids`: `sequential` or `uuid`; with
/// `, by threads` behind it each hop of an order is sent by a thread of its own.
///
/// # Errors
///
/// The server refuses, is gone, or does not answer.
pub fn send(server: &str, ids: &str, amount: Amount) -> Result<Sent, Failure> {
    let (events, seconds) = match amount {
        Amount::Seconds(seconds) => (seconds * EVENTS_PER_SECOND, seconds),
        Amount::Events(events) => (events, u64::MAX),
    };
    let frames = seal(ids, events)?;
    let address = server.trim_start_matches("ws://");
    let mut socket = TcpStream::connect(address)?;
    socket.set_nodelay(true)?;
    let head = format!(
        "GET /ingest HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Protocol: reflow-trace.v1\r\n\r\n"
    );
    socket.write_all(head.as_bytes())?;
    let mut hearing = BufReader::new(socket.try_clone()?);
    let head = read_head(&mut hearing)?;
    if !head.starts_with(b"HTTP/1.1 101") {
        return Err(String::from_utf8_lossy(&head).into_owned().into());
    }
    let answers = Arc::new((Mutex::new(Answers::default()), Condvar::new()));
    let heard = Arc::clone(&answers);
    thread::spawn(move || hear(hearing, &heard));
    say(
        &mut socket,
        &Message::Hello(Hello {
            protocol: 1,
            stream: STREAM,
            ..Hello::default()
        })
        .encode(),
    )?;
    say(
        &mut socket,
        &Message::Skip {
            stream: STREAM,
            number: 0,
            after: 0,
        }
        .encode(),
    )?;

    let begun = Instant::now();
    let (mut sent_bytes, mut sent) = (0, 0);
    for frame in &frames {
        if begun.elapsed().as_secs() >= seconds {
            break;
        }
        sent_bytes += frame.bytes().len() as u64;
        wait(&answers, |answers| answers.credit_total >= sent_bytes)?;
        say(&mut socket, frame)?;
        sent += 1;
    }
    // What was sent by then counts, with the time that its acknowledgement took.
    let acked = wait(&answers, |answers| answers.acked >= sent)?;
    let mut result = Sent {
        seconds: begun.elapsed().as_secs_f64(),
        ..Sent::default()
    };
    for frame in frames.iter().take(acked as usize) {
        result.batches += 1;
        result.events += u64::from(frame.header().events);
        result.wire_bytes += frame.bytes().len() as u64;
    }
    Ok(result)
}

/// Records traces and seals them.
fn seal(ids: &str, events: u64) -> Result<Vec<Frame>, Failure> {
    let frames = Arc::new(Mutex::new(VecDeque::new()));
    let config = TracingConfig {
        batch_size: 8_192,
        batch_timeout: Duration::from_secs(1),
        ring_capacity: 4 * BURST * HOPS,
        ..TracingConfig::default()
    };
    let sink = Keep {
        sealer: Sealer::new(Some(Level::FAST), BatchLimits::default()),
        frames: Arc::clone(&frames),
        next_number: 1,
    };
    let guard = reflow_trace::builder().config(config).sink(sink).start()?;
    let mut line = Line::new(ids.starts_with("uuid"));
    let mut sent = 0;
    while sent < events {
        // Most batches of the usual kind are full.
        for _ in 0..2 {
            let orders = line.orders(BURST);
            if ids.ends_with("threads") {
                line.send_by_threads(orders);
            } else {
                line.send(orders);
            }
            sent += (BURST * HOPS) as u64;
        }
        guard.flush(PATIENCE)?;
    }
    guard.shutdown(PATIENCE)?;
    let frames = std::mem::take(&mut *frames.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(frames.into())
}

/// Writes one message, masked with zeros: the mask protects nobody here, and costs.
fn say(socket: &mut TcpStream, frame: &Frame) -> std::io::Result<()> {
    let payload = frame.bytes();
    let mut head = vec![0x82];
    match payload.len() {
        length @ 0..=125 => head.push(0x80 | length as u8),
        length @ 126..=65_535 => {
            head.push(0x80 | 126);
            head.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            head.push(0x80 | 127);
            head.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    head.extend_from_slice(&[0; 4]);
    socket.write_all(&head)?;
    socket.write_all(payload)
}

fn hear(mut socket: BufReader<TcpStream>, (answers, changed): &(Mutex<Answers>, Condvar)) {
    loop {
        let heard = read_message(&mut socket)
            .map_err(|error| error.to_string())
            .and_then(|message| {
                if !message.is_binary() {
                    return Err("the server has closed".to_owned());
                }
                Frame::parse(Bytes::from(message.payload()), &FrameLimits::default())
                    .and_then(|frame| Message::decode(&frame))
                    .map_err(|error| error.to_string())
            });
        let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
        match heard {
            Ok(Message::Welcome(welcome)) => answers.credit_total = welcome.credit_total,
            Ok(Message::Ack(ack)) => {
                answers.credit_total = ack.credit_total;
                answers.acked = ack.number;
            }
            Ok(Message::Ping(_)) => {}
            Ok(other) => answers.failure = Some(format!("{other:?}")),
            Err(error) => answers.failure = Some(error),
        }
        changed.notify_all();
        if answers.failure.is_some() {
            return;
        }
    }
}

/// Waits until something holds; how much is acknowledged then.
fn wait(
    (answers, changed): &(Mutex<Answers>, Condvar),
    holds: impl Fn(&Answers) -> bool,
) -> Result<u64, Failure> {
    let guard = answers.lock().unwrap_or_else(PoisonError::into_inner);
    let waiting = |answers: &mut Answers| !holds(answers) && answers.failure.is_none();
    let (answers, timed_out) = changed
        .wait_timeout_while(guard, PATIENCE, waiting)
        .unwrap_or_else(PoisonError::into_inner);
    match &answers.failure {
        Some(failure) => Err(failure.clone().into()),
        None if timed_out.timed_out() => Err("the server does not answer".into()),
        None => Ok(answers.acked),
    }
}
