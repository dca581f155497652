//! What follows a record's first slot.
//!
//! A section is a header word and a payload padded to whole words:
//!
//! | bits of the header | field |
//! | --- | --- |
//! | 0–7 | tag, see [`Tag`]; 0 ends the sections |
//! | 8–31 | length of the key in bytes (attributes only) |
//! | 32–63 | length of the payload in bytes, key included |
//!
//! Values are written by type: a byte that names it, then 8 bytes for numbers, the text for strings,
//! and a count and the members for arrays and maps, each member preceded by its length.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde_json::{Map, Number, Value};

use crate::ring::SLOT_WORDS;

/// What a section holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Tag {
    /// Ring in which the attempt began, where it ended on another thread: 4 bytes.
    HomeRing = 1,
    /// A named value.
    Attribute = 2,
    /// UUID of an event built by hand: 16 bytes, like all ids.
    EventId = 3,
    TraceId = 4,
    Parent = 5,
    Root = 6,
    /// Ids one after the other.
    Chain = 7,
    /// Ids one after the other.
    Joined = 8,
    Span = 9,
    /// Names that the dictionary has not kept whole.
    Actor = 10,
    Port = 11,
    ToActor = 12,
    ToPort = 13,
    MessageType = 14,
    /// Seconds (8 bytes) and nanoseconds (4) since 1970.
    Timestamp = 15,
    /// Which of the six are known (1 byte), then six times 8 bytes.
    Metrics = 16,
    /// Size in bytes (8) and whether it is shallow (1).
    Message = 17,
    Checksum = 18,
    Content = 19,
    Error = 20,
    StateBefore = 21,
    StateAfter = 22,
    StateKind = 23,
    /// T: 8 bytes.
    Threshold = 24,
    /// The content is a beginning of what it would be: nothing.
    ContentTruncated = 25,
}

const TAGS: [Tag; 25] = [
    Tag::HomeRing,
    Tag::Attribute,
    Tag::EventId,
    Tag::TraceId,
    Tag::Parent,
    Tag::Root,
    Tag::Chain,
    Tag::Joined,
    Tag::Span,
    Tag::Actor,
    Tag::Port,
    Tag::ToActor,
    Tag::ToPort,
    Tag::MessageType,
    Tag::Timestamp,
    Tag::Metrics,
    Tag::Message,
    Tag::Checksum,
    Tag::Content,
    Tag::Error,
    Tag::StateBefore,
    Tag::StateAfter,
    Tag::StateKind,
    Tag::Threshold,
    Tag::ContentTruncated,
];

impl Tag {
    /// The tag that is written as this number.
    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        TAGS.get(usize::from(byte).checked_sub(1)?).copied()
    }
}

const KEY_LENGTH_MAX: usize = (1 << 24) - 1;
/// Sections up to here are put together on the stack; a multiple of eight.
const SMALL_BYTES: usize = 64;

/// Writes sections as words.
#[derive(Debug, Default)]
pub(crate) struct Sections {
    words: Vec<u64>,
    /// How many of them hold captured content.
    content_words: usize,
}

impl Sections {
    /// Forgets what was written and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.words.clear();
        self.content_words = 0;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Adds what was written to others.
    pub(crate) fn append(&mut self, others: &Self) {
        self.words.extend_from_slice(&others.words);
        self.content_words += others.content_words;
    }

    /// Bytes written so far that are not captured content.
    pub(crate) fn attributes_bytes(&self) -> usize {
        (self.words.len() - self.content_words) * 8
    }

    /// Bytes of memory held for more.
    pub(crate) fn capacity_bytes(&self) -> usize {
        self.words.capacity() * 8
    }

    /// Fills up the last slot and gives all words; a multiple of eight.
    pub(crate) fn seal(&mut self) -> &[u64] {
        let whole = self.words.len().next_multiple_of(SLOT_WORDS);
        self.words.resize(whole, 0);
        &self.words
    }

    /// Adds a section.
    pub(crate) fn put(&mut self, tag: Tag, payload: &[u8]) {
        self.words.push(tag as u64 | ((payload.len() as u64) << 32));
        let (whole, rest) = payload.as_chunks::<8>();
        self.words
            .extend(whole.iter().map(|&bytes| u64::from_le_bytes(bytes)));
        if !rest.is_empty() {
            let mut last = [0; 8];
            last[..rest.len()].copy_from_slice(rest);
            self.words.push(u64::from_le_bytes(last));
        }
    }

    /// Adds captured content with its checksum.
    pub(crate) fn put_content(&mut self, content: &[u8], checksum: &[u8], is_truncated: bool) {
        let before = self.words.len();
        self.put(Tag::Content, content);
        self.put(Tag::Checksum, checksum);
        if is_truncated {
            self.put(Tag::ContentTruncated, &[]);
        }
        self.content_words += self.words.len() - before;
    }

    /// Adds an attribute whose value is a type byte and `value`.
    pub(crate) fn put_attribute(&mut self, key: &str, kind: ValueKind, value: &[u8]) {
        self.put_keyed(key.as_bytes(), &[&[kind as u8], value]);
    }

    /// Adds an attribute.
    pub(crate) fn put_json(&mut self, key: &str, value: &Value) {
        let mut bytes = Vec::new();
        write_value(value, &mut bytes);
        self.put_keyed(key.as_bytes(), &[&bytes]);
    }

    /// Adds a section that holds these one after the other.
    pub(crate) fn put_all<'a>(&mut self, tag: Tag, parts: impl Iterator<Item = &'a [u8]> + Clone) {
        self.put_parts(tag, &[], parts);
    }

    fn put_keyed(&mut self, key: &[u8], parts: &[&[u8]]) {
        self.put_parts(Tag::Attribute, key, parts.iter().copied());
    }

    fn put_parts<'a>(
        &mut self,
        tag: Tag,
        key: &'a [u8],
        parts: impl Iterator<Item = &'a [u8]> + Clone,
    ) {
        let key = &key[..key.len().min(KEY_LENGTH_MAX)];
        let length = key.len() + parts.clone().map(<[u8]>::len).sum::<usize>();
        self.words
            .push(tag as u64 | ((key.len() as u64) << 8) | ((length as u64) << 32));
        let mut small = [0; SMALL_BYTES];
        if length <= SMALL_BYTES {
            // Almost all are: an id, a number, a short text.
            let mut at = 0;
            for part in std::iter::once(key).chain(parts) {
                small[at..at + part.len()].copy_from_slice(part);
                at += part.len();
            }
            let (words, _) = small[..length.next_multiple_of(8)].as_chunks::<8>();
            self.words
                .extend(words.iter().map(|&bytes| u64::from_le_bytes(bytes)));
        } else {
            self.push_bytes(key.iter().chain(parts.flatten()));
        }
    }

    fn push_bytes<'a>(&mut self, bytes: impl Iterator<Item = &'a u8>) {
        let mut word = 0;
        let mut shift = 0;
        for &byte in bytes {
            word |= u64::from(byte) << shift;
            shift += 8;
            if shift == 64 {
                self.words.push(word);
                (word, shift) = (0, 0);
            }
        }
        if shift > 0 {
            self.words.push(word);
        }
    }
}

/// One section, read back.
pub(crate) struct Section<'a> {
    pub(crate) tag: Tag,
    key_length: usize,
    bytes: Cow<'a, [u8]>,
}

impl<'a> Section<'a> {
    /// A section whose payload, behind the first `key_length` bytes, lies elsewhere.
    #[cfg(feature = "wire")]
    pub(crate) fn borrowed(tag: Tag, key_length: usize, bytes: &'a [u8]) -> Option<Self> {
        (key_length <= bytes.len()).then_some(Self {
            tag,
            key_length,
            bytes: Cow::Borrowed(bytes),
        })
    }

    /// The payload without the key.
    pub(crate) fn payload(&self) -> &[u8] {
        &self.bytes[self.key_length..]
    }

    /// The payload as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(self.payload()).into_owned()
    }

    /// The first `N` bytes of the payload, as numbers are stored.
    pub(crate) fn number<const N: usize>(&self) -> Option<[u8; N]> {
        self.payload().first_chunk().copied()
    }

    /// The payload without the key, where it lies elsewhere.
    #[cfg(feature = "wire")]
    pub(crate) fn borrowed_payload(&self) -> Option<&'a [u8]> {
        match self.bytes {
            Cow::Borrowed(bytes) => bytes.get(self.key_length..),
            Cow::Owned(_) => None,
        }
    }

    /// The key of an attribute.
    #[cfg(feature = "wire")]
    pub(crate) fn key(&self) -> &[u8] {
        &self.bytes[..self.key_length]
    }

    /// Whether the payload is what its tag asks for, so that `apply` reads it.
    #[cfg(feature = "wire")]
    pub(crate) fn is_whole(&self) -> bool {
        let payload = self.payload();
        let bytes_min = match self.tag {
            Tag::Attribute => return is_value(payload, 0),
            Tag::Timestamp => return self.timestamp().is_some(),
            Tag::HomeRing => 4,
            Tag::EventId | Tag::TraceId | Tag::Parent | Tag::Root => 16,
            Tag::Metrics => 1,
            Tag::Message | Tag::Threshold => 8,
            _ => 0,
        };
        payload.len() >= bytes_min
    }

    /// The time that a timestamp says.
    pub(crate) fn timestamp(&self) -> Option<DateTime<Utc>> {
        let payload = self.number::<12>()?;
        let (seconds, nanoseconds) = payload.split_at(8);
        DateTime::from_timestamp(
            i64::from_le_bytes(seconds.try_into().ok()?),
            u32::from_le_bytes(nanoseconds.try_into().ok()?),
        )
    }

    /// Key and value of an attribute.
    pub(crate) fn attribute(&self) -> Option<(String, Value)> {
        let key = String::from_utf8_lossy(&self.bytes[..self.key_length]).into_owned();
        Some((key, read_value(self.payload(), 0)?))
    }
}

/// Where a section lies among words.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) tag: Tag,
    pub(crate) key_length: usize,
    /// Bytes of key and payload.
    pub(crate) length: usize,
    /// They lie in these words.
    pub(crate) words: &'a [u64],
}

/// Finds sections until they end or make no sense.
pub(crate) fn find(mut words: &[u64]) -> impl Iterator<Item = Place<'_>> {
    std::iter::from_fn(move || {
        let (&header, rest) = words.split_first()?;
        let tag = Tag::from_byte(header as u8)?;
        let key_length = (header >> 8) as usize & KEY_LENGTH_MAX;
        let length = (header >> 32) as usize;
        let payload_words = length.div_ceil(8);
        if key_length > length || payload_words > rest.len() {
            return None;
        }
        let (payload, behind) = rest.split_at(payload_words);
        words = behind;
        Some(Place {
            tag,
            key_length,
            length,
            words: payload,
        })
    })
}

/// Reads sections until they end or make no sense.
pub(crate) fn read(words: &[u64]) -> impl Iterator<Item = Section<'_>> {
    find(words).map(|place| {
        let mut bytes: Vec<u8> = place
            .words
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .collect();
        bytes.truncate(place.length);
        Section {
            tag: place.tag,
            key_length: place.key_length,
            bytes: Cow::Owned(bytes),
        }
    })
}

/// The type byte of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum ValueKind {
    Null = 0,
    False = 1,
    True = 2,
    Unsigned = 3,
    Signed = 4,
    Float = 5,
    Text = 6,
    Array = 7,
    Map = 8,
}

fn write_sized(bytes: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let at = bytes.len();
    bytes.extend_from_slice(&[0; 4]);
    write(bytes);
    let length = (bytes.len() - at - 4) as u32;
    bytes[at..at + 4].copy_from_slice(&length.to_le_bytes());
}

fn write_value(value: &Value, bytes: &mut Vec<u8>) {
    match value {
        Value::Null => bytes.push(ValueKind::Null as u8),
        Value::Bool(false) => bytes.push(ValueKind::False as u8),
        Value::Bool(true) => bytes.push(ValueKind::True as u8),
        Value::Number(number) => {
            let (kind, number) = if let Some(number) = number.as_u64() {
                (ValueKind::Unsigned, number)
            } else if let Some(number) = number.as_i64() {
                (ValueKind::Signed, number as u64)
            } else {
                (
                    ValueKind::Float,
                    number.as_f64().unwrap_or_default().to_bits(),
                )
            };
            bytes.push(kind as u8);
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        Value::String(text) => {
            bytes.push(ValueKind::Text as u8);
            bytes.extend_from_slice(text.as_bytes());
        }
        Value::Array(members) => {
            bytes.push(ValueKind::Array as u8);
            for member in members {
                write_sized(bytes, |bytes| write_value(member, bytes));
            }
        }
        Value::Object(members) => {
            bytes.push(ValueKind::Map as u8);
            for (key, member) in members {
                write_sized(bytes, |bytes| bytes.extend_from_slice(key.as_bytes()));
                write_sized(bytes, |bytes| write_value(member, bytes));
            }
        }
    }
}

/// As deep as serde_json reads.
const DEPTH_MAX: usize = 128;
/// As deep as attributes may lie that leave the process. What a message puts around an event is a few levels more,
/// and together they are within what JSON readers take, whoever has written them.
#[cfg(feature = "wire")]
const SENT_DEPTH_MAX: usize = 64;

fn split_sized<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (member, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    *bytes = rest;
    Some(member)
}

/// Whether [`read_value`] reads it, and so does whoever gets it as JSON.
#[cfg(feature = "wire")]
fn is_value(bytes: &[u8], depth: usize) -> bool {
    let Some((&kind, mut rest)) = bytes.split_first() else {
        return false;
    };
    match kind {
        0 | 1 | 2 | 6 => true,
        3..=5 => rest.len() >= 8,
        7 | 8 if depth < SENT_DEPTH_MAX => {
            while !rest.is_empty() {
                if kind == 8 && split_sized(&mut rest).is_none() {
                    return false;
                }
                match split_sized(&mut rest) {
                    Some(member) if is_value(member, depth + 1) => {}
                    _ => return false,
                }
            }
            true
        }
        _ => false,
    }
}

fn read_value(bytes: &[u8], depth: usize) -> Option<Value> {
    let (&kind, mut rest) = bytes.split_first()?;
    let number = || Some(u64::from_le_bytes(*rest.first_chunk()?));
    Some(match kind {
        0 => Value::Null,
        1 => Value::Bool(false),
        2 => Value::Bool(true),
        3 => Value::Number(number()?.into()),
        4 => Value::Number((number()? as i64).into()),
        5 => Number::from_f64(f64::from_bits(number()?)).map_or(Value::Null, Value::Number),
        6 => Value::String(String::from_utf8_lossy(rest).into_owned()),
        _ if depth >= DEPTH_MAX => return None,
        7 => {
            let mut members = Vec::new();
            while !rest.is_empty() {
                members.push(read_value(split_sized(&mut rest)?, depth + 1)?);
            }
            Value::Array(members)
        }
        8 => {
            let mut members = Map::new();
            while !rest.is_empty() {
                let key = String::from_utf8_lossy(split_sized(&mut rest)?).into_owned();
                members.insert(key, read_value(split_sized(&mut rest)?, depth + 1)?);
            }
            Value::Object(members)
        }
        _ => return None,
    })
}
