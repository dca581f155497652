//! The fields of the message, found and counted before anything is made of them.

use super::dictionary::Names;
use crate::wire::format::{BATCH_VERSION, field};
use crate::wire::protobuf::{Value, take, take_field};
use crate::wire::{BatchLimits, WireError};

/// The fields as they lie in the plain payload; of several with the same number the last one.
pub(super) struct Fields<'a> {
    values: [Option<Value<'a>>; field::COUNT],
    pub(super) names: Names,
    pub(super) notices: Vec<&'a [u8]>,
}

impl<'a> Fields<'a> {
    pub(super) fn find(plain: &'a [u8], limits: &BatchLimits) -> Result<Self, WireError> {
        let mut fields = Self {
            values: [None; field::COUNT],
            names: Names::default(),
            notices: Vec::new(),
        };
        let mut rest = plain;
        while !rest.is_empty() {
            let at = plain.len() - rest.len();
            let (number, value) =
                take_field(&mut rest).map_err(|reason| WireError::Protobuf { at, reason })?;
            match (u32::try_from(number), value) {
                (Ok(field::NAME), Value::Bytes(name)) => fields.names.add(name, limits)?,
                (Ok(field::NOTICE), Value::Bytes(notice)) => {
                    too_large(
                        "notices",
                        fields.notices.len() as u64 + 1,
                        limits.entries_max,
                    )?;
                    fields.notices.push(notice);
                }
                _ => {
                    let place = usize::try_from(number).ok();
                    if let Some(known) = place.and_then(|place| fields.values.get_mut(place)) {
                        *known = Some(value);
                    }
                }
            }
        }
        // Before everything else: another version may mean something else by its fields.
        let version = fields.number("version", field::VERSION)?;
        if version != BATCH_VERSION {
            return Err(WireError::UnknownVersion { version });
        }
        Ok(fields)
    }

    /// A number; 0 where there is none.
    pub(super) fn number(&self, name: &'static str, field: u32) -> Result<u64, WireError> {
        match self.values[field as usize] {
            None => Ok(0),
            Some(Value::Number(value)) => Ok(value),
            Some(_) => Err(WireError::Type { field: name }),
        }
    }

    /// A `float`.
    pub(super) fn float(&self, name: &'static str, field: u32) -> Result<Option<f32>, WireError> {
        match self.values[field as usize] {
            None => Ok(None),
            Some(Value::Fixed32(bits)) => Ok(Some(f32::from_bits(bits))),
            Some(_) => Err(WireError::Type { field: name }),
        }
    }

    /// Bytes or a packed field; empty where there is none.
    pub(super) fn bytes(&self, name: &'static str, field: u32) -> Result<&'a [u8], WireError> {
        match self.values[field as usize] {
            None => Ok(&[]),
            Some(Value::Bytes(bytes)) => Ok(bytes),
            Some(_) => Err(WireError::Type { field: name }),
        }
    }
}

pub(super) fn too_large(what: &'static str, amount: u64, max: u32) -> Result<(), WireError> {
    let max = u64::from(max);
    if amount > max {
        Err(WireError::TooLarge { what, amount, max })
    } else {
        Ok(())
    }
}

/// A packed field that has its own length: groups of `N` numbers.
pub(super) fn groups<const N: usize>(
    column: &'static str,
    mut bytes: &[u8],
    max: u32,
    mut each: impl FnMut([u64; N]) -> Result<(), WireError>,
) -> Result<(), WireError> {
    let mut count = 0;
    while !bytes.is_empty() {
        too_large(column, count + 1, max)?;
        let mut group = [0; N];
        for (place, number) in group.iter_mut().enumerate() {
            if bytes.is_empty() {
                return Err(WireError::ColumnLength {
                    column,
                    values: count * N as u64 + place as u64,
                    expected: (count + 1) * N as u64,
                });
            }
            *number = take(&mut bytes).ok_or(WireError::Varint { column })?;
        }
        each(group)?;
        count += 1;
    }
    Ok(())
}

/// A column with one value for each of `events`; zeros where it was left out.
#[inline(always)]
pub(super) fn column(
    column: &'static str,
    bytes: &[u8],
    events: usize,
    mut each: impl FnMut(usize, u64) -> Result<(), WireError>,
) -> Result<(), WireError> {
    if bytes.is_empty() {
        return (0..events).try_for_each(|row| each(row, 0));
    }
    let mut rest = bytes;
    for row in 0..events {
        let Some(value) = take(&mut rest) else {
            return Err(if rest.is_empty() {
                WireError::ColumnLength {
                    column,
                    values: row as u64,
                    expected: events as u64,
                }
            } else {
                WireError::Varint { column }
            });
        };
        each(row, value)?;
    }
    if rest.is_empty() {
        Ok(())
    } else {
        let more = rest.iter().filter(|&&byte| byte < 0x80).count();
        Err(WireError::ColumnLength {
            column,
            values: (events + more) as u64,
            expected: events as u64,
        })
    }
}

/// A column that is kept as it is; empty where it was left out.
pub(super) fn plain_column(
    name: &'static str,
    bytes: &[u8],
    events: usize,
) -> Result<Vec<u64>, WireError> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let mut values = Vec::with_capacity(events.min(bytes.len()));
    column(name, bytes, events, |_, value| {
        values.push(value);
        Ok(())
    })?;
    Ok(values)
}
