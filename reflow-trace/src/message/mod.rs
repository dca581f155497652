//! What a message type says of itself.

mod attribute;
mod capture;
mod details;
mod labelled;
mod size;
mod standard;
mod traced;

pub(crate) use attribute::FixedText;
pub use attribute::{AsValue, AttributeValue, Attributes, Value};
pub use capture::{
    CONTENT_BYTES_DEFAULT, CONTENT_BYTES_MAX, Capturable, Content, ContentKey, captures_now,
    left_out, redacted,
};
pub(crate) use capture::{Captured, Checksum, Missing, capture};
pub(crate) use details::{give_back_details, take_details};
pub use labelled::Labelled;
pub(crate) use size::SizeSource;
pub use size::{Size, SizeFallback};
pub use traced::Traced;

use std::sync::atomic::{AtomicU32, Ordering};

use crate::context::Context;
use crate::edge::TypeNumber;
use crate::runtime::dictionary;
use crate::sampling::{Threshold, Verdict};

/// A message with a policy; `#[sample(…)]` writes the impl.
///
/// A connector that is generic over its messages needs this bound for the policy to be found:
/// `impl<M: reflow_trace::Message> Connector<M>`. Without the bound a message is recorded under the
/// name of its Rust type, always.
///
/// # Examples
///
/// ```
/// use reflow_trace::{Message, sample};
///
/// #[sample(rate = 0.1, always = "self.celsius > 100.0")]
/// struct Reading { celsius: f64 }
///
/// assert_eq!(Reading { celsius: 20.0 }.kind().name(), "Reading");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` says nothing of its tracing policy",
    label = "a message type without `#[sample(..)]`",
    note = "annotate the type with `#[sample(..)]`, for example `#[sample(rate = 1.0)]`"
)]
pub trait Message {
    /// Whether [`id`](Self::id), [`describe`](Self::describe) or [`capture`](Self::capture) may say
    /// something; `false` spares the asking.
    const DESCRIBES: bool = true;

    /// Name and compile-time policy of the type, or of the variant that this value is.
    fn kind(&self) -> &'static MessageKind;

    /// What the conditions of the policy say of this value. Must not depend on chance.
    #[inline]
    fn verdict(&self) -> Verdict {
        Verdict::ByRate
    }

    /// How large the message is.
    #[inline]
    fn size(&self) -> Size {
        Size::shallow(size_of_val(self))
    }

    /// The context that came with the message, where it has room for one.
    #[inline]
    fn context(&self) -> Option<&Context> {
        None
    }

    /// The room for the context, filled in by the send.
    #[inline]
    fn context_mut(&mut self) -> Option<&mut Context> {
        None
    }

    /// The id of the message, where it has one.
    #[inline]
    fn id(&self) -> Option<AttributeValue<'_>> {
        None
    }

    /// Writes the marked fields; asked only when the message is recorded.
    #[inline]
    fn describe(&self, attributes: &mut Attributes<'_>) {
        let _nothing_to_say = attributes;
    }

    /// Hands over what is to be captured as content, usually itself; asked only when the message is
    /// recorded, its kind [captures](MessageKind::capture), and the recording permits it.
    #[inline]
    fn capture(&self, content: &mut Content<'_>) {
        let _nothing_to_show = content;
    }
}

/// A rate that is a constant, checked while the program is compiled.
///
/// # Panics
///
/// When it is not a share of all messages.
pub const fn share(rate: f64) -> f64 {
    assert!(
        rate >= 0.0 && rate <= 1.0,
        "a rate is a share of all messages: a number from 0.0 to 1.0"
    );
    rate
}

/// Name and compile-time policy of a message type or variant.
#[derive(Debug)]
pub struct MessageKind {
    name: &'static str,
    threshold: Threshold,
    always_actors: &'static [&'static str],
    never_actors: &'static [&'static str],
    /// Most bytes of content; 0: none is captured.
    capture_bytes: usize,
    /// Number in the dictionary; 0: not looked up yet.
    number: AtomicU32,
}

impl MessageKind {
    /// A kind whose messages are all recorded.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            threshold: Threshold::ALWAYS,
            always_actors: &[],
            never_actors: &[],
            capture_bytes: 0,
            number: AtomicU32::new(0),
        }
    }

    /// The share of traces to record, 0.0 to 1.0.
    #[must_use]
    pub const fn rate(mut self, rate: f64) -> Self {
        self.threshold = Threshold::from_rate(rate);
        self
    }

    /// Actors from or to which every message is recorded.
    #[must_use]
    pub const fn always_actors(mut self, actors: &'static [&'static str]) -> Self {
        self.always_actors = actors;
        self
    }

    /// Actors from or to which no message is recorded.
    #[must_use]
    pub const fn never_actors(mut self, actors: &'static [&'static str]) -> Self {
        self.never_actors = actors;
        self
    }

    /// Captures up to this many bytes of content, at most [`CONTENT_BYTES_MAX`](crate::CONTENT_BYTES_MAX); 0
    /// captures none.
    #[must_use]
    pub const fn capture(mut self, bytes: usize) -> Self {
        self.capture_bytes = if bytes < CONTENT_BYTES_MAX {
            bytes
        } else {
            CONTENT_BYTES_MAX
        };
        self
    }

    /// The name under which messages are recorded.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The threshold of the rate.
    pub const fn threshold(&self) -> Threshold {
        self.threshold
    }

    /// Most bytes of content that are captured; 0: none.
    #[inline]
    pub const fn capture_bytes(&self) -> usize {
        self.capture_bytes
    }

    /// What the names of the two ends say; never comes before always.
    pub(crate) fn verdict_of_actors(&self, from_actor: &str, to_actor: &str) -> Verdict {
        let names_an_end = |names: &[&str]| {
            names
                .iter()
                .any(|&name| name == from_actor || name == to_actor)
        };
        if names_an_end(self.never_actors) {
            Verdict::Never
        } else if names_an_end(self.always_actors) {
            Verdict::Always
        } else {
            Verdict::ByRate
        }
    }

    /// The number in the dictionary.
    pub(crate) fn number(&self) -> TypeNumber {
        match self.number.load(Ordering::Relaxed) {
            0 => {
                let number = dictionary().message_type(self.name);
                self.number.store(number, Ordering::Relaxed);
                number
            }
            number => number,
        }
    }
}
