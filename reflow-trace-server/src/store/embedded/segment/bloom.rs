//! Asking a Bloom filter of a file for one value: 32 bytes are read of it, however large it is.
//!
//! The filters are those of Parquet: blocks of 256 bits, of which the upper half of a hash chooses
//! one and the lower half says which bits of it are set.

use std::fs::File;
use std::io;

use parquet::bloom_filter::Sbbf;
use parquet::data_type::AsBytes;
use twox_hash::XxHash64;

const BLOCK_BYTES: u64 = 32;

/// Whether the filter whose bits lie here may have the value.
pub(super) fn may_have<T: AsBytes + ?Sized>(
    file: &File,
    bits: Bits,
    value: &T,
) -> io::Result<bool> {
    let hash = XxHash64::oneshot(0, value.as_bytes());
    let blocks = bits.bytes / BLOCK_BYTES;
    // Both factors have 32 bits.
    let block = ((hash >> 32) * blocks) >> 32;
    let mut bytes = [0; BLOCK_BYTES as usize];
    read_at(file, &mut bytes, bits.offset + block * BLOCK_BYTES)?;
    Ok(Sbbf::new(&bytes).check(value))
}

/// Where the bits of a filter lie in a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bits {
    pub(super) offset: u64,
    /// A multiple of a block, less than 2³².
    pub(super) bytes: u64,
}

/// Finds the bits of a filter of so many bytes, header and all; `None` when it is none that we know.
///
/// The header is Thrift, and its first field is how many bytes of bits follow it.
pub(super) fn find(file: &File, offset: u64, length: u64) -> io::Result<Option<Bits>> {
    const FIRST_FIELD_I32: u8 = 0x15;
    let mut head = [0; 6];
    read_at(file, &mut head, offset)?;
    let zigzag = head[1..].iter().zip([0, 7, 14, 21, 28]);
    let mut value = 0u64;
    for (&byte, shift) in zigzag {
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    let bytes = value >> 1;
    let is_known = head[0] == FIRST_FIELD_I32
        && bytes >= BLOCK_BYTES
        && bytes.is_multiple_of(BLOCK_BYTES)
        && bytes < length;
    Ok(is_known.then_some(Bits {
        offset: offset + (length - bytes),
        bytes,
    }))
}

/// Exactly these bytes of a file.
#[cfg(unix)]
pub(super) fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
}

/// Exactly these bytes of a file.
#[cfg(not(unix))]
pub(super) fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    use std::io::{Read, Seek, SeekFrom};

    let mut file = file.try_clone()?;
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(bytes)
}
