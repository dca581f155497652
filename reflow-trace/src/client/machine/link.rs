//! The connection as the machine sees it, and when the next one is tried.

use std::time::Duration;

use super::random::Random;
use super::{Settings, Time};
use crate::wire::frame::{FrameHeader, Welcome};

/// The state of the connection; the table is in the header of [`client`](crate::client).
#[derive(Clone, Debug)]
pub(super) enum Link {
    /// There is none until then.
    Away { retry_at: Time },
    /// It is being made, until then at the latest.
    Connecting { until: Time },
    /// It is made, and the server has until then to say Welcome.
    Greeting { until: Time, is_hello_sent: bool },
    /// The server takes batches.
    Open(Open),
}

/// A connection over which batches go.
#[derive(Clone, Debug)]
pub(super) struct Open {
    /// Bytes of batch frames sent over it.
    pub(super) sent_bytes: u64,
    /// Bytes of batch frames that may be sent over it altogether.
    pub(super) credit_total: u64,
    /// What the server takes in one batch.
    pub(super) takes: ServerLimits,
    /// Silence after which it is asked whether it is still there.
    pub(super) ping_after: Duration,
    /// When the server was last heard.
    pub(super) heard_at: Time,
    /// It has been asked since whether it is there.
    pub(super) is_pinged: bool,
    /// What it wants to hear back.
    pub(super) pong_due: Option<u64>,
    /// A batch waits for credit.
    pub(super) is_blocked: bool,
    /// When it began.
    pub(super) since: Time,
    /// When the server last accepted something, or nothing was waiting to be accepted.
    pub(super) progress_at: Time,
}

/// What a server takes in one batch; what exceeds it would be refused for ever.
#[derive(Clone, Copy, Debug)]
pub(super) struct ServerLimits {
    payload_bytes_max: u32,
    plain_bytes_max: u32,
    events_max: u32,
}

impl ServerLimits {
    fn of(welcome: &Welcome) -> Self {
        let said = |max: u32| if max == 0 { u32::MAX } else { max };
        Self {
            payload_bytes_max: said(welcome.payload_bytes_max),
            plain_bytes_max: said(welcome.plain_bytes_max),
            events_max: said(welcome.events_max),
        }
    }

    pub(super) fn allow(&self, header: &FrameHeader) -> bool {
        header.payload_len <= self.payload_bytes_max
            && header.plain_len <= self.plain_bytes_max
            && header.events <= self.events_max
    }
}

impl Link {
    /// When something has to be looked at.
    pub(super) fn wake_at(&self, now: Time, settings: &Settings, is_waiting: bool) -> Time {
        match self {
            Self::Away { retry_at } => *retry_at,
            Self::Connecting { until } | Self::Greeting { until, .. } => *until,
            Self::Open(open) => {
                let silence_ends = open.silence_ends(settings);
                let ask_at = open.heard_at + open.ping_after;
                // A question that is due and cannot be sent waits for the socket, not for the clock.
                let next = if open.is_pinged || ask_at <= now {
                    silence_ends
                } else {
                    ask_at
                };
                if is_waiting {
                    next.min(open.progress_at + settings.stall_after)
                } else {
                    next
                }
            }
        }
    }

    /// Why the connection has to be given up now, where it has to be.
    pub(super) fn overdue(&self, now: Time, settings: &Settings) -> Option<String> {
        match self {
            Self::Connecting { until } | Self::Greeting { until, .. } if now >= *until => {
                Some(format!(
                    "the server did not say welcome within {:?}",
                    settings.connect_timeout
                ))
            }
            // Whether or not the question could be sent: a peer that reads nothing is as gone as one that
            // says nothing.
            Self::Open(open) if now >= open.silence_ends(settings) => Some(format!(
                "the server was silent for {:?}",
                open.ping_after + settings.answer_within
            )),
            Self::Open(open) if now >= open.progress_at + settings.stall_after => Some(format!(
                "the server accepted nothing for {:?}",
                settings.stall_after
            )),
            _ => None,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Open(_))
    }
}

impl Open {
    /// The server has said welcome.
    pub(super) fn new(welcome: &Welcome, now: Time, settings: &Settings) -> Self {
        // Asked for twice within the silence after which the server would hang up.
        let patience = match welcome.silence_max_ms {
            0 => settings.ping_after,
            silence => Duration::from_millis(u64::from(silence) / 2),
        };
        Self {
            sent_bytes: 0,
            credit_total: welcome.credit_total,
            takes: ServerLimits::of(welcome),
            ping_after: settings.ping_after.min(patience),
            heard_at: now,
            is_pinged: false,
            pong_due: None,
            is_blocked: false,
            since: now,
            progress_at: now,
        }
    }

    /// The server has accepted something, or lets us send more.
    pub(super) fn has_progressed(&mut self, now: Time, credit_total: u64) {
        self.credit_total = self.credit_total.max(credit_total);
        self.is_blocked = false;
        self.progress_at = now;
    }

    fn silence_ends(&self, settings: &Settings) -> Time {
        self.heard_at + self.ping_after + settings.answer_within
    }
}

/// How long to wait before the next connection: *full jitter*. The bound doubles with every failure up
/// to a maximum, the delay is drawn evenly from 0 to the bound, so that the clients of a server that
/// comes back do not all come back at once. It is for ever: giving up by time loses data.
#[derive(Clone, Debug)]
pub(super) struct Backoff {
    failures: u32,
    random: Random,
}

impl Backoff {
    pub(super) fn new(random: Random) -> Self {
        Self {
            failures: 0,
            random,
        }
    }

    /// The server has accepted something.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// Whether the last connection failed before anything was accepted.
    pub(super) fn has_failed(&self) -> bool {
        self.failures > 0
    }

    /// Nothing will be different soon: the server does not want us.
    pub(super) fn despair(&mut self) {
        self.failures = u32::MAX;
    }

    /// The delay before the next connection, beyond `at_least`, which the server asked for.
    pub(super) fn next(&mut self, settings: &Settings, at_least: Duration) -> Duration {
        let doubled = 2_f64.powi(self.failures.min(60) as i32);
        self.failures = self.failures.saturating_add(1);
        let bound = settings
            .reconnect_max
            .as_secs_f64()
            .min(settings.reconnect_first.as_secs_f64() * doubled);
        // What the server asks for is bounded too: a wrong number must not silence us for a month.
        at_least.min(settings.reconnect_max) + Duration::from_secs_f64(bound * self.random.unit())
    }

    pub(super) fn random(&mut self) -> &mut Random {
        &mut self.random
    }
}
