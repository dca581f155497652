//! The recording of this process: on or off, its configuration, its lanes, its end.
//!
//! # States
//!
//! One word says what a probe needs to know: 0, off for good; 1, nobody has said yet; any other
//! value, on. The upper half is then the *generation* of the recording, the lower half counts how often
//! its policy has changed. A lane remembers the word it was taken for, so that a probe finds by one
//! comparison that its lane is from a recording that has ended, or that it decides by an old policy.
//!
//! Recording begins by [`init`](crate::init) or [`builder`](crate::builder), or, where neither was
//! called, at the first probe when `REFLOW_TRACE` asks for it. It ends with the [`Guard`], or at the
//! exit of the process.

mod builder;
mod config;
mod content;
mod environment;
mod exit;
mod faults;
mod guard;
mod lanes;
mod server;

pub use builder::{Builder, builder, init};
pub use config::{InitError, Overflow, TracingConfig};
pub use content::ContentLimits;
#[cfg(feature = "client")]
pub(crate) use environment::variable;
pub use environment::{CONTENT_VARIABLE, ENVIRONMENT_VARIABLE, InvalidEnvironment};
pub(crate) use faults::{count_fault, count_faults};
pub use guard::{FlushError, Guard};
#[cfg(feature = "client")]
pub(crate) use server::ServerUrl;
pub use server::{InvalidServerUrl, ServerOptions, ServerToken};

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, LazyLock, Mutex, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::Duration;

use crossbeam_channel::{Sender, TrySendError};

use self::faults::FaultCounters;
use crate::edge::Dictionary;
use crate::event::{ProducerId, TraceEvent};
use crate::ledger::TracingMetrics;
use crate::sampling::{RunPolicy, ThresholdTable};
use content::ContentRules;
use lanes::Lanes;
pub(crate) use lanes::RING_BY_HAND;

const OFF: u64 = 0;
const UNDECIDED: u64 = 1;

static STATE: AtomicU64 = AtomicU64::new(UNDECIDED);
static NEXT_GENERATION: AtomicU32 = AtomicU32::new(2);

/// The word of a recording whose policy has not changed yet.
const fn state_of(generation: u32) -> u64 {
    (generation as u64) << 32
}

const fn generation_of(state: u64) -> u32 {
    (state >> 32) as u32
}
static CURRENT: Mutex<Option<Arc<Runtime>>> = Mutex::new(None);

/// The edges and types of this process, over all recordings.
pub(crate) fn dictionary() -> &'static Dictionary {
    static DICTIONARY: LazyLock<Dictionary> = LazyLock::new(Dictionary::new);
    &DICTIONARY
}

/// The thresholds in force in this process, over all recordings.
pub(crate) fn thresholds() -> &'static ThresholdTable {
    static THRESHOLDS: ThresholdTable = ThresholdTable::new();
    &THRESHOLDS
}

/// The word of states.
#[inline(always)]
pub(crate) fn state() -> u64 {
    STATE.load(Ordering::Relaxed)
}

/// False only when it is known that recording is off.
#[inline]
pub(crate) fn may_be_on() -> bool {
    cfg!(feature = "enable") && STATE.load(Ordering::Relaxed) != OFF
}

/// The recording that is under way; decides first whether there is to be one.
#[cold]
pub(crate) fn current() -> Option<Arc<Runtime>> {
    if STATE.load(Ordering::Acquire) == UNDECIDED {
        environment::decide();
    }
    if STATE.load(Ordering::Acquire) <= UNDECIDED {
        return None;
    }
    CURRENT
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

/// An attempt that could not even be numbered: it is counted as lost.
#[cold]
pub(crate) fn count_without_ring() {
    if let Some(runtime) = current() {
        runtime.without_ring.fetch_add(1, Ordering::Relaxed);
    }
}

/// An attempt of `generation` that ended where there was no lane to write it to.
#[cold]
pub(crate) fn count_end_without_ring(generation: u32) {
    if let Some(runtime) = current().filter(|runtime| runtime.generation == generation) {
        runtime.ended_without_ring.fetch_add(1, Ordering::Relaxed);
    }
}

/// An event on its way to the collector without a ring.
pub(crate) struct ByHand {
    pub(crate) event: Box<TraceEvent>,
}

/// What the collector is told beside events: collect everything, pass it to the sinks, have them write
/// it, then answer.
pub(crate) struct Command {
    pub(crate) occasion: Occasion,
    pub(crate) answer: Arc<Answer>,
    pub(crate) within: Duration,
}

/// Why everything is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// Somebody wants to read it.
    Flush,
    /// The process exits; what records until then is still collected.
    Exit,
    /// The recording ends.
    End,
}

/// The answer to a command.
///
/// A condition variable and no channel, because the exit hook waits for one when the thread's locals
/// are gone.
#[derive(Default)]
pub(crate) struct Answer {
    in_time: Mutex<Option<bool>>,
    given: Condvar,
}

impl Answer {
    /// Answers whether all sinks were done in time.
    pub(crate) fn give(&self, in_time: bool) {
        *self.in_time.lock().unwrap_or_else(PoisonError::into_inner) = Some(in_time);
        self.given.notify_all();
    }

    fn wait(&self, within: Duration) -> Option<bool> {
        let in_time = self.in_time.lock().unwrap_or_else(PoisonError::into_inner);
        *self
            .given
            .wait_timeout_while(in_time, within, |answer| answer.is_none())
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }
}

/// One recording.
pub(crate) struct Runtime {
    generation: u32,
    /// A fork has the same recording in memory, and no collector.
    process: u32,
    /// Begun by `REFLOW_TRACE` alone; gives way to `init`.
    by_environment: bool,
    producer: ProducerId,
    overflow: Overflow,
    policy: Mutex<Arc<RunPolicy>>,
    pub(crate) content: ContentRules,
    pub(crate) lanes: Mutex<Lanes>,
    /// Attempts that found no lane; they have no number.
    pub(crate) without_ring: AtomicU64,
    /// Numbered attempts that ended where there was no lane.
    pub(crate) ended_without_ring: AtomicU64,
    pub(crate) by_hand: Sender<ByHand>,
    pub(crate) by_hand_attempted: AtomicU64,
    pub(crate) by_hand_lost: AtomicU64,
    pub(crate) by_hand_not_sampled: AtomicU64,
    pub(crate) commands: Sender<Command>,
    /// What came in from outside and could not be used.
    pub(crate) faults: FaultCounters,
    collector: OnceLock<Thread>,
    /// What the collector knew when it last looked.
    pub(crate) metrics: Mutex<TracingMetrics>,
}

impl Runtime {
    #[inline]
    pub(crate) fn generation(&self) -> u32 {
        self.generation
    }

    #[inline]
    pub(crate) fn producer(&self) -> ProducerId {
        self.producer
    }

    #[inline]
    pub(crate) fn overflow(&self) -> Overflow {
        self.overflow
    }

    /// The policy now.
    pub(crate) fn policy(&self) -> Arc<RunPolicy> {
        Arc::clone(&self.policy.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the policy; every thread decides by the new one from its next message on.
    pub(crate) fn change_policy(&self, change: impl FnOnce(&mut RunPolicy)) {
        let mut policy = self.policy.lock().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut policy));
        // The lanes read the policy after the word; 2³² changes later it would look unchanged. Pairs with
        // the acquire load in `current`.
        let _ended_meanwhile = STATE.fetch_update(Ordering::AcqRel, Ordering::Relaxed, |state| {
            (generation_of(state) == self.generation)
                .then(|| state_of(self.generation) | u64::from((state as u32).wrapping_add(1)))
        });
    }

    /// Has the collector look now instead of at its next turn.
    pub(crate) fn wake_collector(&self) {
        if let Some(thread) = self.collector.get() {
            thread.unpark();
        }
    }

    fn new(
        config: &TracingConfig,
        by_hand: Sender<ByHand>,
        commands: Sender<Command>,
        by_environment: bool,
    ) -> Arc<Self> {
        Arc::new(Self {
            generation: NEXT_GENERATION.fetch_add(1, Ordering::Relaxed),
            process: std::process::id(),
            by_environment,
            producer: ProducerId::random(),
            overflow: config.overflow,
            policy: Mutex::new(Arc::new(RunPolicy::new(config.sampler.clone()))),
            content: ContentRules::new(&config.content, config.ring_capacity),
            lanes: Mutex::new(Lanes::new(config.ring_capacity, config.rings_max)),
            without_ring: AtomicU64::new(0),
            ended_without_ring: AtomicU64::new(0),
            by_hand,
            by_hand_attempted: AtomicU64::new(0),
            by_hand_lost: AtomicU64::new(0),
            by_hand_not_sampled: AtomicU64::new(0),
            commands,
            faults: FaultCounters::default(),
            collector: OnceLock::new(),
            metrics: Mutex::new(TracingMetrics::default()),
        })
    }

    /// Whether this is the copy that a fork has: there is no collector to ask, and threads that are not
    /// there may hold the locks.
    fn is_inherited(&self) -> bool {
        self.process != std::process::id()
    }

    /// Has the collector deliver everything and waits for it until `within` has passed.
    fn command(&self, occasion: Occasion, within: Duration) -> Result<(), FlushError> {
        if self.is_inherited() {
            return Err(FlushError::Stopped);
        }
        // Longer than anybody waits, and no sum with it overflows.
        let within = within.min(Duration::from_secs(3600));
        let answer = Arc::new(Answer::default());
        // The queue is only full when the collector has not come by for many flushes.
        self.commands
            .try_send(Command {
                occasion,
                answer: Arc::clone(&answer),
                within,
            })
            .map_err(|error| match error {
                TrySendError::Full(_) => FlushError::Timeout(within),
                TrySendError::Disconnected(_) => FlushError::Stopped,
            })?;
        self.wake_collector();
        // The collector itself keeps to `within`; the rest is for its way back.
        match answer.wait(within + Duration::from_millis(50)) {
            Some(true) => Ok(()),
            Some(false) | None => Err(FlushError::Timeout(within)),
        }
    }
}
