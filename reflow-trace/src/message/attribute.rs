//! Named values beside a message.

use std::fmt::{self, Write as _};
use std::marker::PhantomData;
use std::ops::Deref;

use super::capture::{Captured, ChecksumText};
use super::details::take_details;
use crate::context::Context;
use crate::record::sections::{Sections, Tag, ValueKind};

/// Longest text of one attribute, in bytes; what is longer is cut at a character.
pub(crate) const TEXT_BYTES_MAX: usize = 1024;
/// Most bytes of all attributes of a message; what would exceed them is left out.
pub(crate) const ATTRIBUTES_BYTES_MAX: usize = 16 * 1024;

/// The value of an attribute, borrowed from the message.
#[derive(Clone, Copy)]
pub enum AttributeValue<'a> {
    /// Truth.
    Bool(bool),
    /// A whole number from 0 upwards.
    Unsigned(u64),
    /// A whole number.
    Signed(i64),
    /// A floating-point number.
    Float(f64),
    /// Text.
    Text(&'a str),
    /// Anything that can be shown; formatted only when the message is recorded.
    Shown(&'a dyn fmt::Display),
    /// More causes: what else the message was made from. They go to
    /// [`joined_event_ids`](crate::CausalityInfo::joined_event_ids) whatever the attribute is called.
    Causes(&'a [Context]),
}

impl fmt::Debug for AttributeValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Unsigned(value) => write!(f, "{value}"),
            Self::Signed(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value}"),
            Self::Text(value) => write!(f, "{value:?}"),
            Self::Shown(value) => write!(f, "{value}"),
            Self::Causes(contexts) => write!(f, "{contexts:?}"),
        }
    }
}

/// Where attributes of a message that is being recorded go.
pub struct Attributes<'a> {
    /// Made when the first attribute comes: most messages have none.
    sections: &'a mut Option<Box<Sections>>,
}

impl<'a> Attributes<'a> {
    #[inline]
    pub(crate) fn new(sections: &'a mut Option<Box<Sections>>) -> Self {
        Self { sections }
    }

    /// Adds a named value. A text above 1 024 bytes is cut; what exceeds 16 KiB in all is left out.
    pub fn put(&mut self, key: &str, value: AttributeValue<'_>) {
        match value {
            AttributeValue::Bool(false) => self.write(key, ValueKind::False, &[]),
            AttributeValue::Bool(true) => self.write(key, ValueKind::True, &[]),
            AttributeValue::Unsigned(value) => {
                self.write(key, ValueKind::Unsigned, &value.to_le_bytes())
            }
            // A number that is not negative is read back as unsigned, as JSON has it.
            AttributeValue::Signed(value) if value >= 0 => {
                self.write(key, ValueKind::Unsigned, &value.to_le_bytes());
            }
            AttributeValue::Signed(value) => {
                self.write(key, ValueKind::Signed, &value.to_le_bytes())
            }
            AttributeValue::Float(value) => {
                self.write(key, ValueKind::Float, &value.to_bits().to_le_bytes())
            }
            AttributeValue::Text(text) => self.write(key, ValueKind::Text, cut(text).as_bytes()),
            AttributeValue::Shown(value) => {
                let mut text = FixedText::default();
                // Cut short is still written; an error of the user's `Display` leaves what it wrote.
                let _cut_or_failed = write!(text, "{value}");
                self.write(key, ValueKind::Text, text.as_str().as_bytes());
            }
            AttributeValue::Causes(contexts) => self.join(contexts),
        }
    }

    /// Each cause that was recorded, as far as there is room: a section for each, which needs no buffer.
    fn join(&mut self, contexts: &[Context]) {
        for id in contexts.iter().filter_map(Context::event_id) {
            let sections = self.sections.get_or_insert_with(take_details);
            if sections.attributes_bytes() + 24 <= ATTRIBUTES_BYTES_MAX {
                sections.put(Tag::Joined, id.0.as_bytes());
            }
        }
    }

    /// Adds what was captured of the message itself.
    pub(crate) fn put_content(&mut self, captured: &Captured, checksum: &ChecksumText) {
        self.sections.get_or_insert_with(take_details).put_content(
            captured.bytes(),
            checksum.as_bytes(),
            captured.is_truncated(),
        );
    }

    fn write(&mut self, key: &str, kind: ValueKind, value: &[u8]) {
        let key = cut(key);
        let sections = self.sections.get_or_insert_with(take_details);
        if sections.attributes_bytes() + key.len() + value.len() + 16 <= ATTRIBUTES_BYTES_MAX {
            sections.put_attribute(key, kind, value);
        }
    }
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_BYTES_MAX)]
}

/// A text of bounded length on the stack.
pub(crate) struct FixedText {
    bytes: [u8; TEXT_BYTES_MAX],
    length: usize,
}

impl Default for FixedText {
    fn default() -> Self {
        Self {
            bytes: [0; TEXT_BYTES_MAX],
            length: 0,
        }
    }
}

impl FixedText {
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

impl fmt::Write for FixedText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let fits = text.floor_char_boundary(TEXT_BYTES_MAX - self.length);
        self.bytes[self.length..self.length + fits].copy_from_slice(&text.as_bytes()[..fits]);
        self.length += fits;
        if fits == text.len() {
            Ok(())
        } else {
            Err(fmt::Error)
        }
    }
}

/// Wraps a reference, so that [`AsValue`] finds the best form of what it refers to.
#[derive(Debug)]
pub struct Value<'a, T: ?Sized>(pub &'a T);

/// The best form of a value: numbers and truth as they are, text as text, anything else as shown.
///
/// The impls stand at different depths of reference; method look-up takes the first that fits.
pub trait AsValue<'a> {
    /// The value as an attribute.
    fn value(&self) -> AttributeValue<'a>;
}

macro_rules! plain_values {
    ($($type:ty => $variant:ident as $as:ty),* $(,)?) => {$(
        impl<'a> AsValue<'a> for &&Value<'a, $type> {
            #[inline]
            fn value(&self) -> AttributeValue<'a> {
                AttributeValue::$variant(*self.0 as $as)
            }
        }

        impl<'a> AsValue<'a> for &&Value<'a, &$type> {
            #[inline]
            fn value(&self) -> AttributeValue<'a> {
                AttributeValue::$variant(**self.0 as $as)
            }
        }
    )*};
}

plain_values! {
    u8 => Unsigned as u64, u16 => Unsigned as u64, u32 => Unsigned as u64, u64 => Unsigned as u64, usize => Unsigned as u64,
    i8 => Signed as i64, i16 => Signed as i64, i32 => Signed as i64, i64 => Signed as i64, isize => Signed as i64,
    f32 => Float as f64, f64 => Float as f64, bool => Bool as bool,
}

impl<'a> AsValue<'a> for &&Value<'a, Context> {
    #[inline]
    fn value(&self) -> AttributeValue<'a> {
        AttributeValue::Causes(std::slice::from_ref(self.0))
    }
}

impl<'a> AsValue<'a> for &&Value<'a, Vec<Context>> {
    #[inline]
    fn value(&self) -> AttributeValue<'a> {
        AttributeValue::Causes(self.0)
    }
}

impl<'a, const N: usize> AsValue<'a> for &&Value<'a, [Context; N]> {
    #[inline]
    fn value(&self) -> AttributeValue<'a> {
        AttributeValue::Causes(self.0)
    }
}

impl<'a, T: AsRef<str> + ?Sized> AsValue<'a> for &Value<'a, T> {
    #[inline]
    fn value(&self) -> AttributeValue<'a> {
        AttributeValue::Text(self.0.as_ref())
    }
}

impl<'a, T: fmt::Display> AsValue<'a> for Value<'a, T> {
    #[inline]
    fn value(&self) -> AttributeValue<'a> {
        AttributeValue::Shown(self.0)
    }
}

/// Where look-up arrives when nothing else fits: the bound of its method fails with a text of ours.
#[derive(Debug)]
pub struct UnfitValue<T: ?Sized>(PhantomData<T>);

/// Implemented by nothing: what can be an attribute is found before.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be recorded as an attribute or an id",
    label = "neither a number, nor text, nor `Display`",
    note = "an attribute or an id is a number, a `bool`, text (`AsRef<str>`) or implements `Display`"
)]
pub trait Recordable {}

impl<T: ?Sized> Deref for Value<'_, T> {
    type Target = UnfitValue<T>;

    fn deref(&self) -> &UnfitValue<T> {
        &UnfitValue(PhantomData)
    }
}

impl<T: ?Sized> UnfitValue<T> {
    /// Never called.
    pub fn value(&self) -> AttributeValue<'static>
    where
        T: Recordable,
    {
        AttributeValue::Bool(false)
    }
}

#[cfg(test)]
#[expect(
    clippy::needless_borrow,
    reason = "the references choose the impl, as in generated code"
)]
mod tests {
    use super::*;
    use crate::record::sections;

    #[test]
    fn values_take_their_best_form() {
        let uuid = uuid::Uuid::nil();
        let values = [
            format!("{:?}", (&&&Value(&7u8)).value()),
            format!("{:?}", (&&&Value(&-7i64)).value()),
            format!("{:?}", (&&&Value(&&true)).value()),
            format!("{:?}", (&&&Value("text")).value()),
            format!("{:?}", (&&&Value(&String::from("text"))).value()),
            format!("{:?}", (&&&Value(&uuid)).value()),
        ];
        assert_eq!(
            values.join(" "),
            "7 -7 true \"text\" \"text\" 00000000-0000-0000-0000-000000000000"
        );
    }

    #[test]
    fn what_is_too_long_is_cut_or_left_out() {
        let mut sections = None;
        let mut attributes = Attributes::new(&mut sections);
        let long = "ö".repeat(10_000);
        for _ in 0..100 {
            attributes.put("key", AttributeValue::Text(&long));
            attributes.put("key", AttributeValue::Shown(&long));
        }
        let mut sections = sections.expect("something was put");
        assert!(sections.attributes_bytes() <= ATTRIBUTES_BYTES_MAX);
        let words = sections.seal().to_vec();
        for section in sections::read(&words) {
            let (_, value) = section.attribute().expect("an attribute");
            assert_eq!(value.as_str().map(str::len), Some(TEXT_BYTES_MAX));
        }
    }
}
