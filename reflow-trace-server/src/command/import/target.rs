//! Where batches go: a server, or a store that is opened here.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use clap::ArgMatches;
use reflow_trace::EventId;
use reflow_trace::api::{ErrorCode, EventsQuestion, MetricsQuestion};
use reflow_trace::client::{Upload, UploadError};
use reflow_trace::wire::{BatchLimits, Frame, WireBatch};

use super::source::Identity;
use crate::command::asker::{self, Address, Asker, ServerAsker, StoreAsker, Unanswered};
use crate::command::failure::Failure;
use crate::store::{Admitted, Committed, Store as _, StoreError};

/// Batches that a store takes at a time.
const GROUP_BATCHES: usize = 16;
/// How long a server that is away is waited for, since something was last acknowledged.
const AWAY_MAX: Duration = Duration::from_secs(30);
/// First and last pause between two attempts.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(2)];
/// How often a store that is behind is given time to seal.
const BEHIND_MAX: u32 = 100;

/// Where batches go.
pub(super) enum Target {
    Server(Box<ToServer>),
    Store(Box<ToStore>),
}

/// What became of a file.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// Events that were stored now; `None` where that cannot be told.
    pub(super) new: Option<u64>,
    /// Batches that were refused for ever, and why.
    pub(super) refused: Vec<(u64, String)>,
    /// Their events.
    pub(super) refused_events: u64,
}

impl Target {
    pub(super) async fn open(matches: &ArgMatches) -> Result<Self, Failure> {
        match asker::directory(matches) {
            Some(directory) => ToStore::open(directory)
                .await
                .map(|to| Self::Store(Box::new(to))),
            None => {
                let address = Address::of(matches)?;
                let to = ToServer::open(address).await?;
                Ok(Self::Server(Box::new(to)))
            }
        }
    }

    /// The next file. `again`: also what is stored already by another way.
    pub(super) async fn begin(&mut self, identity: &Identity, again: bool) -> Result<(), Failure> {
        match self {
            Self::Server(to) => to.begin(identity, again).await,
            Self::Store(to) => to.begin(identity, again).await,
        }
    }

    pub(super) async fn send(&mut self, frame: Frame, events: u64) -> Result<(), Failure> {
        match self {
            Self::Server(to) => to.send(frame, events).await,
            Self::Store(to) => to.send(frame, events).await,
        }
    }

    /// Waits until everything of the file is stored.
    pub(super) async fn settle(&mut self) -> Result<Sent, Failure> {
        match self {
            Self::Server(to) => to.settle().await,
            Self::Store(to) => to.settle().await,
        }
    }

    pub(super) async fn close(self) -> Result<(), Failure> {
        match self {
            Self::Server(_) => Ok(()),
            Self::Store(to) => to.seal().await,
        }
    }
}

/// Into a server, over connections of the protocol that programs use.
pub(super) struct ToServer {
    address: Address,
    /// `None`: the token may not ask.
    asker: Option<Asker>,
    identity: Option<Identity>,
    upload: Option<Upload>,
    /// What was sent, or is to be, and is not acknowledged, with its number of events.
    kept: VecDeque<(Frame, u64)>,
    /// Events of this file that were stored before.
    before: Option<u64>,
    sent: Sent,
}

impl ToServer {
    async fn open(address: Address) -> Result<Self, Failure> {
        let asker = Asker::Server(ServerAsker::new(&address)?);
        let may_ask = match asker.metrics(MetricsQuestion::default()).await {
            Ok(_) => true,
            Err(Unanswered::Refused(error)) if error.code == ErrorCode::Forbidden => false,
            Err(other) => return Err(other.into()),
        };
        Ok(Self {
            address,
            asker: may_ask.then_some(asker),
            identity: None,
            upload: None,
            kept: VecDeque::new(),
            before: None,
            sent: Sent::default(),
        })
    }

    async fn begin(&mut self, identity: &Identity, again: bool) -> Result<(), Failure> {
        self.sent = Sent::default();
        self.identity = Some(*identity);
        self.before = patiently(async || self.stored(identity).await).await?;
        if let Some(asker) = &self.asker
            && self.before == Some(0)
            && !again
        {
            patiently(async || refuse_twice(asker, identity.first).await).await?;
        }
        patiently(async || self.connect(0).await).await
    }

    /// Events that are stored of this file; `None`: the token may not ask.
    async fn stored(&self, identity: &Identity) -> Result<Option<u64>, Failure> {
        let Some(asker) = &self.asker else {
            return Ok(None);
        };
        let metrics = asker.metrics(MetricsQuestion::default()).await?;
        let ours = metrics
            .producers
            .iter()
            .find(|producer| producer.producer == identity.producer);
        Ok(Some(ours.map_or(0, |producer| producer.events)))
    }

    async fn connect(&mut self, after: u64) -> Result<(), Failure> {
        let Some(identity) = &self.identity else {
            return Ok(());
        };
        let stream = (identity.stream, after);
        let (url, options) = (self.address.url(), self.address.options());
        let upload = Upload::connect(url, options, "reflow-trace import", stream).await;
        self.upload = Some(upload.map_err(|error| self.failed(&error))?);
        Ok(())
    }

    async fn send(&mut self, frame: Frame, events: u64) -> Result<(), Failure> {
        self.kept.push_back((frame.clone(), events));
        let sent = match &mut self.upload {
            Some(upload) => upload.send(&frame).await,
            None => Err(UploadError::Away("there is no connection".to_owned())),
        };
        match sent {
            Ok(()) => self.look_at_answers(),
            Err(error) => self.again(error).await?,
        }
        Ok(())
    }

    async fn settle(&mut self) -> Result<Sent, Failure> {
        loop {
            let settled = match &mut self.upload {
                Some(upload) => upload.settle().await,
                None => Ok(()),
            };
            match settled {
                Ok(()) => break,
                Err(error) => self.again(error).await?,
            }
        }
        self.look_at_answers();
        if let Some(upload) = self.upload.take() {
            upload.close();
        }
        let mut sent = std::mem::take(&mut self.sent);
        if let (Some(before), Some(identity)) = (self.before, self.identity) {
            // All of it is acknowledged: a server that is away now takes nothing back but the number.
            let after = patiently(async || self.stored(&identity).await).await;
            let after = after.or_else(|failure| match failure {
                Failure::Unreachable(_) => Ok(None),
                failure => Err(failure),
            })?;
            sent.new = after.map(|after| after.saturating_sub(before));
        }
        Ok(sent)
    }

    /// Forgets what is acknowledged, and remembers what was refused.
    fn look_at_answers(&mut self) {
        let Some(upload) = &mut self.upload else {
            return;
        };
        for (number, why) in upload.take_refusals() {
            let mut kept = self.kept.iter();
            let events = kept.find(|(frame, _)| frame.header().number == number);
            self.sent.refused_events += events.map_or(0, |(_, events)| *events);
            self.sent.refused.push((number, why));
        }
        let acknowledged = upload.acknowledged();
        while let Some((frame, _)) = self.kept.front()
            && frame.header().number <= acknowledged
        {
            self.kept.pop_front();
        }
    }

    /// A new connection, and what is not acknowledged once more, until that works or takes too long.
    async fn again(&mut self, mut error: UploadError) -> Result<(), Failure> {
        let [mut pause, longest] = PAUSES;
        let mut until = tokio::time::Instant::now() + AWAY_MAX;
        loop {
            let before = self.kept.len();
            self.look_at_answers();
            if self.kept.len() < before {
                until = tokio::time::Instant::now() + AWAY_MAX;
            }
            self.upload = None;
            if !matches!(error, UploadError::Away(_)) || tokio::time::Instant::now() >= until {
                return Err(self.failed(&error));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(longest);
            let after = self
                .kept
                .front()
                .map(|(frame, _)| frame.header().number - 1);
            match self.connect(after.unwrap_or(0)).await {
                Ok(()) => match self.send_kept().await {
                    Ok(()) => return Ok(()),
                    Err(next) => error = next,
                },
                Err(Failure::Unreachable(text)) => error = UploadError::Away(text),
                Err(failure) => return Err(failure),
            }
        }
    }

    async fn send_kept(&mut self) -> Result<(), UploadError> {
        if let Some(upload) = &mut self.upload {
            for (frame, _) in &self.kept {
                upload.send(frame).await?;
            }
        }
        Ok(())
    }

    fn failed(&self, error: &UploadError) -> Failure {
        let goes_on = "what was acknowledged is stored; the same command goes on";
        match error {
            UploadError::Settings(text) => Failure::Usage(text.clone()),
            UploadError::Denied(text) => self.address.denied(text),
            UploadError::Away(text) if self.kept.is_empty() => self.address.unreachable(text),
            UploadError::Away(text) => Failure::Unreachable(format!("{text}; {goes_on}")),
            other => Failure::Refused(other.to_string()),
        }
    }
}

/// Into a store that is opened here.
pub(super) struct ToStore {
    asker: Asker,
    directory: PathBuf,
    group: Vec<Admitted>,
    new: u64,
}

impl ToStore {
    async fn open(directory: PathBuf) -> Result<Self, Failure> {
        let asker = StoreAsker::open_or_make(directory.clone()).await?;
        Ok(Self {
            asker: Asker::Store(asker),
            directory,
            group: Vec::new(),
            new: 0,
        })
    }

    fn store(&self) -> Option<&Arc<crate::store::embedded::EmbeddedStore>> {
        match &self.asker {
            Asker::Store(asker) => Some(asker.store()),
            Asker::Server(_) => None,
        }
    }

    fn failed(&self, source: StoreError) -> Failure {
        Failure::Store {
            directory: self.directory.clone(),
            source,
        }
    }

    async fn begin(&mut self, identity: &Identity, again: bool) -> Result<(), Failure> {
        self.new = 0;
        let Some(store) = self.store() else {
            return Ok(());
        };
        let last = store.last(identity.stream).await;
        let last = last.map_err(|source| self.failed(source))?;
        if last == 0 && !again {
            refuse_twice(&self.asker, identity.first).await?;
        }
        Ok(())
    }

    async fn send(&mut self, frame: Frame, _events: u64) -> Result<(), Failure> {
        let batch = WireBatch::decode(&frame, &BatchLimits::default())
            .map_err(|error| Failure::Refused(format!("a batch of our own: {error}")))?;
        self.group.push(Admitted {
            frame,
            batch: Arc::new(batch),
        });
        if self.group.len() == GROUP_BATCHES {
            self.commit().await?;
        }
        Ok(())
    }

    async fn settle(&mut self) -> Result<Sent, Failure> {
        self.commit().await?;
        Ok(Sent {
            new: Some(self.new),
            ..Sent::default()
        })
    }

    async fn commit(&mut self) -> Result<(), Failure> {
        let group = std::mem::take(&mut self.group);
        if group.is_empty() {
            return Ok(());
        }
        let Some(store) = self.store().cloned() else {
            return Ok(());
        };
        let mut times = 0;
        let committed = loop {
            match store.commit(group.clone()).await {
                Ok(committed) => break committed,
                // Nobody else seals here.
                Err(StoreError::Behind { .. }) if times < BEHIND_MAX => {
                    times += 1;
                    self.maintain().await?;
                }
                Err(source) => return Err(self.failed(source)),
            }
        };
        for (admitted, committed) in std::iter::zip(&group, committed) {
            if let Committed::Stored { .. } = committed {
                self.new += admitted.batch.len() as u64;
            }
        }
        self.maintain().await
    }

    async fn maintain(&self) -> Result<(), Failure> {
        if let Some(store) = self.store() {
            let done = store.maintain(now_ns()).await;
            done.map_err(|source| self.failed(source))?;
        }
        Ok(())
    }

    /// What was imported becomes a segment, so that whoever opens the store next need not read it all.
    async fn seal(&self) -> Result<(), Failure> {
        if let Some(store) = self.store() {
            let done = store.seal_all(now_ns()).await;
            done.map_err(|source| self.failed(source))?;
        }
        Ok(())
    }
}

fn now_ns() -> i64 {
    Utc::now().timestamp_nanos_opt().unwrap_or(i64::MAX)
}

/// Tries again while the server is away, until that takes too long: it answered when the import began, so it is
/// expected back.
async fn patiently<T>(mut attempt: impl AsyncFnMut() -> Result<T, Failure>) -> Result<T, Failure> {
    let [mut pause, longest] = PAUSES;
    let until = tokio::time::Instant::now() + AWAY_MAX;
    loop {
        match attempt().await {
            Err(Failure::Unreachable(_)) if tokio::time::Instant::now() < until => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(longest);
            }
            ended => return ended,
        }
    }
}

/// An event that is stored and did not come out of this file would be stored twice.
async fn refuse_twice(asker: &Asker, first: Option<EventId>) -> Result<(), Failure> {
    let Some(first) = first else { return Ok(()) };
    let mut asked = EventsQuestion::default();
    asked.query.custom_filter = Some(format!("event_id = '{first}'"));
    asked.query.limit = Some(1);
    let found = asker.events(asked).await?;
    if found.events.is_empty() {
        return Ok(());
    }
    Err(Failure::Refused(format!(
        "its first event, {first}, is stored already and did not come from this file: the program has sent it itself, or the file has grown since it was imported; nothing was imported. To store it all a second time say `--again`"
    )))
}
