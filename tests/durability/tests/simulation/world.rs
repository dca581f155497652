//! A machine with clients and their disk, a network, and a server with its store, on simulated time.
//!
//! Everything that decides is the code of the real ones; the world only carries things from one to the
//! other, lets time pass, and strikes. It is deterministic: one seed is one run.
//!
//! What must hold at every moment is asked where it happens: an acknowledgement is checked when the server
//! says it, a duplicate when the store finds it, an account whenever it has changed. What must hold at the
//! end is in `verdict.rs`.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use reflow_trace::client::machine::{Disconnect, LinkCommand, Settings, Taken, Time};
use reflow_trace::client::spool::{SimulatedDisk, Spool};
use reflow_trace::wire::Frame;
use reflow_trace::wire::frame::{FrameLimits, Message};
use reflow_trace_server::ingest::{Input, Output};

use super::line::{Arrival, Line, ServerEnd};
use super::plan::{Fault, Faults, Plan};
use super::process::{Process, settings};
use super::server::{Durable, Fate, Server};

/// Most that a socket takes before the other side reads.
const SOCKET_MESSAGES_MAX: usize = 8;

/// How often what happened: a simulation in which nothing happens proves nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) batches: u64,
    pub(crate) acks: u64,
    pub(crate) duplicates: u64,
    pub(crate) server_deaths: u64,
    /// Of them, with batches received and not acknowledged.
    pub(crate) server_deaths_under_way: u64,
    pub(crate) client_deaths: u64,
    pub(crate) client_deaths_under_way: u64,
    pub(crate) failed_commits: u64,
    pub(crate) connections: u64,
    pub(crate) strikes: u64,
    pub(crate) lost: u64,
}

pub(crate) struct World {
    pub(crate) now: Time,
    pub(crate) dice: fastrand::Rng,
    pub(crate) faults: Faults,
    settings: Settings,
    pub(crate) disk: SimulatedDisk,
    pub(crate) has_rotted: bool,
    pub(crate) living: Vec<Process>,
    pub(crate) dead: Vec<Process>,
    lines: BTreeMap<u64, Line>,
    next_line: u64,
    pub(crate) server: Option<Server>,
    server_starts_at: Time,
    pub(crate) durable: Durable,
    idle_steps: u32,
    pub(crate) tally: Tally,
    /// The first thing that must not be.
    pub(crate) violation: Option<String>,
}

impl World {
    pub(crate) fn new(plan: &Plan) -> Self {
        let mut world = Self {
            now: Time::ZERO,
            dice: fastrand::Rng::with_seed(plan.seed ^ 0x5eed),
            faults: plan.faults,
            settings: settings(plan.has_spool),
            disk: SimulatedDisk::default(),
            has_rotted: false,
            living: Vec::new(),
            dead: Vec::new(),
            lines: BTreeMap::new(),
            next_line: 0,
            server: Some(Server::start(Time::ZERO)),
            server_starts_at: Time::ZERO,
            durable: Durable::default(),
            idle_steps: 0,
            tally: Tally::default(),
            violation: None,
        };
        for _ in 0..plan.clients {
            world.start_client();
        }
        world
    }

    pub(crate) fn violate(&mut self, what: impl Into<String>) {
        let at = self.now;
        self.violation
            .get_or_insert_with(|| format!("at {at:?}: {}", what.into()));
    }

    fn strikes(&mut self, fault: Fault) -> bool {
        let rate = self.faults.rate(fault);
        let strikes = rate > 0 && self.dice.u32(..10_000) < rate;
        self.tally.strikes += u64::from(strikes);
        strikes
    }

    pub(crate) fn ms(&mut self, range: std::ops::Range<u64>) -> Time {
        Time::from_millis(self.dice.u64(range))
    }

    pub(crate) fn start_client(&mut self) {
        let process = Process::start(self.now, &self.disk, &self.settings, &mut self.dice);
        self.living.push(process);
    }

    /// Lets a client seal a batch, or hand over the one that had no room.
    pub(crate) fn produce(&mut self) {
        if self.strikes(Fault::DiskFills) {
            let room = self.dice.usize(..3_000);
            let capacity = self.disk.bytes() + room;
            self.disk.change(|disk| disk.capacity = capacity);
        } else if self.dice.u32(..20) == 0 {
            self.disk.change(|disk| disk.capacity = usize::MAX);
        }
        let chosen = self.dice.usize(..self.living.len());
        let events = self.dice.usize(..5);
        let process = &mut self.living[chosen];
        let (frame, may_wait) = match process.waiting.take() {
            Some(frame) => (frame, false),
            None => {
                self.tally.batches += 1;
                (process.seal(events, &mut self.dice), true)
            }
        };
        let number = frame.header().number;
        match process.machine.take(self.now, frame, may_wait) {
            Taken::Kept => {
                if let Some(made) = process.made.get_mut(&number) {
                    made.is_kept = true;
                }
            }
            Taken::NoRoomYet(frame) => process.waiting = Some(frame),
            Taken::Lost => {}
        }
        self.settle();
    }

    /// Lets time pass until then, or until something is wrong.
    pub(crate) fn run_until(&mut self, end: Time) {
        while self.violation.is_none()
            && let Some(at) = self.next_at().filter(|&at| at <= end)
        {
            self.go_to(at);
        }
        if self.violation.is_none() {
            self.now = self.now.max(end);
            self.step();
        }
    }

    /// Lets time pass while something holds; whether it has ceased to by then.
    pub(crate) fn run_while(&mut self, end: Time, holds: impl Fn(&Self) -> bool) -> bool {
        while holds(self) {
            if self.violation.is_some() {
                return false;
            }
            let Some(at) = self.next_at().filter(|&at| at <= end) else {
                return false;
            };
            self.go_to(at);
        }
        true
    }

    fn go_to(&mut self, at: Time) {
        if at > self.now {
            self.now = at;
            self.idle_steps = 0;
        } else {
            self.idle_steps += 1;
            if self.idle_steps > 50_000 {
                let wakes: Vec<_> = self
                    .living
                    .iter()
                    .map(|process| process.machine.wake_at())
                    .collect();
                let lines: Vec<_> = self.lines.values().map(Line::next_at).collect();
                let server = self.server.as_ref().and_then(Server::next_at);
                return self.violate(format!(
                    "it goes in circles: clients {wakes:?}, lines {lines:?}, server {server:?}"
                ));
            }
        }
        self.step();
    }

    fn next_at(&self) -> Option<Time> {
        let clients = self.living.iter().flat_map(|process| {
            let disk = process.at_disk.as_ref().map(|disk| disk.0);
            [process.machine.wake_at(), disk].into_iter().flatten()
        });
        let lines = self.lines.values().filter_map(Line::next_at);
        let server = match &self.server {
            Some(server) => server.next_at(),
            None => Some(self.server_starts_at),
        };
        clients
            .chain(lines)
            .chain(server)
            .min()
            .map(|at| at.max(self.now))
    }

    fn step(&mut self) {
        if self.server.is_none() && self.server_starts_at <= self.now {
            self.server = Some(Server::start(self.now));
        }
        if self.server.is_some() && self.strikes(Fault::ServerDies) {
            self.kill_server();
        }
        if self.living.len() > 1 - usize::from(self.dead.len() < 20)
            && self.strikes(Fault::ClientDies)
        {
            let chosen = self.dice.usize(..self.living.len());
            self.kill_client(chosen);
            self.start_client();
        }
        self.commit();
        self.finish_disks();
        let lines: Vec<u64> = self.lines.keys().copied().collect();
        for line in lines {
            self.move_line(line);
        }
        self.lines.retain(|_, line| !line.is_over());
        self.settle();
    }

    /// The process dies: what is in memory is gone, a write is torn at any byte.
    pub(crate) fn kill_client(&mut self, chosen: usize) {
        let mut process = self.living.swap_remove(chosen);
        self.tally.client_deaths += 1;
        let account = process.machine.account();
        self.tally.client_deaths_under_way += u64::from(account.pending > 0);
        if let Some((_, command)) = process.at_disk.take() {
            let tear = self.dice.usize(..6_000);
            self.disk.change(|disk| disk.tear_after = Some(tear));
            let _torn = process.spool.carry_out(command);
            self.disk.change(|disk| disk.tear_after = None);
        }
        // Its locks go with it.
        let elsewhere = SimulatedDisk::default();
        process.spool = Spool::new(elsewhere, process.stream, self.settings.frames.clone());
        if let Some(line) = process.line.take() {
            self.let_go(line);
        }
        self.dead.push(process);
    }

    /// The client's end of a line is closed. What was on its way may arrive or not.
    fn let_go(&mut self, line: u64) {
        let notices = self.now + self.ms(1..20);
        let kept = self.dice.usize(..=SOCKET_MESSAGES_MAX);
        if let Some(line) = self.lines.get_mut(&line) {
            line.client = None;
            line.to_client.clear();
            line.to_server.truncate(kept);
            let last = line.to_server.back().map_or(notices, |last| last.0);
            line.gone_at = (!line.is_silent).then(|| notices.max(last));
        }
    }

    /// The server dies: sessions, queue and the commit that is under way with it, which the disk has or has
    /// not.
    fn kill_server(&mut self) {
        let Some(server) = self.server.take() else {
            return;
        };
        self.tally.server_deaths += 1;
        let mut is_under_way = !server.queue.is_empty();
        if let Some((_, group, fate)) = server.committing {
            is_under_way = true;
            if fate != Fate::FailsWithoutTrace && self.dice.bool() {
                let applied = self.durable.apply(&group);
                if let Err(violation) = applied {
                    self.violate(violation);
                }
            }
        }
        self.tally.server_deaths_under_way += u64::from(is_under_way);
        self.server_starts_at = self.now + self.ms(1..3_000);
        let (now, dice) = (self.now, &mut self.dice);
        for line in self.lines.values_mut() {
            if line.server.take().is_none() && line.is_up {
                continue;
            }
            line.to_server.clear();
            let kept = dice.usize(..4);
            line.to_client.truncate(kept);
            if !line.is_silent {
                line.to_client
                    .push_back((now + Time::from_millis(dice.u64(1..10)), Arrival::End));
            }
        }
    }

    fn commit(&mut self) {
        let Some(mut server) = self.server.take() else {
            return;
        };
        match server.end_commit(self.now, &mut self.durable) {
            Ok(_) => {}
            Err(violation) => self.violate(violation),
        }
        let takes = if self.strikes(Fault::CommitIsSlow) {
            self.ms(200..2_000)
        } else {
            self.ms(1..9)
        };
        let fate = if self.strikes(Fault::CommitFails) {
            Fate::FailsWithoutTrace
        } else if self.strikes(Fault::CommitFailsUnknown) {
            Fate::FailsButIsStored
        } else {
            Fate::Succeeds
        };
        let has_begun = server.begin_commit(self.now, takes, fate);
        self.tally.failed_commits += u64::from(has_begun && fate != Fate::Succeeds);
        self.server = Some(server);
    }

    fn finish_disks(&mut self) {
        for chosen in 0..self.living.len() {
            let now = self.now;
            let Some((_, command)) = self.living[chosen].at_disk.take_if(|disk| disk.0 <= now)
            else {
                continue;
            };
            if self.strikes(Fault::WriteTears) {
                let tear = self.dice.usize(..3_000);
                self.disk.change(|disk| disk.tear_after = Some(tear));
            }
            let process = &mut self.living[chosen];
            let outcome = process.spool.carry_out(command);
            self.disk.change(|disk| disk.tear_after = None);
            process.machine.disk_done(now, outcome);
            if self.strikes(Fault::DiskRots) {
                self.turn_a_bit();
            }
        }
    }

    fn turn_a_bit(&mut self) {
        let (place, bit) = (self.dice.u64(..), self.dice.u8(..8));
        let has_turned = self.disk.change(|disk| {
            let mut files: Vec<_> = disk
                .files
                .values_mut()
                .filter(|bytes| !bytes.is_empty())
                .collect();
            if files.is_empty() {
                return false;
            }
            let file = place as usize % files.len();
            let byte = (place >> 16) as usize % files[file].len();
            files[file][byte] ^= 1 << bit;
            true
        });
        self.has_rotted |= has_turned;
    }

    /// Carries what has arrived on one line, in both directions.
    fn move_line(&mut self, id: u64) {
        self.connect(id);
        while let Some(bytes) = self.arrived_at_server(id) {
            self.deliver(id, bytes);
        }
        self.attend_session(id);
        while let Some(arrival) = self.arrived_at_client(id) {
            let Some(stream) = self.lines.get(&id).and_then(|line| line.client) else {
                return;
            };
            let now = self.now;
            let Some(process) = self
                .living
                .iter_mut()
                .find(|process| process.stream == stream)
            else {
                return;
            };
            match arrival {
                Arrival::Message(bytes) => process.machine.received(now, bytes),
                Arrival::End => {
                    process.line = None;
                    process
                        .machine
                        .disconnected(now, Disconnect::passing("connection reset"));
                    self.let_go(id);
                }
            }
            // It may have closed the connection.
            self.settle();
        }
    }

    fn connect(&mut self, id: u64) {
        let now = self.now;
        let Some(line) = self
            .lines
            .get(&id)
            .filter(|line| !line.is_up && line.up_at <= now)
        else {
            return;
        };
        let Some(stream) = line.client else { return };
        let is_open = self
            .server
            .as_ref()
            .is_some_and(|server| server.ready_at <= now);
        let is_refused = self.strikes(Fault::Refuse);
        let end = self
            .server
            .as_ref()
            .filter(|_| is_open && !is_refused)
            .map(|server| server.open(now));
        let Some(process) = self
            .living
            .iter_mut()
            .find(|process| process.stream == stream)
        else {
            return;
        };
        match end {
            Some(end) => {
                self.tally.connections += 1;
                process.machine.connected(now);
                if let Some(line) = self.lines.get_mut(&id) {
                    line.is_up = true;
                    line.server = Some(end);
                }
            }
            None => {
                process.line = None;
                process
                    .machine
                    .disconnected(now, Disconnect::passing("connection refused"));
                self.lines.remove(&id);
            }
        }
    }

    fn arrived_at_server(&mut self, id: u64) -> Option<Bytes> {
        let now = self.now;
        let line = self.lines.get_mut(&id)?;
        let end = line.server.as_ref()?;
        if !end.session.wants_input() {
            return None;
        }
        let (_, bytes) = line.to_server.pop_front_if(|first| first.0 <= now)?;
        Some(bytes)
    }

    /// A message is at the server, if nothing strikes it.
    fn deliver(&mut self, id: u64, bytes: Bytes) {
        let Some(bytes) = self.strike(id, bytes) else {
            return;
        };
        let now = self.now;
        let Some(end) = self
            .lines
            .get_mut(&id)
            .and_then(|line| line.server.as_mut())
        else {
            return;
        };
        if let Ok(Message::Batch(frame)) = parsed(bytes.clone()) {
            let header = frame.header();
            end.delivered.push((header.stream, header.number));
        }
        end.session.handle(now, Input::Message(bytes));
        self.carry_out(id);
    }

    /// What becomes of a message on its way: `None` when it does not arrive.
    fn strike(&mut self, id: u64, bytes: Bytes) -> Option<Bytes> {
        if self.strikes(Fault::HalfOpen)
            && let Some(line) = self.lines.get_mut(&id)
        {
            line.is_silent = true;
        }
        let is_silent = self.lines.get(&id).is_none_or(|line| line.is_silent);
        if is_silent || self.strikes(Fault::Drop) {
            return None;
        }
        if self.strikes(Fault::Cut) {
            let soon = self.now + self.ms(1..5);
            let line = self.lines.get_mut(&id)?;
            line.to_client.push_back((soon, Arrival::End));
            line.to_server.clear();
            line.gone_at = Some(soon);
            return None;
        }
        if self.strikes(Fault::Corrupt) {
            let mut bytes = bytes.to_vec();
            let at = self.dice.usize(..bytes.len());
            bytes[at] ^= 1 << self.dice.u8(..8);
            return Some(bytes.into());
        }
        Some(bytes)
    }

    /// Answers, time and the end of the other side, as the session's driver would tell them.
    fn attend_session(&mut self, id: u64) {
        let now = self.now;
        let Some(line) = self.lines.get_mut(&id) else {
            return;
        };
        let Some(end) = &mut line.server else { return };
        let mut answers = Vec::new();
        while let Ok(more) = end.answers.try_recv() {
            answers.extend(more);
        }
        if !answers.is_empty() {
            end.session.handle(now, Input::Answers(answers));
        } else if end.session.wants_memory() || end.session.wake_at() <= now {
            end.session.handle(now, Input::Tick);
        }
        if line.to_server.is_empty() && line.gone_at.is_some_and(|at| at <= now) {
            end.session.handle(now, Input::Gone);
        }
        self.carry_out(id);
    }

    /// What the session wants done.
    fn carry_out(&mut self, id: u64) {
        loop {
            let end = self
                .lines
                .get_mut(&id)
                .and_then(|line| line.server.as_mut());
            let Some(end) = end else { return };
            let Some(output) = end.session.output() else {
                if end.session.end().is_some() {
                    self.hang_up(id);
                }
                return;
            };
            match output {
                Output::Commit(submission) => {
                    if let Some(server) = &mut self.server {
                        server.queue.push(self.now, submission);
                    }
                }
                Output::Send(bytes) => {
                    self.check_words(id, bytes.clone());
                    self.send_to_client(id, bytes);
                }
                Output::Close(_) => {
                    self.hang_up(id);
                    return;
                }
            }
        }
    }

    /// The server closes a line: what it has said before still arrives.
    fn hang_up(&mut self, id: u64) {
        let soon = self.now + self.ms(1..10);
        if let Some(line) = self.lines.get_mut(&id) {
            line.server = None;
            line.to_server.clear();
            if !line.is_silent {
                let last = line.to_client.back().map_or(soon, |last| last.0);
                line.to_client.push_back((soon.max(last), Arrival::End));
            }
        }
    }

    /// What the server says is looked at when it says it: an acknowledgement has to be true by then.
    fn check_words(&mut self, id: u64, bytes: Bytes) {
        match parsed(bytes) {
            Ok(Message::Ack(ack)) => {
                self.tally.acks += 1;
                let delivered = self.lines.get(&id).and_then(|line| line.server.as_ref());
                let delivered = delivered.map_or(&[][..], |end: &ServerEnd| &end.delivered);
                let missing = delivered.iter().find(|&&(stream, number)| {
                    let place = (stream, number);
                    stream == ack.stream
                        && number <= ack.number
                        && !self.durable.batches.contains(&place)
                        && !self.durable.refused.contains_key(&place)
                });
                if let Some((stream, number)) = missing {
                    let text =
                        format!("batch {number} of {stream:016x} is acknowledged and not stored");
                    self.violate(text);
                }
            }
            Ok(Message::Refusal(refusal)) if !refusal.retryable => {
                if let Some(place) = refusal.batch {
                    let makers = self.living.iter().chain(&self.dead);
                    let made = makers
                        .filter(|process| process.stream == place.0)
                        .find_map(|process| process.made.get(&place.1));
                    let events = made.map_or(0, |made| made.events.len() as u64);
                    self.durable.refused.insert(place, events);
                }
            }
            Ok(_) => {}
            Err(error) => self.violate(format!("the server says what is no frame: {error}")),
        }
    }

    fn send_to_client(&mut self, id: u64, bytes: Bytes) {
        let arrives = self.now + self.ms(1..10);
        let copies = self.ways(id, bytes);
        if let Some(line) = self.lines.get_mut(&id) {
            let last = line.to_client.back().map_or(arrives, |last| last.0);
            let copies = copies.into_iter().map(Arrival::Message);
            line.to_client
                .extend(copies.map(|message| (arrives.max(last), message)));
            reorder(
                &mut line.to_client,
                self.dice.u32(..10_000) < self.faults.rate(Fault::Reorder),
            );
        }
    }

    /// The copies of a message that set out: one, or two.
    fn ways(&mut self, id: u64, bytes: Bytes) -> Vec<Bytes> {
        let is_there = self.lines.contains_key(&id);
        let copies = match (is_there, self.strikes(Fault::Duplicate)) {
            (false, _) => 0,
            (true, false) => 1,
            (true, true) => 2,
        };
        vec![bytes; copies]
    }

    fn arrived_at_client(&mut self, id: u64) -> Option<Arrival> {
        loop {
            let now = self.now;
            let line = self.lines.get_mut(&id)?;
            line.client?;
            let (_, arrival) = line.to_client.pop_front_if(|first| first.0 <= now)?;
            match arrival {
                Arrival::End if line.is_silent => {}
                Arrival::End => return Some(Arrival::End),
                Arrival::Message(bytes) => {
                    if let Some(bytes) = self.strike(id, bytes) {
                        return Some(Arrival::Message(bytes));
                    }
                }
            }
        }
    }

    /// Everything that the machines ask for, until they ask for nothing.
    fn settle(&mut self) {
        for chosen in 0..self.living.len() {
            while self.settle_one(chosen) {}
            let process = &self.living[chosen];
            let account = process.machine.account();
            let status = process.machine.status();
            if !account.balances() {
                let text = format!("the account does not balance: {account:?}");
                self.violate(text);
            } else if status.settled > status.taken || status.settled > status.secured {
                self.violate(format!(
                    "settled beyond what was taken or secured: {status:?}"
                ));
            }
        }
    }

    fn settle_one(&mut self, chosen: usize) -> bool {
        let now = self.now;
        let mut has_done = false;
        self.living[chosen].machine.advance(now);
        while let Some(command) = self.living[chosen].machine.poll_link() {
            has_done = true;
            if let Some(line) = self.living[chosen].line.take() {
                self.let_go(line);
            }
            if command == LinkCommand::Connect {
                let up_at = now + self.ms(1..30);
                let id = self.next_line;
                self.next_line += 1;
                let process = &mut self.living[chosen];
                process.line = Some(id);
                self.lines.insert(id, Line::new(process.stream, up_at));
            }
        }
        if let Some(id) = self.living[chosen].line {
            while self
                .lines
                .get(&id)
                .is_some_and(|line| line.is_up && line.to_server.len() < SOCKET_MESSAGES_MAX)
                && let Some(frame) = self.living[chosen].machine.poll_send()
            {
                has_done = true;
                self.send_to_server(id, frame);
            }
        }
        let takes = self.ms(0..20);
        let process = &mut self.living[chosen];
        if process.at_disk.is_none()
            && let Some(command) = process.machine.poll_disk()
        {
            has_done = true;
            process.at_disk = Some((now + takes, command));
        }
        has_done
    }

    fn send_to_server(&mut self, id: u64, frame: Frame) {
        let arrives = self.now + self.ms(1..10);
        let copies = self.ways(id, frame.into_bytes());
        if let Some(line) = self.lines.get_mut(&id) {
            let last = line.to_server.back().map_or(arrives, |last| last.0);
            line.to_server
                .extend(copies.into_iter().map(|bytes| (arrives.max(last), bytes)));
            reorder(
                &mut line.to_server,
                self.dice.u32(..10_000) < self.faults.rate(Fault::Reorder),
            );
        }
    }
}

/// Lets the newest message come before some that set out earlier, at the time of the first of them.
fn reorder<T>(under_way: &mut VecDeque<(Time, T)>, is_struck: bool) {
    let count = under_way.len();
    if !is_struck || count < 2 {
        return;
    }
    let before = count - 1 - (count - 1).min(3);
    if let Some((_, message)) = under_way.pop_back() {
        let at = under_way[before].0;
        under_way.insert(before, (at, message));
    }
}

fn parsed(bytes: Bytes) -> Result<Message, reflow_trace::wire::FrameError> {
    Frame::parse(bytes, &FrameLimits::default()).and_then(|frame| Message::decode(&frame))
}
