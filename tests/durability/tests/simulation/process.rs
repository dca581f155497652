//! One run of a client: the machine of the real one, a spool on the simulated disk, and what was asked of it.

use std::collections::BTreeMap;

use reflow_trace::client::machine::{Machine, Settings, SpoolSettings, Time};
use reflow_trace::client::spool::{DiskCommand, SimulatedDisk, Spool};
use reflow_trace::event::{EventId, ProducerId, TraceEvent};
use reflow_trace::wire::frame::{FrameLimits, Hello};
use reflow_trace::wire::{BatchLimits, Frame, Sealer};

/// A batch that was sealed.
pub(crate) struct Made {
    pub(crate) events: Vec<EventId>,
    /// The client has taken it; if not, it is counted as lost.
    pub(crate) is_kept: bool,
}

pub(crate) struct Process {
    pub(crate) stream: u64,
    pub(crate) machine: Machine,
    pub(crate) spool: Spool<SimulatedDisk>,
    /// What the disk is at, and until when.
    pub(crate) at_disk: Option<(Time, DiskCommand)>,
    /// The connection, by its place in the world.
    pub(crate) line: Option<u64>,
    pub(crate) made: BTreeMap<u64, Made>,
    /// Sealed, and without room yet.
    pub(crate) waiting: Option<Frame>,
    sealer: Sealer,
    producer: ProducerId,
}

/// Small numbers, so that every bound is reached in a short run.
pub(crate) fn settings(has_spool: bool) -> Settings {
    Settings {
        window_bytes_max: 12_000,
        spool: has_spool.then_some(SpoolSettings {
            bytes_max: 40_000,
            file_bytes_max: 5_000,
            files_max: 24,
            read_bytes_max: 4_000,
            scan_every: Time::from_secs(20),
        }),
        frames: FrameLimits {
            payload_bytes_max: 3_000,
            ..FrameLimits::default()
        },
        ..Settings::default()
    }
}

impl Process {
    pub(crate) fn start(
        now: Time,
        disk: &SimulatedDisk,
        settings: &Settings,
        dice: &mut fastrand::Rng,
    ) -> Self {
        let stream = dice.u64(1..);
        let hello = Hello {
            protocol: 1,
            stream,
            ..Hello::default()
        };
        let mut machine = Machine::new(settings.clone(), hello, dice.u64(..));
        // A process begins at any time.
        machine.advance(now);
        let limits = BatchLimits {
            frame: settings.frames.clone(),
            ..BatchLimits::default()
        };
        Self {
            stream,
            machine,
            spool: Spool::new(disk.clone(), stream, settings.frames.clone()),
            at_disk: None,
            line: None,
            made: BTreeMap::new(),
            waiting: None,
            sealer: Sealer::new(None, limits),
            producer: ProducerId::from_bits(dice.u64(..)),
        }
    }

    /// Seals a batch of so many events.
    pub(crate) fn seal(&mut self, events: usize, dice: &mut fastrand::Rng) -> Frame {
        let events: Vec<TraceEvent> = (0..events)
            .map(|_| {
                let to = ["sorter", "adder", "logger"][dice.usize(..3)];
                TraceEvent::data_flow("reader", "out", to, "in", "Reading", dice.usize(..10_000))
            })
            .collect();
        let number = self.made.last_key_value().map_or(0, |(number, _)| *number) + 1;
        let made = Made {
            events: events.iter().map(|event| event.event_id).collect(),
            is_kept: false,
        };
        self.made.insert(number, made);
        self.sealer
            .seal_events(&events, self.producer, self.stream, number)
            .expect("a few small events are within every limit")
    }

    /// Events that were sealed.
    pub(crate) fn made_events(&self) -> u64 {
        self.made
            .values()
            .map(|made| made.events.len() as u64)
            .sum()
    }
}
