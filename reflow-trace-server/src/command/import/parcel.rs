//! From events to batches, always divided in the same way, on a thread of their own.
//!
//! The rules are part of what makes an import repeatable, so they depend on nothing but the file: not on
//! settings, not on the server, not on the clock. Whoever changes them changes the text that goes into the hash
//! of the file too.

use std::path::{Path, PathBuf};

use reflow_trace::TraceEvent;
use reflow_trace::event::ProducerId;
use reflow_trace::wire::{BatchLimits, Frame, Level, SealError, Sealer};
use tokio::sync::mpsc;

use super::source::{Identity, Item, Source};
use crate::command::failure::Failure;

/// Events of a batch.
const BATCH_EVENTS: usize = 4_096;
/// Batches that wait to be sent.
const WAITING_MAX: usize = 8;

/// What is made of a file.
pub(super) enum Parcel {
    /// A batch to be sent. `share`: of the file, up to its end.
    Batch {
        frame: Frame,
        events: u64,
        share: f64,
    },
    /// Something that cannot be imported.
    Mistake { place: String, why: String },
}

/// The parcels of a file, made ahead on a thread.
pub(super) struct Parcels(mpsc::Receiver<Result<Parcel, Failure>>);

impl Parcels {
    pub(super) fn start(file: &Path, identity: &Identity) -> Self {
        let (parcels, receiver) = mpsc::channel(WAITING_MAX);
        let (file, identity) = (file.to_owned(), *identity);
        tokio::task::spawn_blocking(move || {
            let mut packer = Packer::new(&file, identity, parcels.clone());
            if let Err(Some(failure)) = packer.run() {
                // Nobody waits for it any more, then nobody needs it.
                let _unread = parcels.blocking_send(Err(failure));
            }
        });
        Self(receiver)
    }

    pub(super) async fn next(&mut self) -> Option<Result<Parcel, Failure>> {
        self.0.recv().await
    }
}

/// Whether an event is what a recording says of itself.
pub(super) fn is_notice(event: &TraceEvent) -> bool {
    event.as_loss().is_some() || event.as_edge_counters().is_some() || event.as_coverage().is_some()
}

/// `None`: nobody wants more.
type Packed = Result<(), Option<Failure>>;

struct Packer {
    file: PathBuf,
    identity: Identity,
    parcels: mpsc::Sender<Result<Parcel, Failure>>,
    sealer: Sealer,
    number: u64,
    /// Who has recorded what was read last.
    recorder: Option<ProducerId>,
}

impl Packer {
    fn new(
        file: &Path,
        identity: Identity,
        parcels: mpsc::Sender<Result<Parcel, Failure>>,
    ) -> Self {
        Self {
            file: file.to_owned(),
            identity,
            parcels,
            sealer: Sealer::new(Some(Level::FAST), limits()),
            number: 0,
            recorder: None,
        }
    }

    fn run(&mut self) -> Packed {
        let mut source = Source::open(&self.file).map_err(Some)?;
        let mut events: Vec<TraceEvent> = Vec::with_capacity(BATCH_EVENTS);
        loop {
            let item = source.next();
            let share = source.share();
            match item {
                Ok(Some(Item::Event(event))) => {
                    self.recorder = recorder(&event).or(self.recorder);
                    if is_notice(&event) {
                        self.pack(std::mem::take(&mut events), share)?;
                        self.pack_notice(*event, share)?;
                        continue;
                    }
                    events.push(*event);
                    if events.len() == BATCH_EVENTS {
                        self.pack(std::mem::take(&mut events), share)?;
                    }
                }
                Ok(Some(Item::Mistake(place, why))) => self.mistake(place, why)?,
                Ok(None) => return self.pack(events, 1.0),
                Err(failure) => {
                    // What was read before it is imported, as it would be if it stood at the end.
                    self.pack(events, share)?;
                    return Err(Some(failure));
                }
            }
        }
    }

    /// One batch, or, where that would be too large, its halves.
    fn pack(&mut self, events: Vec<TraceEvent>, share: f64) -> Packed {
        let mut left = vec![events];
        while let Some(mut part) = left.pop() {
            if part.is_empty() {
                continue;
            }
            match self.seal(&part, self.identity.producer) {
                Ok(frame) => self.send(frame, part.len() as u64, share)?,
                Err(SealError::EventTooLarge { index }) if index < part.len() => {
                    let event = part.remove(index);
                    self.too_large(&event)?;
                    left.push(part);
                }
                Err(SealError::TooLarge { .. }) if part.len() > 1 => {
                    let second = part.split_off(part.len() / 2);
                    left.extend([second, part]);
                }
                Err(SealError::TooLarge { .. }) => self.too_large(&part[0])?,
                Err(error) => return Err(Some(self.cannot_seal(&error))),
            }
        }
        Ok(())
    }

    fn pack_notice(&mut self, notice: TraceEvent, share: f64) -> Packed {
        let of = notice
            .as_edge_counters()
            .map(|counters| counters.producer)
            .or_else(|| notice.as_coverage().map(|coverage| coverage.producer))
            .or(self.recorder);
        self.recorder = of;
        match self.seal(
            std::slice::from_ref(&notice),
            of.unwrap_or(self.identity.producer),
        ) {
            Ok(frame) => self.send(frame, 0, share),
            Err(SealError::TooLarge { .. } | SealError::EventTooLarge { .. }) => {
                self.too_large(&notice)
            }
            Err(error) => Err(Some(self.cannot_seal(&error))),
        }
    }

    fn seal(&mut self, events: &[TraceEvent], producer: ProducerId) -> Result<Frame, SealError> {
        let number = self.number + 1;
        let frame = self
            .sealer
            .seal_events(events, producer, self.identity.stream, number)?;
        self.number = number;
        Ok(frame)
    }

    fn send(&self, frame: Frame, events: u64, share: f64) -> Packed {
        let parcel = Parcel::Batch {
            frame,
            events,
            share,
        };
        self.hand_over(parcel)
    }

    fn too_large(&self, event: &TraceEvent) -> Packed {
        self.mistake(
            format!("event {}", event.event_id),
            "it is larger than an event may be, 4 MB or 64 levels".to_owned(),
        )
    }

    fn mistake(&self, place: String, why: String) -> Packed {
        self.hand_over(Parcel::Mistake { place, why })
    }

    fn hand_over(&self, parcel: Parcel) -> Packed {
        self.parcels.blocking_send(Ok(parcel)).map_err(|_| None)
    }

    fn cannot_seal(&self, error: &SealError) -> Failure {
        Failure::content(&self.file, format!(" cannot be imported: {error}"))
    }
}

/// Who has recorded it, where the event's own id says so.
fn recorder(event: &TraceEvent) -> Option<ProducerId> {
    event.event_id.origin().map(|origin| origin.producer)
}

/// Well below what any server takes; in one batch there are at most as many names as there may be.
fn limits() -> BatchLimits {
    let mut limits = BatchLimits::default();
    limits.frame.plain_bytes_max = 6 << 20;
    limits
}
