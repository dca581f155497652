//! What generated code names. Not part of the public interface: it changes with the macros.

pub use crate::context::{CauseFrame, Context, in_task};
pub use crate::event::Outcome;
pub use crate::message::{
    AsValue, AttributeValue, Attributes, Message, MessageKind, Size, SizeFallback, Value,
};
pub use crate::probe::*;
pub use crate::sampling::Verdict;
