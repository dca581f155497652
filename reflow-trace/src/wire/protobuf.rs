//! As much of protobuf's encoding as columns need.
//!
//! Columns are packed fields of tens of thousands of small numbers; they are written and read here, because
//! a general library would put each into a `Vec<u64>` first, of any length that the bytes ask for.
//! Source: protobuf.dev, *Encoding*.

/// Appends a varint.
#[inline(always)]
pub(super) fn put(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Small numbers of either sign as small numbers.
#[inline(always)]
pub(super) const fn zigzag(value: u64) -> u64 {
    (value << 1) ^ ((value as i64 >> 63) as u64)
}

/// The inverse of [`zigzag`].
#[inline(always)]
pub(super) const fn unzigzag(value: u64) -> u64 {
    (value >> 1) ^ (value & 1).wrapping_neg()
}

/// Takes a varint of at most 64 bits off the front; `None` when there is none.
#[inline(always)]
pub(super) fn take(bytes: &mut &[u8]) -> Option<u64> {
    let (&first, rest) = bytes.split_first()?;
    if first < 0x80 {
        *bytes = rest;
        return Some(u64::from(first));
    }
    take_long(bytes)
}

#[inline]
fn take_long(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for (place, &byte) in bytes.iter().enumerate().take(10) {
        // The tenth byte has room for one bit.
        if place == 9 && byte > 1 {
            return None;
        }
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            *bytes = &bytes[place + 1..];
            return Some(value);
        }
    }
    None
}

const VARINT: u64 = 0;
const FIXED_64: u64 = 1;
const LENGTH: u64 = 2;
const FIXED_32: u64 = 5;

/// Appends a number, also where it is 0.
pub(super) fn put_number(bytes: &mut Vec<u8>, field: u32, value: u64) {
    put(bytes, u64::from(field) << 3 | VARINT);
    put(bytes, value);
}

/// Appends a `float`.
pub(super) fn put_float(bytes: &mut Vec<u8>, field: u32, value: f32) {
    put(bytes, u64::from(field) << 3 | FIXED_32);
    bytes.extend_from_slice(&value.to_bits().to_le_bytes());
}

/// Appends bytes, a text, a message or a packed field.
pub(super) fn put_bytes(bytes: &mut Vec<u8>, field: u32, value: &[u8]) {
    put(bytes, u64::from(field) << 3 | LENGTH);
    put(bytes, value.len() as u64);
    bytes.extend_from_slice(value);
}

/// A field, read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Number(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32(u32),
}

/// Takes a field off the front; `Err` says what is wrong.
pub(super) fn take_field<'a>(bytes: &mut &'a [u8]) -> Result<(u64, Value<'a>), &'static str> {
    let key = take(bytes).ok_or("a field key is no number of 64 bits")?;
    let field = key >> 3;
    if field == 0 || field >= 1 << 29 {
        return Err("field numbers are from 1 to 2^29 - 1");
    }
    let value = match key & 7 {
        VARINT => Value::Number(take(bytes).ok_or("a field is no number of 64 bits")?),
        FIXED_64 => {
            let (value, rest) = bytes.split_first_chunk().ok_or("a field ends early")?;
            *bytes = rest;
            Value::Fixed64(u64::from_le_bytes(*value))
        }
        LENGTH => {
            let length = take(bytes).ok_or("a length is no number of 64 bits")?;
            let length = usize::try_from(length).map_err(|_| "a field ends early")?;
            let (value, rest) = bytes.split_at_checked(length).ok_or("a field ends early")?;
            *bytes = rest;
            Value::Bytes(value)
        }
        FIXED_32 => {
            let (value, rest) = bytes.split_first_chunk().ok_or("a field ends early")?;
            *bytes = rest;
            Value::Fixed32(u32::from_le_bytes(*value))
        }
        _ => return Err("wire types are 0, 1, 2 and 5"),
    };
    Ok((field, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_were_written() {
        for value in [0, 1, 127, 128, 300, 1 << 35, u64::MAX - 1, u64::MAX] {
            let mut bytes = Vec::new();
            put(&mut bytes, value);
            let mut rest = &bytes[..];
            assert_eq!(take(&mut rest), Some(value));
            assert!(rest.is_empty());
            assert_eq!(unzigzag(zigzag(value)), value);
        }
        // The examples of protobuf's own documentation.
        let mut bytes = Vec::new();
        put(&mut bytes, 150);
        assert_eq!(bytes, [0x96, 0x01]);
        assert_eq!(zigzag(-2i64 as u64), 3);
        assert_eq!(zigzag(0x7fff_ffff), 0xffff_fffe);
    }

    #[test]
    fn numbers_that_end_early_or_exceed_64_bits_are_none() {
        for bytes in [&[][..], &[0x80], &[0xff; 10], &[0x80; 11]] {
            assert_eq!(take(&mut &bytes[..]), None, "{bytes:?}");
        }
        let mut largest_and_one = [0xff; 10];
        largest_and_one[9] = 2;
        assert_eq!(take(&mut &largest_and_one[..]), None);
        largest_and_one[9] = 1;
        assert_eq!(take(&mut &largest_and_one[..]), Some(u64::MAX));
    }

    #[test]
    fn fields_are_read_as_they_were_written() {
        let mut bytes = Vec::new();
        put_number(&mut bytes, 1, 150);
        put_bytes(&mut bytes, 2, b"testing");
        put_float(&mut bytes, 3, 1.0);
        assert_eq!(bytes[..12], *b"\x08\x96\x01\x12\x07testing");
        let mut rest = &bytes[..];
        assert_eq!(take_field(&mut rest), Ok((1, Value::Number(150))));
        assert_eq!(take_field(&mut rest), Ok((2, Value::Bytes(b"testing"))));
        assert_eq!(take_field(&mut rest), Ok((3, Value::Fixed32(0x3f80_0000))));
        for end in 1..bytes.len() {
            let mut rest = &bytes[..end];
            while take_field(&mut rest).is_ok() {}
        }
        for group in [0x0b, 0x0c, 0x00] {
            assert!(take_field(&mut &[group, 0][..]).is_err());
        }
    }
}
