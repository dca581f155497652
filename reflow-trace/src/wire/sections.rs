//! Sections as they lie in a batch: tag, length, payload, byte by byte.
//!
//! In a record they are words (see `record/sections.rs`); here padding is left out, and so is what has
//! columns.

use super::protobuf::{put, take};
use crate::record::sections::{Section, Tag};

/// Appends a section. `bytes`: the key of an attribute, of `key_length` bytes, and the payload.
pub(super) fn put_section(sections: &mut Vec<u8>, tag: Tag, key_length: usize, bytes: &[u8]) {
    sections.push(tag as u8);
    if tag == Tag::Attribute {
        let mut prefix = Vec::with_capacity(4);
        put(&mut prefix, key_length as u64);
        put(sections, (prefix.len() + bytes.len()) as u64);
        sections.extend_from_slice(&prefix);
    } else {
        put(sections, bytes.len() as u64);
    }
    sections.extend_from_slice(bytes);
}

/// A piece of sections that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken;

/// Reads sections; those with an unknown tag are left out. After [`Broken`] nothing more comes.
pub(super) fn read(mut bytes: &[u8]) -> impl Iterator<Item = Result<Section<'_>, Broken>> {
    std::iter::from_fn(move || {
        while !bytes.is_empty() {
            let section = take_section(&mut bytes);
            if section.is_none() {
                bytes = &[];
            }
            match section {
                Some(None) => {}
                Some(Some(section)) => return Some(Ok(section)),
                None => return Some(Err(Broken)),
            }
        }
        None
    })
}

/// `None`: broken; `Some(None)`: of an unknown tag.
fn take_section<'a>(bytes: &mut &'a [u8]) -> Option<Option<Section<'a>>> {
    let (&tag, mut rest) = bytes.split_first()?;
    let length = usize::try_from(take(&mut rest)?).ok()?;
    let (mut payload, rest) = rest.split_at_checked(length)?;
    *bytes = rest;
    let Some(tag) = Tag::from_byte(tag) else {
        return Some(None);
    };
    let mut key_length = 0;
    if tag == Tag::Attribute {
        key_length = usize::try_from(take(&mut payload)?).ok()?;
    }
    Section::borrowed(tag, key_length, payload).map(Some)
}
