//! What became of content that was to be captured.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Contents that were asked for and are not whole. Their events are recorded all the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentLedger {
    /// Cut at the cap, or at 128 levels of nesting.
    pub truncated: u64,
    /// Left out because `Serialize` gave an error.
    pub failed: u64,
    /// Left out because `Serialize` panicked.
    pub panicked: u64,
    /// Left out because the message was sent while another content was being captured on its thread, or
    /// while its thread was unwinding.
    pub skipped: u64,
}

impl ContentLedger {
    /// Whether all content that was asked for is there, and whole.
    pub fn is_whole(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for ContentLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "content truncated {}, failed {}, panicked {}, skipped {}",
            self.truncated, self.failed, self.panicked, self.skipped
        )
    }
}
