//! What of the content of messages may be captured in a recording.
//!
//! The types say what they would like, `#[sample(capture)]`; a recording can only take away from that.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::ledger::ContentLedger;
use crate::message::{CONTENT_BYTES_MAX, Captured, Checksum, ContentKey, MessageKind, Missing};
use crate::ring::SLOT_WORDS;

/// Limits on the content that message types ask to be captured. They only take away: content is
/// captured of those types alone that say `#[sample(capture)]`.
///
/// # Examples
///
/// ```
/// use reflow_trace::{ContentKey, ContentLimits, TracingConfig};
///
/// # let random = [7; 32];
/// let config = TracingConfig {
///     content: ContentLimits {
///         bytes_max: 256,
///         never_types: vec!["Login".into()],
///         key: Some(ContentKey::new(random)),
///         ..Default::default()
///     },
///     ..Default::default()
/// };
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentLimits {
    /// Whether content is captured at all. Default true.
    pub enabled: bool,
    /// Most bytes of one content, whatever its type asks for; 1 to 65 536. What is longer is truncated.
    /// Never more than a quarter of [`ring_capacity`](crate::TracingConfig::ring_capacity). Default
    /// 65 536.
    pub bytes_max: usize,
    /// Types and variants, by the name under which they are recorded, whose content is not captured.
    /// Default none.
    pub never_types: Vec<String>,
    /// Makes checksums `hmac-sha256:` with this key. Without one they are `sha256:`, from which a
    /// content that is one of few can be guessed. Default none.
    pub key: Option<ContentKey>,
}

impl Default for ContentLimits {
    fn default() -> Self {
        Self {
            enabled: true,
            bytes_max: CONTENT_BYTES_MAX,
            never_types: Vec::new(),
            key: None,
        }
    }
}

impl ContentLimits {
    /// Nothing is captured.
    pub fn off() -> Self {
        Self {
            enabled: false,
            ..Self::default()
        }
    }

    /// Takes away what `other` takes away.
    pub(super) fn narrow(&mut self, other: Self) {
        self.enabled &= other.enabled;
        self.bytes_max = self.bytes_max.min(other.bytes_max);
        self.never_types.extend(other.never_types);
    }
}

/// The limits of a recording in force, and what became of what was asked for.
pub(crate) struct ContentRules {
    /// 0: nothing is captured.
    bytes_max: usize,
    never_types: Vec<String>,
    checksum: Checksum,
    // Rare, each of them; so they may be shared between threads.
    truncated: AtomicU64,
    failed: AtomicU64,
    panicked: AtomicU64,
    skipped: AtomicU64,
}

impl ContentRules {
    pub(super) fn new(limits: &ContentLimits, ring_capacity: usize) -> Self {
        // A content as large as the ring would only ever be lost.
        let quarter_of_ring = ring_capacity * SLOT_WORDS * size_of::<u64>() / 4;
        Self {
            bytes_max: if limits.enabled {
                limits.bytes_max.min(quarter_of_ring)
            } else {
                0
            },
            never_types: limits.never_types.clone(),
            checksum: Checksum::new(limits.key.as_ref()),
            truncated: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            panicked: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
        }
    }

    /// Most bytes of content of a message of this kind; 0: its content is not captured.
    pub(crate) fn bytes_max(&self, kind: &MessageKind) -> usize {
        let bytes_max = kind.capture_bytes().min(self.bytes_max);
        let is_forbidden = || self.never_types.iter().any(|name| name == kind.name());
        if bytes_max > 0 && is_forbidden() {
            return 0;
        }
        bytes_max
    }

    /// Counts what was captured and hands out the function for its checksum.
    pub(crate) fn take_in(&self, captured: &Captured) -> &Checksum {
        if captured.is_truncated() {
            self.truncated.fetch_add(1, Ordering::Relaxed);
        }
        &self.checksum
    }

    /// Counts what is missing.
    pub(crate) fn count(&self, missing: Missing) {
        let counter = match missing {
            Missing::Failed => &self.failed,
            Missing::Panicked => &self.panicked,
            Missing::Skipped => &self.skipped,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// What became of what was asked for.
    pub(crate) fn ledger(&self) -> ContentLedger {
        ContentLedger {
            truncated: self.truncated.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            panicked: self.panicked.load(Ordering::Relaxed),
            skipped: self.skipped.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static CAPTURED: MessageKind = MessageKind::new("Captured").capture(2_000);
    static SILENT: MessageKind = MessageKind::new("Silent");

    #[test]
    fn limits_only_take_away() {
        let rules = |limits: &ContentLimits| ContentRules::new(limits, 4_096);
        let all = rules(&ContentLimits::default());
        assert_eq!(
            [all.bytes_max(&CAPTURED), all.bytes_max(&SILENT)],
            [2_000, 0]
        );
        let smaller = rules(&ContentLimits {
            bytes_max: 100,
            ..Default::default()
        });
        assert_eq!(
            [smaller.bytes_max(&CAPTURED), smaller.bytes_max(&SILENT)],
            [100, 0]
        );
        let none_of_it = rules(&ContentLimits {
            never_types: vec!["Other".into(), "Captured".into()],
            ..Default::default()
        });
        assert_eq!(none_of_it.bytes_max(&CAPTURED), 0);
        assert_eq!(rules(&ContentLimits::off()).bytes_max(&CAPTURED), 0);
    }

    #[test]
    fn a_content_leaves_room_in_the_ring() {
        let rules = ContentRules::new(&ContentLimits::default(), 64);
        assert_eq!(rules.bytes_max(&CAPTURED), 1024);
    }

    #[test]
    fn two_limits_hold_both() {
        let mut limits = ContentLimits {
            bytes_max: 100,
            never_types: vec!["A".into()],
            ..Default::default()
        };
        limits.narrow(ContentLimits {
            bytes_max: 1_000,
            never_types: vec!["B".into()],
            ..Default::default()
        });
        assert!(limits.enabled);
        assert_eq!(limits.bytes_max, 100);
        assert_eq!(limits.never_types, ["A", "B"]);
        limits.narrow(ContentLimits::off());
        assert!(!limits.enabled);
    }
}
