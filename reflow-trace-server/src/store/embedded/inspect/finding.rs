//! What there is to be said of a store, how bad it is, and what to do.

use chrono::DateTime;
use reflow_trace::ledger::LossReason;
use serde::Serialize;

use super::Sums;
use crate::store::embedded::catalogue::SegmentEntry;
use crate::store::{ProducerLedgers, StoreError};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Level {
    /// Good to know.
    Note,
    /// Somebody should look.
    Warning,
    /// Something that was stored is lost, damaged or wrong.
    Fault,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    pub(crate) level: Level,
    /// What kind of thing, for programs; it never changes.
    pub(crate) code: &'static str,
    /// Where.
    pub(crate) about: String,
    /// What.
    pub(crate) text: String,
    /// What to do.
    pub(crate) advice: String,
}

/// What was found, of each kind so many at most; the rest is counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Findings {
    kept: Vec<Finding>,
    left_out: u64,
    faults_left_out: u64,
}

/// Most findings of one kind that are kept.
const KEPT_MAX: usize = 100;

impl Findings {
    pub(crate) fn push(&mut self, finding: Finding) {
        let same = self.kept.iter().filter(|kept| kept.code == finding.code);
        if same.count() >= KEPT_MAX {
            self.left_out += 1;
            self.faults_left_out += u64::from(finding.level == Level::Fault);
        } else {
            self.kept.push(finding);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.kept.iter()
    }

    /// How many there were of a level.
    pub(crate) fn count(&self, level: Level) -> u64 {
        let kept = self.kept.iter().filter(|finding| finding.level == level);
        let left_out = match level {
            Level::Fault => self.faults_left_out,
            Level::Warning | Level::Note => 0,
        };
        kept.count() as u64 + left_out
    }

    /// How many are not kept.
    pub(crate) fn left_out(&self) -> u64 {
        self.left_out
    }
}

impl Finding {
    pub(crate) fn new(
        level: Level,
        code: &'static str,
        about: impl Into<String>,
        text: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            level,
            code,
            about: about.into(),
            text: text.into(),
            advice: advice.into(),
        }
    }

    pub(crate) fn fault(
        code: &'static str,
        about: impl Into<String>,
        text: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self::new(Level::Fault, code, about, text, advice)
    }

    pub(crate) fn warning(
        code: &'static str,
        about: impl Into<String>,
        text: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self::new(Level::Warning, code, about, text, advice)
    }

    pub(crate) fn note(
        code: &'static str,
        about: impl Into<String>,
        text: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self::new(Level::Note, code, about, text, advice)
    }
}

pub(super) fn unreadable(error: &StoreError) -> Finding {
    Finding::fault(
        "database",
        "store.sqlite",
        error.to_string(),
        "see what else is said of the database; restore it from a backup",
    )
}

pub(super) fn unreadable_ledgers(count: u64) -> Finding {
    Finding::fault(
        "ledgers",
        "store.sqlite, table ledgers",
        format!("what {count} producers have said of themselves cannot be read"),
        "their exact counters begin anew with what they say next; their events are not concerned",
    )
}

pub(super) fn set_aside(entry: &SegmentEntry, damage: &str) -> Finding {
    Finding::fault(
        "set_aside",
        format!("segment {}", entry.id),
        format!("its {} events were set aside: {damage}", entry.events),
        "check the disk; what is left of the file lies in damaged/, and `reflow-trace import` reads what can be read of it",
    )
}

pub(super) fn sums_differ(sums: &Sums, found: u64) -> Finding {
    Finding::fault(
        "sums",
        "store.sqlite",
        format!(
            "{} events were stored, and {found} are accounted for: {} in the log, {} in segments, {} retired, {} damaged",
            sums.stored, sums.log, sums.in_segments, sums.retired, sums.damaged
        ),
        "somebody has changed the database, or this is a fault of the program: please report it",
    )
}

pub(super) fn beyond_totals(id: u64) -> Finding {
    Finding::fault(
        "sums",
        format!("segment {id}"),
        "its number or its offsets are beyond those that were given",
        "somebody has changed the database, or this is a fault of the program: please report it",
    )
}

pub(super) fn gaps(gaps: u64) -> Finding {
    Finding::warning(
        "gaps",
        "clients",
        format!("{gaps} batches were lost by clients before they arrived"),
        "their memory or their spool was full: give them a spool (`REFLOW_TRACE_SPOOL`) or more room",
    )
}

/// A minute: clocks of two machines are rarely nearer.
const CLOCKS_APART_NS: i64 = 60_000_000_000;
/// The year 2000; before it nobody has traced.
const CLOCK_UNSET_NS: i64 = 946_684_800_000_000_000;

pub(super) fn clocks(entries: &[SegmentEntry], now_ns: i64, findings: &mut Findings) {
    let set = "let the machines keep their clocks by NTP; the events are kept as they came";
    let mut committed_ns = i64::MIN;
    for entry in entries.iter().filter(|entry| entry.damage.is_none()) {
        let about = format!("segment {}", entry.id);
        let ahead_ns = entry.last_ns.saturating_sub(entry.committed_last_ns);
        if ahead_ns > CLOCKS_APART_NS {
            findings.push(Finding::warning(
                "clock_ahead",
                about.clone(),
                format!(
                    "an event is {} later than when it was stored: a producer's clock is ahead, or the server's behind",
                    span(ahead_ns)
                ),
                set,
            ));
        }
        if entry.first_ns < CLOCK_UNSET_NS {
            findings.push(Finding::warning(
                "clock_unset",
                about.clone(),
                format!(
                    "an event is of {}: its clock was not set",
                    moment(entry.first_ns)
                ),
                set,
            ));
        }
        let back_ns = committed_ns.saturating_sub(entry.committed_first_ns);
        if committed_ns != i64::MIN
            && back_ns > CLOCKS_APART_NS
            && entry.committed_last_ns < committed_ns
        {
            findings.push(Finding::warning(
                "clock_stepped_back",
                about.clone(),
                format!(
                    "it was stored {} before one that is older: the server's clock was set back",
                    span(back_ns)
                ),
                set,
            ));
        }
        if entry.committed_last_ns.saturating_sub(now_ns) > CLOCKS_APART_NS {
            findings.push(Finding::warning(
                "clock_future",
                about,
                format!(
                    "it was stored at {}, which is yet to come",
                    moment(entry.committed_last_ns)
                ),
                "retention by age waits until then: see whether this machine's clock is right",
            ));
        }
        committed_ns = committed_ns.max(entry.committed_last_ns);
    }
}

fn moment(ns: i64) -> String {
    DateTime::from_timestamp_nanos(ns).to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

fn span(ns: i64) -> String {
    reflow_trace::terminal::duration(std::time::Duration::from_nanos(ns.unsigned_abs()))
}

pub(super) fn producers(ledgers: &ProducerLedgers, findings: &mut Findings) {
    for ledger in ledgers.iter() {
        for (&reason, &count) in &ledger.losses {
            findings.push(lost(ledger.producer.bits(), reason, count));
        }
    }
}

/// What a producer says that it has lost.
pub(crate) fn lost(producer: u64, reason: LossReason, count: u64) -> Finding {
    let advice = match reason {
        LossReason::RingFull | LossReason::Overwritten => {
            "its threads recorded faster than they were collected: larger rings, a lower rate, or the waiting overflow"
        }
        LossReason::NoRing => "more threads than rings: allow more of them",
        LossReason::ManualQueueFull => {
            "events by hand came faster than they were collected: a larger queue"
        }
        LossReason::TooLarge => "capture less content, or attach less to a message",
        LossReason::SinkFull | LossReason::WindowFull | LossReason::SpoolFull => {
            "the server was away or slower than the program: a spool, or more room in it"
        }
        LossReason::SpoolFailed | LossReason::SpoolCorrupt => "check the disk of its spool",
        LossReason::NotAcknowledged => {
            "it ended while the server was away: give it a spool, or more time to end"
        }
        LossReason::Refused => "see the server's log and `refused_events` in its metrics for why",
        LossReason::Corrupt | LossReason::SinkFailed | LossReason::SinkPanicked => {
            "a fault of the tracing or of a sink: please report it"
        }
        _ => "a later version has a reason that this one does not know: look with that version",
    };
    Finding::warning(
        "lost",
        format!("producer {producer:013x}"),
        format!(
            "it has lost {count} events: {}",
            reason.name().replace('_', " ")
        ),
        advice,
    )
}

/// Below this the next segments may not fit.
const ROOM_LEAST: u64 = 1 << 30;

pub(super) fn room(sums: &Sums, free_bytes: Option<u64>, findings: &mut Findings) {
    let Some(free) = free_bytes else { return };
    // Merging writes a segment once more before the old ones go.
    let wanted = ROOM_LEAST.max(sums.segment_bytes / 8);
    if free < wanted {
        findings.push(Finding::warning(
            "room",
            "the disk",
            format!(
                "{} MB are free, and {} MB are wanted for sealing and merging",
                free / 1_000_000,
                wanted / 1_000_000
            ),
            "free some, or let retention keep less (`store.retain_for`, `store.retain_bytes`)",
        ));
    }
}
