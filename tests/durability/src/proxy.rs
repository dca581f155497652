//! Stands between client and server and does to their messages what a seed says.
//!
//! Every connection gets a thread for each direction. A thread reads a message, shows it to the
//! [`Witness`], draws what happens to it, and passes it on or not. What may happen is in [`Faults`]; without
//! any it is a witness and nothing else.

use std::io::{self, BufReader, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::websocket::{RawMessage, read_head, read_message};
use crate::witness::{Sight, UnderWay, Witness};

/// How often what happens to a message, in thousandths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// The connection ends before it.
    pub cuts: u32,
    /// The connection ends within it.
    pub tears: u32,
    /// Nothing passes for up to this many milliseconds, in one message of fifty.
    pub stalls_ms: u32,
    /// From here on nothing arrives, in either direction, and nobody is told.
    pub half_opens: u32,
    /// It comes up to this many milliseconds later, and all behind it.
    pub delays_ms: u32,
    /// It comes behind the next.
    pub reorders: u32,
    /// It comes twice.
    pub duplicates: u32,
    /// It comes with one bit turned, in what it holds.
    pub corrupts: u32,
    /// One bit is turned anywhere, in the WebSocket's own bytes too.
    pub corrupts_the_line: u32,
    /// Of a thousand connections, so many are closed before a byte.
    pub refuses: u32,
}

impl Faults {
    /// A witness and nothing else.
    pub const NONE: Self = Self {
        cuts: 0,
        tears: 0,
        stalls_ms: 0,
        half_opens: 0,
        delays_ms: 0,
        reorders: 0,
        duplicates: 0,
        corrupts: 0,
        corrupts_the_line: 0,
        refuses: 0,
    };
}

/// A proxy in front of one server, which may move.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    witness: Arc<Witness>,
    target: Mutex<SocketAddr>,
    faults: Mutex<Faults>,
    seed: u64,
    connections: Mutex<Vec<Arc<Connection>>>,
    made: AtomicUsize,
    is_over: AtomicBool,
}

#[derive(Debug)]
struct Connection {
    client: TcpStream,
    server: TcpStream,
    under_way: Mutex<UnderWay>,
    /// Nothing arrives any more.
    is_silent: AtomicBool,
    is_closed: AtomicBool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    ToServer,
    ToClient,
}

impl Proxy {
    /// Begins to listen, in front of the server at `target`.
    ///
    /// # Errors
    ///
    /// When the system gives no port or no thread.
    pub fn start(target: SocketAddr, faults: Faults, seed: u64) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            witness: Arc::new(Witness::default()),
            target: Mutex::new(target),
            faults: Mutex::new(faults),
            seed,
            connections: Mutex::new(Vec::new()),
            made: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        thread::Builder::new()
            .name("proxy".to_owned())
            .spawn(move || accepting.accept(&listener))?;
        Ok(Self { address, shared })
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What was said.
    pub fn witness(&self) -> &Witness {
        &self.shared.witness
    }

    /// The server is somewhere else now.
    pub fn move_to(&self, target: SocketAddr) {
        *lock(&self.shared.target) = target;
    }

    /// Other faults from now on. Without silence among them, connections that are silent end, as a router that comes back
    /// ends those that it does not know.
    pub fn set_faults(&self, faults: Faults) {
        *lock(&self.shared.faults) = faults;
        if faults.half_opens == 0 {
            for connection in lock(&self.shared.connections).iter() {
                if connection.is_silent.load(Ordering::Acquire) {
                    connection.close();
                }
            }
        }
    }

    /// Batches that were passed on and are not acknowledged, over all connections that are open.
    pub fn under_way(&self) -> usize {
        let connections = lock(&self.shared.connections);
        let open = connections
            .iter()
            .filter(|connection| !connection.is_closed.load(Ordering::Acquire));
        open.map(|connection| lock(&connection.under_way).len())
            .sum()
    }

    /// Connections that were made.
    pub fn connections(&self) -> usize {
        self.shared.made.load(Ordering::Acquire)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Release);
        // The thread that accepts looks up.
        let _woken = TcpStream::connect(self.address);
        for connection in lock(&self.shared.connections).iter() {
            connection.close();
        }
    }
}

impl Shared {
    fn accept(self: Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming() {
            if self.is_over.load(Ordering::Acquire) {
                return;
            }
            let Ok(client) = client else { continue };
            let index = self.made.fetch_add(1, Ordering::AcqRel) as u64;
            let mut dice = fastrand::Rng::with_seed(self.seed.wrapping_mul(1_000_003) ^ index);
            let faults = *lock(&self.faults);
            if happens(&mut dice, faults.refuses) {
                continue;
            }
            let target = *lock(&self.target);
            // Where no server is, the client's connection ends too.
            let Ok(server) = TcpStream::connect(target) else {
                continue;
            };
            // A connection that cannot be served ends, as any other may.
            let _unserved = self.serve(client, server, dice);
        }
    }

    fn serve(
        self: &Arc<Self>,
        client: TcpStream,
        server: TcpStream,
        mut dice: fastrand::Rng,
    ) -> io::Result<()> {
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let connection = Arc::new(Connection {
            client,
            server,
            under_way: Mutex::default(),
            is_silent: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
        });
        let mut connections = lock(&self.connections);
        connections.retain(|connection| !connection.is_closed.load(Ordering::Acquire));
        connections.push(Arc::clone(&connection));
        drop(connections);
        for direction in [Direction::ToServer, Direction::ToClient] {
            let (shared, connection) = (Arc::clone(self), Arc::clone(&connection));
            let dice = dice.fork();
            thread::Builder::new()
                .name("proxied".to_owned())
                .spawn(move || {
                    // That the line has ended is all there is to know.
                    let _ended = shared.pass(&connection, direction, dice);
                    connection.close();
                })?;
        }
        Ok(())
    }

    /// Passes on what comes, until the line ends.
    fn pass(
        &self,
        connection: &Connection,
        direction: Direction,
        mut dice: fastrand::Rng,
    ) -> io::Result<()> {
        let (from, mut to) = match direction {
            Direction::ToServer => (&connection.client, &connection.server),
            Direction::ToClient => (&connection.server, &connection.client),
        };
        let mut from = BufReader::with_capacity(64 << 10, from);
        to.write_all(&read_head(&mut from)?)?;
        let mut held: Option<(RawMessage, Sight)> = None;
        loop {
            let mut message = read_message(&mut from)?;
            let sight = self.look(&message, connection, direction);
            let faults = *lock(&self.faults);
            if happens(&mut dice, faults.half_opens) {
                connection.is_silent.store(true, Ordering::Release);
            }
            if faults.stalls_ms > 0 && happens(&mut dice, 20) {
                thread::sleep(Duration::from_millis(
                    dice.u64(..u64::from(faults.stalls_ms)),
                ));
            }
            if faults.delays_ms > 0 {
                thread::sleep(Duration::from_millis(
                    dice.u64(..u64::from(faults.delays_ms)),
                ));
            }
            if happens(&mut dice, faults.cuts) {
                return Ok(());
            }
            if happens(&mut dice, faults.tears) {
                let half = dice.usize(..message.bytes.len());
                return to.write_all(&message.bytes[..half]);
            }
            if happens(&mut dice, faults.corrupts) && message.bytes.len() > message.header_bytes() {
                let at = dice.usize(message.header_bytes()..message.bytes.len());
                message.bytes[at] ^= 1 << dice.u8(..8);
            }
            if happens(&mut dice, faults.corrupts_the_line) {
                let at = dice.usize(..message.bytes.len());
                message.bytes[at] ^= 1 << dice.u8(..8);
            }
            if held.is_none() && happens(&mut dice, faults.reorders) {
                held = Some((message, sight));
                continue;
            }
            let times = if happens(&mut dice, faults.duplicates) {
                2
            } else {
                1
            };
            for _ in 0..times {
                connection.deliver(to, &message, sight)?;
            }
            if let Some((message, sight)) = held.take() {
                connection.deliver(to, &message, sight)?;
            }
        }
    }

    fn look(&self, message: &RawMessage, connection: &Connection, direction: Direction) -> Sight {
        if !message.is_binary() {
            return Sight::Other;
        }
        match direction {
            Direction::ToServer => self.witness.sees_client(message.payload()),
            Direction::ToClient => {
                let sight = self.witness.sees_server(message.payload());
                if let Sight::Ack(stream, number) = sight {
                    lock(&connection.under_way).acknowledge(stream, number);
                }
                sight
            }
        }
    }
}

impl Connection {
    fn deliver(&self, mut to: &TcpStream, message: &RawMessage, sight: Sight) -> io::Result<()> {
        if self.is_silent.load(Ordering::Acquire) {
            return Ok(());
        }
        // Before it is written: an answer may be here before the next line.
        if let Sight::Batch(stream, number) = sight {
            lock(&self.under_way).add(stream, number);
        }
        to.write_all(&message.bytes)
    }

    fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        for end in [&self.client, &self.server] {
            // It may be closed already.
            let _closed = end.shutdown(Shutdown::Both);
        }
    }
}

fn happens(dice: &mut fastrand::Rng, thousandths: u32) -> bool {
    thousandths > 0 && dice.u32(..1_000) < thousandths
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
