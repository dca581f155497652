//! The content of a message, where its type asks for it.
//!
//! A message type says `#[sample(capture)]`; then [`Message::capture`](super::Message::capture) hands the
//! message to [`Content::put`], which writes it as JSON through the type's own `Serialize`. That is code
//! of the user, run because of the tracing, so it is kept on a short lead:
//!
//! * It runs only for a message that is being recorded, and only where no limit of the recording forbids
//!   it; while it runs nothing of ours is borrowed.
//! * It writes into a buffer that takes no more than the cap, and not deeper than 128 levels; then
//!   serialisation is stopped and the content is marked as truncated.
//! * It may fail, panic, or send messages that are themselves recorded. The first two cost the content and
//!   are counted; what is sent meanwhile is recorded without content, else there would be no end.
//! * While it runs, every field marked `#[trace(redact)]` on this thread writes a placeholder, however deep
//!   it stands; see [`redact`].
//!
//! What it wrote before it failed is thrown away, and its words of error are not kept: both may hold what
//! nobody wanted to see.

mod bounded;
mod checksum;
mod redact;

pub use checksum::ContentKey;
pub(crate) use checksum::{Checksum, ChecksumText};
pub use redact::{captures_now, left_out, redacted};

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;

use bounded::Bounded;
use redact::Capturing;

/// Most bytes of content where the type says `capture` and no number.
pub const CONTENT_BYTES_DEFAULT: usize = 1024;
/// Most bytes of content that a type may ask for.
pub const CONTENT_BYTES_MAX: usize = 64 * 1024;

/// What can be captured: everything that is `serde::Serialize`.
#[diagnostic::on_unimplemented(
    message = "`capture` writes `{Self}` as JSON, and it is not `serde::Serialize`",
    label = "needs `Serialize`",
    note = "derive it with `#[derive(serde::Serialize)]` below `#[sample(..)]`, or leave `capture` out",
    note = "a generic message says itself that its parts are `Serialize`: `struct Envelope<T: serde::Serialize>`"
)]
pub trait Capturable: Serialize {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + ?Sized> Capturable for T {}

/// Where the content of a message goes that is being recorded.
pub struct Content<'a> {
    buffer: &'a mut Bounded,
    result: Option<Result<(), serde_json::Error>>,
}

impl std::fmt::Debug for Content<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Content").finish_non_exhaustive()
    }
}

impl Content<'_> {
    /// Writes `message` as JSON, up to the cap. A message has one content: what comes after the first is
    /// left out.
    pub fn put<T: Capturable + ?Sized>(&mut self, message: &T) {
        if self.result.is_none() {
            self.result = Some(self.buffer.write_json(message));
        }
    }
}

/// What was captured.
#[derive(Debug)]
pub(crate) struct Captured {
    buffer: Bounded,
}

impl Captured {
    /// JSON; a beginning of it when truncated.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.buffer.bytes()
    }

    pub(crate) fn is_truncated(&self) -> bool {
        self.buffer.is_cut()
    }
}

/// Why there is no content although it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// `Serialize` gave an error.
    Failed,
    /// `Serialize` panicked.
    Panicked,
    /// Asked for while another content was being captured on this thread, or while it was unwinding.
    Skipped,
}

impl Missing {
    /// What stands in the attribute `content_missing`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Failed => "serialize_failed",
            Self::Panicked => "serialize_panicked",
            Self::Skipped => "skipped",
        }
    }
}

/// Has `write` put a content of at most `bytes_max` bytes; `None` when it put none.
///
/// Runs code of the user: nothing of ours may be borrowed.
pub(crate) fn capture(
    bytes_max: usize,
    write: &dyn Fn(&mut Content<'_>),
) -> Result<Option<Captured>, Missing> {
    // A second panic while one is under way may abort the process.
    if std::thread::panicking() {
        return Err(Missing::Skipped);
    }
    let capturing = Capturing::begin().ok_or(Missing::Skipped)?;
    let mut buffer = Bounded::new(bytes_max);
    let mut content = Content {
        buffer: &mut buffer,
        result: None,
    };
    // The buffer is not looked at after a panic, and the message is the user's, borrowed as it would be
    // for any other `Serialize` that panics.
    let ended = catch_unwind(AssertUnwindSafe(|| write(&mut content)));
    let result = content.result.take();
    drop(capturing);
    if let Err(payload) = ended {
        // What was thrown may throw again when it is dropped.
        if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(again);
        }
        return Err(Missing::Panicked);
    }
    match result {
        None => Ok(None),
        // An error of the user's that came after ours says nothing new.
        Some(Err(_)) if !buffer.is_cut() => Err(Missing::Failed),
        Some(_) => {
            buffer.end_at_a_character();
            Ok(Some(Captured { buffer }))
        }
    }
}
