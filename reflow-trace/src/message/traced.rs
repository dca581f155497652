//! A context for message types that have no room for one.

use std::fmt;
use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{AttributeValue, Attributes, Message, MessageKind, Size};
use crate::context::Context;
use crate::sampling::Verdict;

/// A message with a [`Context`] beside it.
///
/// For channels and connectors of one's own whose messages cannot hold a context, such as a `String`: send
/// a `Traced<String>` instead. It behaves like the message in everything that can be seen: comparisons,
/// hashes and texts are those of the message, and it is serialized as the message alone, so that a wire
/// format stays what it is (a message that comes from a wire is unlinked). Its policy, size, id and
/// attributes are the message's.
///
/// In the [traced channels](crate::channel) it is not needed: they carry the context unseen.
///
/// # Examples
///
/// ```
/// use reflow_trace::Traced;
///
/// let mut greeting: Traced<String> = String::from("hello").into();
/// greeting.push('!');
/// assert_eq!(greeting.len(), 6);
/// assert_eq!(greeting.into_inner(), "hello!");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Traced<M> {
    message: M,
    context: Context,
}

impl<M> Traced<M> {
    /// Wraps a message that belongs to no trace yet.
    pub const fn new(message: M) -> Self {
        Self {
            message,
            context: Context::NONE,
        }
    }

    /// Wraps a message that goes on with a trace.
    pub const fn with_context(message: M, context: Context) -> Self {
        Self { message, context }
    }

    /// The message alone.
    pub fn into_inner(self) -> M {
        self.message
    }

    /// What came with the message.
    pub const fn context(&self) -> Context {
        self.context
    }

    /// Another message that goes on with the same trace.
    pub fn map<N>(self, f: impl FnOnce(M) -> N) -> Traced<N> {
        Traced {
            message: f(self.message),
            context: self.context,
        }
    }
}

impl<M> From<M> for Traced<M> {
    fn from(message: M) -> Self {
        Self::new(message)
    }
}

impl<M> Deref for Traced<M> {
    type Target = M;

    fn deref(&self) -> &M {
        &self.message
    }
}

impl<M> DerefMut for Traced<M> {
    fn deref_mut(&mut self) -> &mut M {
        &mut self.message
    }
}

impl<M> AsRef<M> for Traced<M> {
    fn as_ref(&self) -> &M {
        &self.message
    }
}

impl<M> AsMut<M> for Traced<M> {
    fn as_mut(&mut self) -> &mut M {
        &mut self.message
    }
}

impl<M: PartialEq> PartialEq<M> for Traced<M> {
    fn eq(&self, other: &M) -> bool {
        self.message == *other
    }
}

impl<M: fmt::Debug> fmt::Debug for Traced<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message.fmt(f)
    }
}

impl<M: fmt::Display> fmt::Display for Traced<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message.fmt(f)
    }
}

impl<M: Serialize> Serialize for Traced<M> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.message.serialize(serializer)
    }
}

impl<'de, M: Deserialize<'de>> Deserialize<'de> for Traced<M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        M::deserialize(deserializer).map(Self::new)
    }
}

impl<M: Message> Message for Traced<M> {
    #[inline]
    fn kind(&self) -> &'static MessageKind {
        self.message.kind()
    }

    #[inline]
    fn verdict(&self) -> Verdict {
        self.message.verdict()
    }

    #[inline]
    fn size(&self) -> Size {
        self.message.size()
    }

    #[inline]
    fn context(&self) -> Option<&Context> {
        Some(&self.context)
    }

    #[inline]
    fn context_mut(&mut self) -> Option<&mut Context> {
        Some(&mut self.context)
    }

    #[inline]
    fn id(&self) -> Option<AttributeValue<'_>> {
        self.message.id()
    }

    #[inline]
    fn describe(&self, attributes: &mut Attributes<'_>) {
        self.message.describe(attributes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_looks_like_the_message() {
        let one = Traced::new(String::from("text"));
        let context = Context {
            sequence: 7,
            ..Context::NONE
        };
        let other = Traced::with_context(String::from("text"), context);
        assert_eq!(one, other);
        assert_eq!(one, String::from("text"));
        assert_eq!(format!("{one:?} {one}"), "\"text\" text");
        let json = serde_json::to_string(&other).expect("serializes");
        assert_eq!(json, "\"text\"");
        let back: Traced<String> = serde_json::from_str(&json).expect("parses");
        assert_eq!(back, other);
        assert_eq!(back.context().sequence, 0);
        assert_eq!(other.map(|text| text.len()).context().sequence, 7);
    }

    #[test]
    fn what_it_says_of_itself_is_what_the_message_says() {
        let traced = Traced::new(String::from("text"));
        assert_eq!(traced.kind().name(), "String");
        assert_eq!(traced.size(), Size::deep(4));
        assert!(Message::context(&traced).is_some());
    }
}
