//! Subscribers: threads that read notifications from raw sockets, and sockets that nobody reads.

use std::io::{BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reflow_trace_durability::websocket::{read_head, read_message};

use crate::Failure;

/// After the program has ended, everything that was stored is on its way.
const REST: Duration = Duration::from_millis(500);
const DAY_NS: u64 = 24 * 60 * 60 * 1_000_000_000;

/// What subscribers have seen together.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) latencies_us: Vec<u32>,
    pub(crate) gaps: u64,
}

/// Open subscriptions.
pub(crate) struct Crowd {
    sockets: Vec<TcpStream>,
    readers: Vec<JoinHandle<Seen>>,
}

impl Crowd {
    /// So many that read, and so many that do not.
    pub(crate) fn gather(
        server: SocketAddr,
        filters: &str,
        reading: usize,
        deaf: usize,
    ) -> Result<Self, Failure> {
        let mut crowd = Self {
            sockets: Vec::new(),
            readers: Vec::new(),
        };
        for number in 0..reading + deaf {
            let (socket, hearing) = subscribe(server, filters)?;
            if number < reading {
                crowd.readers.push(thread::spawn(move || read(hearing)));
            }
            crowd.sockets.push(socket);
        }
        Ok(crowd)
    }

    /// What they have seen, once the rest has come.
    pub(crate) fn disperse(mut self) -> Seen {
        thread::sleep(REST);
        self.hang_up();
        let mut all = Seen::default();
        for reader in self.readers.drain(..) {
            let seen = reader.join().unwrap_or_default();
            all.latencies_us.extend(seen.latencies_us);
            all.gaps += seen.gaps;
        }
        all
    }

    fn hang_up(&self) {
        for socket in &self.sockets {
            // One that the server has closed before is gone already.
            let _gone = socket.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.hang_up();
    }
}

fn subscribe(
    server: SocketAddr,
    filters: &str,
) -> Result<(TcpStream, BufReader<TcpStream>), Failure> {
    let mut socket = TcpStream::connect(server)?;
    socket.set_nodelay(true)?;
    let head = format!(
        "GET / HTTP/1.1\r\nHost: {server}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    socket.write_all(head.as_bytes())?;
    let mut hearing = BufReader::with_capacity(64 << 10, socket.try_clone()?);
    read_head(&mut hearing)?;
    say(
        &mut socket,
        &format!("{{\"Subscribe\":{{\"filters\":{filters}}}}}"),
    )?;
    // Its answer comes when the subscription has begun.
    say(&mut socket, "\"Ping\"")?;
    let pong = read_message(&mut hearing)?.payload();
    if pong != b"\"Pong\"" {
        return Err(String::from_utf8_lossy(&pong).into_owned().into());
    }
    Ok((socket, hearing))
}

/// Writes one short text message, masked with zeros.
fn say(socket: &mut TcpStream, text: &str) -> std::io::Result<()> {
    let length = u16::try_from(text.len()).map_err(std::io::Error::other)?;
    let mut message = vec![0x81, 0x80 | 126];
    message.extend_from_slice(&length.to_be_bytes());
    message.extend_from_slice(&[0; 4]);
    message.extend_from_slice(text.as_bytes());
    socket.write_all(&message)
}

fn read(mut hearing: BufReader<TcpStream>) -> Seen {
    let mut seen = Seen::default();
    while let Ok(message) = read_message(&mut hearing) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now_ns = now.map_or(0, |now| now.as_nanos() as u64) % DAY_NS;
        let payload = message.payload();
        let Ok(text) = std::str::from_utf8(&payload) else {
            continue;
        };
        if text.contains("\"gap_to_offset\"") {
            seen.gaps += 1;
        } else if let Some(sent_ns) = time_of_day_ns(text) {
            // Around midnight a day is added.
            let took_ns = (now_ns + DAY_NS - sent_ns) % DAY_NS;
            seen.latencies_us
                .push(u32::try_from(took_ns / 1_000).unwrap_or(u32::MAX));
        }
    }
    seen
}

/// Of `"timestamp":"2026-01-02T03:04:05.678901234Z"`.
fn time_of_day_ns(text: &str) -> Option<u64> {
    let (_, rest) = text.split_once("\"timestamp\":\"")?;
    let (time, _) = rest.split_once('"')?;
    let (_, time) = time.strip_suffix('Z')?.split_once('T')?;
    let mut parts = time.splitn(3, ':');
    let mut part = || parts.next();
    let (hours, minutes): (u64, u64) = (part()?.parse().ok()?, part()?.parse().ok()?);
    let (seconds, fraction) = part()?.split_once('.').unwrap_or(("0", "0"));
    let nanos: u64 = format!("{fraction:0<9}").parse().ok()?;
    Some(((hours * 60 + minutes) * 60 + seconds.parse::<u64>().ok()?) * 1_000_000_000 + nanos)
}
