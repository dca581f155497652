//! Fields whose values are not for the eyes of those who read a recording.
//!
//! `#[sample]` hands a field marked `#[trace(redact)]` to a function of its own, by an attribute that the
//! type's `#[derive(Serialize)]` reads: `#[serde(serialize_with = "…")]`. That function asks
//! [`captures_now`]: while content is captured on this thread it writes a placeholder and never looks at
//! the value; at all other times it serialises the field as the type had it.
//!
//! So the field is redacted wherever the value stands, inside other messages, under `flatten`, in enums
//! without tags, behind names that serde changes: the derived code has no other way to it. The question is
//! put to the thread and not to the serializer, because serde and others buffer values in serializers of
//! their own on the way; in doubt a field is redacted. What this cannot see is a `Serialize` that has
//! another thread do its work.

use std::cell::Cell;

use serde::Serializer;
use serde::ser::SerializeMap as _;

/// What stands in captured content in place of a redacted field.
const PLACEHOLDER: &str = "[redacted]";

thread_local! {
    static CAPTURING: Cell<bool> = const { Cell::new(false) };
}

/// While this lives, content is captured on this thread.
pub(super) struct Capturing(());

impl Capturing {
    /// `None` when it is being captured already.
    pub(super) fn begin() -> Option<Self> {
        (!CAPTURING.replace(true)).then_some(Self(()))
    }
}

impl Drop for Capturing {
    fn drop(&mut self) {
        CAPTURING.set(false);
    }
}

/// Whether the content of a message is being captured on this thread.
#[inline]
pub fn captures_now() -> bool {
    CAPTURING.get()
}

/// Writes the placeholder.
pub fn redacted<S: Serializer>(serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(PLACEHOLDER)
}

/// Writes nothing, where the fields of the value would stand among those of another and a text cannot.
pub fn left_out<S: Serializer>(serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_map(Some(0))?.end()
}
