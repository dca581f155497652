//! What generated code names. Not part of the public interface: it changes with the macros.

pub use crate::context::{CauseFrame, Context, ContextField, in_task};
pub use crate::event::Outcome;
pub use crate::message::{
    AsValue, AttributeValue, Attributes, CONTENT_BYTES_DEFAULT, CONTENT_BYTES_MAX, Content,
    Message, MessageKind, Size, SizeFallback, Value, captures_now, left_out, redacted, share,
};
pub use crate::probe::*;
pub use crate::sampling::Verdict;

/// Of the types that redact fields.
pub use serde;

/// `capture = BYTES` where the number is not written out; the program does not compile with a wrong one.
///
/// # Panics
///
/// When the number is none that a type may ask for; only the compiler ever calls this.
pub const fn capture_bytes(bytes: usize) -> usize {
    assert!(
        bytes >= 1 && bytes <= CONTENT_BYTES_MAX,
        "`capture` needs a number of bytes from 1 to 65536"
    );
    bytes
}

/// Compiles for what can be captured.
pub fn capturable<T: crate::Capturable + ?Sized>(_: &T) {}

/// A reference. Written like this in generated code it is no argument that a strict lint would have
/// otherwise: the derive of serde wants exactly this.
pub type Borrowed<'a, T> = &'a T;
