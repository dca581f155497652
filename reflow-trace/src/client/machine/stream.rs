//! One stream: where its batches lie, how far they are sent, and what of them is settled.
//!
//! Everything is told by the numbers of the batches. What is not settled lies in files and then in the
//! memory window, in ascending order and without overlap but for one: what was sent from memory and has
//! been written to a file since is still under way.

use std::collections::{BTreeSet, VecDeque};

use super::Time;
use super::account::Account;
use crate::client::spool::FileName;
use crate::ledger::LossReason;
use crate::wire::frame::{Frame, Message};

/// Most batches under way on one connection; usually the credit is used up before.
pub const IN_FLIGHT_MAX: usize = 16_384;

/// One run of one client.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) id: u64,
    /// Of this process, and of this ledger.
    pub(super) is_own: bool,
    /// The oldest first.
    pub(super) files: VecDeque<Shelved>,
    /// What is in memory only, the oldest first; newer than what is in files.
    pub(super) window: VecDeque<Held>,
    pub(super) window_bytes: usize,
    /// Everything up to here is acknowledged, refused or lost.
    pub(super) settled: u64,
    /// The newest that was sent on this connection.
    sent: u64,
    /// The server knows that the batch after this one comes next on this connection.
    announced: Option<u64>,
    /// The batch that was really sent last on this connection; 0: none.
    said: u64,
    /// What was sent on this connection and is not settled, the oldest first.
    in_flight: VecDeque<InFlight>,
    /// What is refused and not below `settled` yet; not sent again.
    refused: BTreeSet<u64>,
    pub(super) reader: Reader,
}

/// A file of the spool.
#[derive(Clone, Debug)]
pub(super) struct Shelved {
    pub(super) name: FileName,
    /// Bytes that are whole, as far as it is known.
    pub(super) bytes: u64,
    /// The newest batch in it, once that is known: a file of another process has to be read for it.
    pub(super) last: Option<u64>,
    /// Events in it that are not settled; 0 in a file of another process, whose ledger is gone.
    pub(super) unsettled_events: u64,
    /// Up to here its damage has been counted.
    pub(super) counted_bytes: u64,
    pub(super) failures: u32,
    pub(super) is_unreadable: bool,
}

/// A batch in memory.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) frame: Frame,
    pub(super) since: Time,
}

#[derive(Clone, Copy, Debug)]
struct InFlight {
    number: u64,
    events: u64,
    is_refused: bool,
}

/// How far the files have been read on this connection.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// The file that is read, or was read last.
    file: Option<FileName>,
    pub(super) offset: u64,
    is_at_end: bool,
    /// Whole batches from it that are not sent.
    frames: VecDeque<Frame>,
    pub(super) bytes: usize,
    /// The newest batch found in the file.
    highest: u64,
    /// Told to the disk, so that an answer to an earlier question is known as one.
    pub(super) pass: u64,
    pub(super) retry_at: Option<Time>,
}

/// What a stream has to send next.
pub(super) enum Next {
    Frame(Frame),
    /// It lies in a file.
    InFile,
    Nothing,
}

impl Held {
    pub(super) fn number(&self) -> u64 {
        self.frame.header().number
    }
}

impl Stream {
    pub(super) fn new(id: u64, is_own: bool) -> Self {
        Self {
            id,
            is_own,
            files: VecDeque::new(),
            window: VecDeque::new(),
            window_bytes: 0,
            settled: 0,
            sent: 0,
            announced: None,
            said: 0,
            in_flight: VecDeque::new(),
            refused: BTreeSet::new(),
            reader: Reader::default(),
        }
    }

    /// Nothing of it is left.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty() && self.window.is_empty()
    }

    pub(super) fn has_in_flight(&self) -> bool {
        !self.in_flight.is_empty()
    }

    /// Everything up to here is settled or sent.
    fn cursor(&self) -> u64 {
        self.sent.max(self.settled)
    }

    /// What is to be sent next. What is refused already is passed over.
    pub(super) fn next(&mut self) -> Next {
        loop {
            let Some(frame) = self.peek() else {
                let is_in_file = self.file_to_read().is_some();
                return if is_in_file {
                    Next::InFile
                } else {
                    Next::Nothing
                };
            };
            if !self.refused.contains(&frame.header().number) {
                return if self.in_flight.len() < IN_FLIGHT_MAX {
                    Next::Frame(frame)
                } else {
                    Next::Nothing
                };
            }
            self.mark_sent(&frame, true);
            self.advance();
        }
    }

    fn peek(&mut self) -> Option<Frame> {
        let cursor = self.cursor();
        while let Some(frame) = self.reader.frames.front() {
            if frame.header().number > cursor {
                return Some(frame.clone());
            }
            self.reader.bytes -= frame.bytes().len();
            self.reader.frames.pop_front();
        }
        if self.file_to_read().is_some() {
            return None;
        }
        let next = self.window.partition_point(|held| held.number() <= cursor);
        self.window.get(next).map(|held| held.frame.clone())
    }

    /// The first file that holds anything behind what is sent and has been read.
    pub(super) fn file_to_read(&self) -> Option<&Shelved> {
        let cursor = self.cursor();
        self.files.iter().find(|file| {
            let is_behind = match self.reader.file {
                Some(read) if file.name == read => !self.reader.is_at_end,
                Some(read) => file.name > read,
                None => true,
            };
            is_behind && !file.is_unreadable && file.last.is_none_or(|last| last > cursor)
        })
    }

    /// What has to be said before this batch is sent: that it comes next, where the server does not expect
    /// it. So a batch that gets out of order on the way is not taken for a gap.
    pub(super) fn announce(&mut self, frame: &Frame) -> Option<Message> {
        let before = frame.header().number - 1;
        (self.announced != Some(before)).then(|| {
            self.announced = Some(before);
            Message::Skip {
                stream: self.id,
                number: before,
                after: self.said,
            }
        })
    }

    /// The frame is on its way, or passed over because it was refused.
    pub(super) fn mark_sent(&mut self, frame: &Frame, is_refused: bool) {
        let header = frame.header();
        self.sent = header.number;
        if !is_refused {
            self.announced = Some(header.number);
            self.said = header.number;
        }
        self.in_flight.push_back(InFlight {
            number: header.number,
            events: u64::from(header.events),
            is_refused,
        });
    }

    /// The frame is larger than the server takes: it is refused without being sent.
    pub(super) fn refuse_unsent(&mut self, frame: &Frame, account: &mut Account) {
        let header = frame.header();
        self.refused.insert(header.number);
        account.refuse(self.is_own, u64::from(header.events));
        self.settle_in_file(header.number, u64::from(header.events));
        self.mark_sent(frame, true);
        self.advance();
    }

    /// The server has everything up to `number`; false when that cannot be, for it was never sent.
    pub(super) fn acknowledge(&mut self, number: u64, account: &mut Account) -> bool {
        if number > self.cursor() {
            return false;
        }
        while let Some(&first) = self.in_flight.front()
            && first.number <= number
        {
            self.in_flight.pop_front();
            if !first.is_refused {
                account.store(self.is_own, first.events);
                self.settle_in_file(first.number, first.events);
            }
        }
        self.settled = self.settled.max(number);
        self.advance();
        true
    }

    /// The server will never take this batch; false when it was never sent.
    pub(super) fn refuse(&mut self, number: u64, account: &mut Account) -> bool {
        let place = self
            .in_flight
            .binary_search_by_key(&number, |sent| sent.number);
        let Ok(place) = place else {
            // Said twice, or too late to make a difference.
            return number <= self.cursor();
        };
        let sent = self.in_flight[place];
        if !sent.is_refused {
            self.in_flight[place].is_refused = true;
            self.refused.insert(number);
            account.refuse(self.is_own, sent.events);
            self.settle_in_file(sent.number, sent.events);
        }
        self.advance();
        true
    }

    fn settle_in_file(&mut self, number: u64, events: u64) {
        let behind = self.files.partition_point(|file| file.name.first <= number);
        if let Some(file) = behind.checked_sub(1).and_then(|at| self.files.get_mut(at))
            && file.last.is_some_and(|last| number <= last)
        {
            file.unsettled_events = file.unsettled_events.saturating_sub(events);
        }
    }

    /// Moves `settled` over what is refused, and forgets what lies below it.
    fn advance(&mut self) {
        while let Some(first) = self.in_flight.front()
            && first.is_refused
        {
            self.settled = first.number;
            self.in_flight.pop_front();
        }
        // There may be no number behind it: a file says what it likes.
        self.refused = match self.settled.checked_add(1) {
            Some(next) => self.refused.split_off(&next),
            None => BTreeSet::new(),
        };
        while let Some(held) = self.window.front()
            && held.number() <= self.settled
        {
            self.window_bytes -= held.frame.bytes().len();
            self.window.pop_front();
        }
    }

    /// The first file when nothing in it is of any use any more, and it is not the one that is `busy`.
    pub(super) fn pop_settled_file(&mut self, busy: Option<FileName>) -> Option<Shelved> {
        let first = self.files.front()?;
        let is_settled = first.last.is_some_and(|last| last <= self.settled);
        if is_settled && busy != Some(first.name) {
            return self.files.pop_front();
        }
        None
    }

    /// The connection is gone: what was under way will be sent again.
    pub(super) fn reset(&mut self, account: &mut Account) -> Vec<Shelved> {
        self.sent = 0;
        self.announced = None;
        self.said = 0;
        self.in_flight.clear();
        self.reader = Reader {
            pass: self.reader.pass + 1,
            retry_at: self.reader.retry_at,
            ..Reader::default()
        };
        // What was sent from memory and is now in an unreadable file cannot be sent again.
        let (unreadable, files): (Vec<_>, Vec<_>) = std::mem::take(&mut self.files)
            .into_iter()
            .partition(|file| file.is_unreadable);
        self.files = files.into();
        for file in &unreadable {
            account.lose_pending(LossReason::SpoolCorrupt, file.unsettled_events);
        }
        unreadable
    }

    /// Batches that were read. What is of another stream, or does not ascend, is left out; its bytes are
    /// returned.
    pub(super) fn read(&mut self, name: FileName, frames: Vec<Frame>) -> u64 {
        if self.reader.file != Some(name) {
            self.reader.file = Some(name);
            self.reader.highest = 0;
            self.reader.is_at_end = false;
        }
        let mut misplaced = 0;
        for frame in frames {
            let header = frame.header();
            let is_in_order = header.number > self.reader.highest.max(name.first - 1);
            if header.stream != self.id || !is_in_order {
                misplaced += frame.bytes().len() as u64;
                continue;
            }
            self.reader.highest = header.number;
            if header.number > self.cursor() {
                self.reader.bytes += frame.bytes().len();
                self.reader.frames.push_back(frame);
            }
        }
        misplaced
    }

    /// Where the next reading of this file begins.
    pub(super) fn offset_in(&self, name: FileName) -> u64 {
        if self.reader.file == Some(name) {
            self.reader.offset
        } else {
            0
        }
    }

    /// The file has been read to its end, so it is known what is in it.
    pub(super) fn finish_file(&mut self, name: FileName, account: &mut Account) {
        self.reader.is_at_end = true;
        let sent_last = self.last_in_flight_in(name);
        let found = self.events_still_there(name);
        let highest = self.reader.highest;
        if let Some(file) = self.files.iter_mut().find(|file| file.name == name) {
            if self.is_own {
                let missing = file.unsettled_events.saturating_sub(found);
                file.unsettled_events -= missing;
                account.lose_pending(LossReason::SpoolCorrupt, missing);
            }
            file.last = Some(highest.max(sent_last));
        }
    }

    /// The file will not be read any more, and is left where it is. Returned, once nothing of it is under
    /// way.
    pub(super) fn give_up_file(
        &mut self,
        name: FileName,
        account: &mut Account,
    ) -> Option<Shelved> {
        let under_way = self.events_still_there(name);
        let place = self.files.iter().position(|file| file.name == name)?;
        let file = &mut self.files[place];
        file.is_unreadable = true;
        if self.is_own {
            let missing = file.unsettled_events.saturating_sub(under_way);
            file.unsettled_events -= missing;
            account.lose_pending(LossReason::SpoolCorrupt, missing);
        }
        if file.unsettled_events == 0 {
            return self.files.remove(place);
        }
        None
    }

    /// Events that are in files and in memory and not settled, counted one by one.
    #[cfg(test)]
    pub(super) fn unsettled_events(&self) -> u64 {
        let in_files = self.files.iter().map(|file| file.unsettled_events);
        let held = self.window.iter().map(|held| held.frame.header());
        let held = held.filter(|header| !self.refused.contains(&header.number));
        in_files.sum::<u64>() + held.map(|header| u64::from(header.events)).sum::<u64>()
    }

    fn bounds(&self, name: FileName) -> (u64, u64) {
        let last = self
            .files
            .iter()
            .find(|file| file.name == name)
            .and_then(|file| file.last);
        (name.first, last.unwrap_or(u64::MAX))
    }

    /// Events in this file that can still be stored: they are under way, or were read whole.
    fn events_still_there(&self, name: FileName) -> u64 {
        let (first, last) = self.bounds(name);
        let cursor = self.cursor();
        let sent = self.in_flight.iter();
        let sent = sent.filter(|sent| !sent.is_refused && (first..=last).contains(&sent.number));
        let read = self.reader.frames.iter().map(Frame::header);
        let read = read.filter(|header| {
            let number = header.number;
            number > cursor && (first..=last).contains(&number) && !self.refused.contains(&number)
        });
        sent.map(|sent| sent.events).sum::<u64>()
            + read.map(|header| u64::from(header.events)).sum::<u64>()
    }

    fn last_in_flight_in(&self, name: FileName) -> u64 {
        let (first, last) = self.bounds(name);
        let sent = self.in_flight.iter().rev();
        sent.map(|sent| sent.number)
            .find(|number| (first..=last).contains(number))
            .unwrap_or(0)
    }

    /// Gives up what is in memory.
    pub(super) fn lose_window(&mut self, account: &mut Account) {
        for held in self.window.drain(..) {
            let header = held.frame.header();
            if !self.refused.contains(&header.number) {
                account.lose_pending(LossReason::NotAcknowledged, u64::from(header.events));
            }
        }
        self.window_bytes = 0;
    }

    /// Batches up to `last` have been written to this file, and leave the memory.
    pub(super) fn move_to_file(&mut self, name: FileName, bytes: u64, last: u64) {
        let mut events = 0;
        while let Some(held) = self.window.front()
            && held.number() <= last
        {
            let header = held.frame.header();
            if !self.refused.contains(&header.number) {
                events += u64::from(header.events);
            }
            self.window_bytes -= held.frame.bytes().len();
            self.window.pop_front();
        }
        match self.files.iter_mut().find(|file| file.name == name) {
            Some(file) => {
                file.bytes += bytes;
                file.last = Some(last);
                file.unsettled_events += events;
            }
            None => self.files.push_back(Shelved {
                last: Some(last),
                unsettled_events: events,
                ..Shelved::new(name, bytes)
            }),
        }
    }

    /// Whether the last file may be continued: it must not be under the reader's eyes.
    pub(super) fn file_to_continue(&self, file_bytes_max: u64) -> Option<&Shelved> {
        self.files.back().filter(|file| {
            let is_unread = self.reader.file.is_none_or(|read| read < file.name);
            is_unread && !file.is_unreadable && file.bytes < file_bytes_max
        })
    }
}

impl Shelved {
    pub(super) fn new(name: FileName, bytes: u64) -> Self {
        Self {
            name,
            bytes,
            last: None,
            unsettled_events: 0,
            counted_bytes: 0,
            failures: 0,
            is_unreadable: false,
        }
    }
}
