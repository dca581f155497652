//! A world in which a client, a server, a network and a disk live on simulated time, and fail as a seed
//! says.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;

use super::super::random::Random;
use super::super::{Disconnect, LinkCommand, Machine, Settings, SpoolSettings, Taken, Time};
use crate::client::spool::{DiskCommand, SimulatedDisk, Spool};
use crate::wire::frame::{
    Ack, Frame, FrameKind, FrameLimits, Goodbye, Hello, Message, Refusal, RefusalCode, Welcome,
};

pub(super) const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A frame as opaque as it is to the machine.
pub(super) fn batch(stream: u64, number: u64, events: u32, payload_bytes: usize) -> Frame {
    let payload: Vec<u8> = (0..payload_bytes)
        .map(|at| (number as usize * 7 + at) as u8)
        .collect();
    let plain = payload_bytes as u32;
    Frame::build(
        FrameKind::Batch,
        [stream, number],
        events,
        plain,
        false,
        &payload,
    )
}

pub(super) fn settings(has_spool: bool) -> Settings {
    Settings {
        window_bytes_max: 16_000,
        spool: has_spool.then_some(SpoolSettings {
            bytes_max: 60_000,
            file_bytes_max: 6_000,
            files_max: 32,
            read_bytes_max: 4_000,
            scan_every: Duration::from_secs(20),
        }),
        frames: FrameLimits {
            payload_bytes_max: 3_000,
            ..FrameLimits::default()
        },
        ..Settings::default()
    }
}

/// How often things go wrong, in thousandths.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    /// A connection is not made.
    pub(super) refuses_connections: u64,
    /// A frame ends the connection instead of arriving.
    pub(super) cuts: u64,
    /// A connection becomes silent in both directions, and nobody is told.
    pub(super) half_opens: u64,
    /// A frame of the server arrives with a wrong bit.
    pub(super) corrupts: u64,
    /// The server refuses a batch for ever.
    pub(super) refuses_batches: u64,
    /// The server is full or busy, and says so.
    pub(super) refuses_for_now: u64,
    /// The server takes batches and acknowledges nothing on this connection.
    pub(super) stalls: u64,
    /// A write to the disk fails, half done.
    pub(super) tears_writes: u64,
    /// A bit on the disk turns.
    pub(super) rots: u64,
}

/// What a server remembers of a stream.
#[derive(Debug, Default)]
pub(super) struct Memory {
    last: u64,
    /// Number and events of what is stored.
    pub(super) stored: BTreeMap<u64, u64>,
    pub(super) refused: BTreeMap<u64, u64>,
}

/// A server that remembers for ever, and checks what it is told.
#[derive(Debug, Default)]
pub(super) struct Server {
    pub(super) streams: BTreeMap<u64, Memory>,
}

/// One connection, both ends of it.
#[derive(Debug)]
struct Connection {
    up_at: Time,
    is_up: bool,
    is_refused: bool,
    is_greeted: bool,
    is_silent: bool,
    stalls: bool,
    to_server: VecDeque<(Time, Frame)>,
    to_client: VecDeque<(Time, Bytes)>,
    /// Of each stream, what was sent last on this connection.
    sent: BTreeMap<u64, u64>,
    to_acknowledge: BTreeMap<u64, u64>,
    acknowledge_at: Time,
    received_bytes: u64,
    credit: u64,
    credit_given: u64,
    closes: Option<Time>,
}

/// One run of a client.
pub(super) struct Client {
    pub(super) machine: Machine,
    spool: Spool<SimulatedDisk>,
    disk: Option<(Time, DiskCommand)>,
    connection: Option<Connection>,
    pub(super) stream: u64,
    next_number: u64,
    /// What was handed over and kept, and its events.
    pub(super) kept: BTreeMap<u64, u64>,
    waiting: Option<Frame>,
}

pub(super) struct World {
    pub(super) now: Time,
    pub(super) random: Random,
    pub(super) faults: Faults,
    pub(super) server: Server,
    pub(super) disk: SimulatedDisk,
    pub(super) settings: Settings,
    pub(super) client: Option<Client>,
    streams: BTreeSet<u64>,
    idle_steps: u32,
    pub(super) window_seen_max: usize,
}

impl World {
    pub(super) fn new(seed: u64, settings: Settings, faults: Faults) -> Self {
        Self {
            now: Time::ZERO,
            random: Random::new(seed),
            faults,
            server: Server::default(),
            disk: SimulatedDisk::default(),
            settings,
            client: None,
            streams: BTreeSet::new(),
            idle_steps: 0,
            window_seen_max: 0,
        }
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.random.next() % bound.max(1)
    }

    fn happens(&mut self, thousandths: u64) -> bool {
        thousandths > 0 && self.below(1_000) < thousandths
    }

    pub(super) fn client(&mut self) -> &mut Client {
        self.client.as_mut().expect("it lives")
    }

    /// A new process.
    pub(super) fn start_client(&mut self) {
        let stream = self.random.next() | 1;
        assert!(self.streams.insert(stream), "streams are drawn");
        let hello = Hello {
            protocol: 1,
            stream,
            ..Hello::default()
        };
        let mut machine = Machine::new(self.settings.clone(), hello, self.random.next());
        // A process begins at any time.
        machine.advance(self.now);
        self.client = Some(Client {
            machine,
            spool: Spool::new(self.disk.clone(), stream, self.settings.frames.clone()),
            disk: None,
            connection: None,
            stream,
            next_number: 1,
            kept: BTreeMap::new(),
            waiting: None,
        });
    }

    /// The process dies: what is in memory is gone, a write is torn at any byte.
    pub(super) fn kill_client(&mut self) -> Client {
        let mut client = self.client.take().expect("it lives");
        if let Some((_, command)) = client.disk.take() {
            let tear = self.below(6_000) as usize;
            self.disk.change(|disk| disk.tear_after = Some(tear));
            let _torn = client.spool.carry_out(command);
            self.disk.change(|disk| disk.tear_after = None);
        }
        // Its locks go with it.
        let nothing = SimulatedDisk::default();
        client.spool = Spool::new(nothing, client.stream, self.settings.frames.clone());
        client
    }

    /// Names and lengths of what is on the disk.
    pub(super) fn files(&self) -> Vec<(String, usize)> {
        self.disk.change(|disk| {
            let files = disk.files.iter();
            files
                .map(|(name, bytes)| (name.clone(), bytes.len()))
                .collect()
        })
    }

    /// Hands a batch over.
    pub(super) fn produce(&mut self, events: u32, payload_bytes: usize) {
        let now = self.now;
        let client = self.client.as_mut().expect("it lives");
        let (frame, may_wait) = match client.waiting.take() {
            Some(frame) => (frame, false),
            None => {
                let number = client.next_number;
                client.next_number += 1;
                (batch(client.stream, number, events, payload_bytes), true)
            }
        };
        let (number, events) = (frame.header().number, frame.header().events);
        match client.machine.take(now, frame, may_wait) {
            Taken::Kept => {
                client.kept.insert(number, u64::from(events));
            }
            Taken::NoRoomYet(frame) => client.waiting = Some(frame),
            Taken::Lost => {}
        }
        self.settle();
    }

    /// Lets time pass until then.
    pub(super) fn run_until(&mut self, end: Time) {
        while let Some(at) = self.next_at().filter(|&at| at <= end) {
            if at > self.now {
                self.now = at;
                self.idle_steps = 0;
            } else {
                self.idle_steps += 1;
                assert!(self.idle_steps < 100_000, "it goes in circles");
            }
            self.step();
        }
        self.now = end;
        self.step();
    }

    /// Lets time pass until something holds; false when it does not by then.
    pub(super) fn run_while(&mut self, end: Time, holds: impl Fn(&Self) -> bool) -> bool {
        while holds(self) {
            let Some(at) = self.next_at().filter(|&at| at <= end) else {
                return false;
            };
            self.now = self.now.max(at);
            self.step();
        }
        true
    }

    fn next_at(&self) -> Option<Time> {
        let client = self.client.as_ref()?;
        let disk = client.disk.as_ref().map(|disk| disk.0);
        let connection = client.connection.as_ref().and_then(Connection::next_at);
        [client.machine.wake_at(), disk, connection]
            .into_iter()
            .flatten()
            .min()
            .map(|at| at.max(self.now))
    }

    fn step(&mut self) {
        self.finish_disk();
        self.move_frames();
        self.settle();
    }

    fn finish_disk(&mut self) {
        let now = self.now;
        let is_done = self
            .client
            .as_ref()
            .and_then(|client| client.disk.as_ref())
            .is_some_and(|disk| disk.0 <= now);
        if !is_done {
            return;
        }
        if self.happens(self.faults.tears_writes) {
            let tear = self.below(3_000) as usize;
            self.disk.change(|disk| disk.tear_after = Some(tear));
        }
        let client = self.client.as_mut().expect("it lives");
        let (_, command) = client.disk.take().expect("it is done");
        let outcome = client.spool.carry_out(command);
        self.disk.change(|disk| disk.tear_after = None);
        client.machine.disk_done(now, outcome);
        if self.happens(self.faults.rots) {
            self.turn_a_bit();
        }
    }

    pub(super) fn turn_a_bit(&mut self) {
        let place = self.random.next();
        self.disk.change(|disk| {
            let mut files: Vec<_> = disk
                .files
                .values_mut()
                .filter(|bytes| !bytes.is_empty())
                .collect();
            if files.is_empty() {
                return;
            }
            let file = place as usize % files.len();
            let bytes = &mut files[file];
            let byte = (place >> 16) as usize % bytes.len();
            bytes[byte] ^= 1 << (place >> 60 & 7);
        });
    }

    /// Everything that is asked of the machine, until it asks for nothing.
    fn settle(&mut self) {
        let now = self.now;
        let Some(client) = &mut self.client else {
            return;
        };
        loop {
            client.machine.advance(now);
            let mut has_done = false;
            while let Some(command) = client.machine.poll_link() {
                has_done = true;
                client.connection = match command {
                    LinkCommand::Close => None,
                    LinkCommand::Connect => {
                        assert!(client.connection.is_none(), "one connection at a time");
                        let roll = self.random.next();
                        Some(Connection {
                            up_at: now + ms(1 + roll % 30),
                            is_up: false,
                            is_refused: (roll >> 8) % 1_000 < self.faults.refuses_connections,
                            is_greeted: false,
                            is_silent: false,
                            stalls: (roll >> 24) % 1_000 < self.faults.stalls,
                            to_server: VecDeque::new(),
                            to_client: VecDeque::new(),
                            sent: BTreeMap::new(),
                            to_acknowledge: BTreeMap::new(),
                            acknowledge_at: now,
                            received_bytes: 0,
                            credit: 3_100 + roll % 20_000,
                            credit_given: 0,
                            closes: None,
                        })
                    }
                };
            }
            if let Some(connection) = client.connection.as_mut().filter(|it| it.is_up) {
                // A socket takes only so much.
                while connection.to_server.len() < 8
                    && let Some(frame) = client.machine.poll_send()
                {
                    has_done = true;
                    let arrives = now + ms(1 + self.random.next() % 10);
                    let before = connection.to_server.back().map_or(arrives, |last| last.0);
                    connection.to_server.push_back((arrives.max(before), frame));
                }
            }
            if client.disk.is_none()
                && let Some(command) = client.machine.poll_disk()
            {
                has_done = true;
                client.disk = Some((now + ms(self.random.next() % 20), command));
            }
            if !has_done {
                break;
            }
        }
        let account = client.machine.account();
        assert!(account.balances(), "{account:?}");
        assert_eq!(
            account.pending,
            client.machine.own.unsettled_events(),
            "what is pending lies somewhere"
        );
        let status = client.machine.status();
        assert!(status.settled <= status.taken && status.settled <= status.secured);
        self.window_seen_max = self.window_seen_max.max(status.window_bytes);
    }

    fn move_frames(&mut self) {
        let now = self.now;
        let Some(client) = &mut self.client else {
            return;
        };
        let Some(connection) = &mut client.connection else {
            return;
        };
        if !connection.is_up && connection.up_at <= now {
            if connection.is_refused {
                client.connection = None;
                client
                    .machine
                    .disconnected(now, Disconnect::passing("connection refused"));
                return;
            }
            connection.is_up = true;
            client.machine.connected(now);
        }
        while let Some((at, _)) = client
            .connection
            .as_ref()
            .and_then(|connection| connection.to_server.front())
            && *at <= now
        {
            let (_, frame) = client
                .connection
                .as_mut()
                .and_then(|connection| connection.to_server.pop_front())
                .expect("it is there");
            let roll = self.random.next();
            let connection = client.connection.as_mut().expect("it is there");
            if roll % 1_000 < self.faults.cuts {
                client.connection = None;
                client
                    .machine
                    .disconnected(now, Disconnect::passing("connection reset"));
                return;
            }
            connection.is_silent |= (roll >> 12) % 1_000 < self.faults.half_opens;
            if !connection.is_silent {
                self.server
                    .receive(connection, now, frame, &self.faults, roll >> 24);
            }
        }
        let Some(connection) = &mut client.connection else {
            return;
        };
        if !connection.is_silent && connection.acknowledge_at <= now {
            connection.acknowledge(now);
        }
        while let Some((at, _)) = client
            .connection
            .as_ref()
            .and_then(|connection| connection.to_client.front())
            && *at <= now
        {
            let (_, bytes) = client
                .connection
                .as_mut()
                .and_then(|connection| connection.to_client.pop_front())
                .expect("it is there");
            let roll = self.random.next();
            let mut bytes = bytes.to_vec();
            if roll % 1_000 < self.faults.corrupts {
                let byte = (roll >> 16) as usize % bytes.len();
                bytes[byte] ^= 1 << (roll >> 61);
            }
            client.machine.received(now, bytes.into());
            while let Some(command) = client.machine.poll_link() {
                assert_eq!(command, LinkCommand::Close, "another only after this one");
                client.connection = None;
            }
        }
        if let Some(connection) = &client.connection
            && connection.closes.is_some_and(|at| at <= now)
        {
            client.connection = None;
            client
                .machine
                .disconnected(now, Disconnect::passing("the server closed the connection"));
        }
    }
}

impl Connection {
    fn next_at(&self) -> Option<Time> {
        let up = (!self.is_up).then_some(self.up_at);
        let to_server = self.to_server.front().map(|frame| frame.0);
        let to_client = self.to_client.front().map(|frame| frame.0);
        let acknowledges =
            (!self.to_acknowledge.is_empty() && !self.is_silent).then_some(self.acknowledge_at);
        let closes = self.closes;
        [up, to_server, to_client, acknowledges, closes]
            .into_iter()
            .flatten()
            .min()
    }

    fn say(&mut self, now: Time, message: &Message) {
        self.to_client
            .push_back((now + ms(2), message.encode().into_bytes()));
    }

    fn acknowledge(&mut self, now: Time) {
        for (stream, number) in std::mem::take(&mut self.to_acknowledge) {
            let credit_total = self.received_bytes + self.credit;
            self.credit_given = credit_total;
            self.say(
                now,
                &Message::Ack(Ack {
                    stream,
                    number,
                    credit_total,
                }),
            );
        }
    }
}

impl Server {
    fn receive(
        &mut self,
        connection: &mut Connection,
        now: Time,
        frame: Frame,
        faults: &Faults,
        roll: u64,
    ) {
        if connection.closes.is_some() {
            return;
        }
        match Message::decode(&frame).expect("a client says what makes sense") {
            Message::Hello(hello) => {
                assert!(!connection.is_greeted, "it is said once");
                assert_ne!(hello.stream, 0);
                connection.is_greeted = true;
                connection.credit_given = connection.credit;
                let welcome = Welcome {
                    protocol: 1,
                    credit_total: connection.credit,
                    ..Welcome::default()
                };
                connection.say(now, &Message::Welcome(welcome));
            }
            Message::Ping(token) => connection.say(now, &Message::Pong(token)),
            Message::Goodbye(Goodbye { .. }) | Message::Pong(_) => {}
            Message::Skip { stream, number, .. } => {
                let before = connection.sent.insert(stream, number).unwrap_or(0);
                assert!(number >= before, "ascending on one connection");
            }
            Message::Batch(frame) => self.receive_batch(connection, now, &frame, faults, roll),
            other => panic!("a client does not say {other:?}"),
        }
    }

    fn receive_batch(
        &mut self,
        connection: &mut Connection,
        now: Time,
        frame: &Frame,
        faults: &Faults,
        roll: u64,
    ) {
        assert!(connection.is_greeted, "nothing before the welcome");
        let header = frame.header();
        let (stream, number) = (header.stream, header.number);
        connection.received_bytes += frame.bytes().len() as u64;
        let before = connection.sent.insert(stream, number);
        assert_eq!(before, Some(number - 1), "as it was announced");
        assert!(
            connection.received_bytes <= connection.credit_given,
            "no more than the credit"
        );
        if roll % 1_000 < faults.refuses_for_now {
            connection.say(
                now,
                &Message::Refusal(Refusal {
                    batch: Some((stream, number)),
                    code: RefusalCode::StoreFull,
                    text: "no room".to_owned(),
                    retryable: true,
                    retry_after_ms: Some(200),
                }),
            );
            connection.closes = Some(now + ms(5));
            return;
        }
        let events = u64::from(header.events);
        let memory = self.streams.entry(stream).or_default();
        let is_known_bad = memory.refused.contains_key(&number);
        if is_known_bad || (number > memory.last && (roll >> 12) % 1_000 < faults.refuses_batches) {
            memory.refused.insert(number, events);
            connection.say(
                now,
                &Message::Refusal(Refusal {
                    batch: Some((stream, number)),
                    code: RefusalCode::Malformed,
                    text: "makes no sense".to_owned(),
                    retryable: false,
                    retry_after_ms: None,
                }),
            );
            return;
        }
        if number > memory.last {
            memory.last = number;
            memory.stored.insert(number, events);
        } else {
            // What is taken for a duplicate has to be one, or it is lost and nobody knows.
            assert_eq!(
                memory.stored.get(&number),
                Some(&events),
                "{stream:x} {number}"
            );
        }
        if !connection.stalls {
            connection.to_acknowledge.insert(stream, number);
            connection.acknowledge_at = now + ms((roll >> 24) % 40);
        }
    }

    pub(super) fn events_of(&self, stream: u64) -> u64 {
        self.streams
            .get(&stream)
            .map_or(0, |memory| memory.stored.values().sum())
    }
}
