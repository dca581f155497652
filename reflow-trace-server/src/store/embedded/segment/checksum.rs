//! The checksum that a file in the form of a segment carries.
//!
//! Nothing in Parquet tells a bit that has flipped in a page from one that was meant. The catalogue of a store has
//! the checksum of each of its segments, but a file may be copied out of the store, or never have been in one. So it
//! has its own: its key-value metadata have `reflow_trace.crc32c` = `bytes:crc`, the CRC-32C, in hexadecimal
//! digits, of that many bytes from the beginning: all row groups and, in a segment, the index of ids. Behind them
//! stand the page index and the footer. Files of earlier versions have no checksum, and nobody can tell whether
//! they are damaged.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use parquet::file::metadata::KeyValue;

/// The key of the checksum in the metadata of the file.
pub(super) const CHECKSUM_KEY: &str = "reflow_trace.crc32c";

/// What is written, counted and summed up on the way.
pub(super) struct Summed<W> {
    pub(super) to: W,
    pub(super) bytes: u64,
    pub(super) crc32c: u32,
}

impl<W> Summed<W> {
    /// Begins; nothing was written to it before.
    pub(super) fn new(to: W) -> Self {
        Self {
            to,
            bytes: 0,
            crc32c: 0,
        }
    }

    /// The checksum of what was written so far, as the metadata of the file have it.
    pub(super) fn checksum(&self) -> KeyValue {
        let Self { bytes, crc32c, .. } = self;
        KeyValue::new(CHECKSUM_KEY.to_owned(), format!("{bytes}:{crc32c:08x}"))
    }
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        let (taken, _rest) = bytes.split_at(written.min(bytes.len()));
        self.bytes += taken.len() as u64;
        self.crc32c = crc32c::crc32c_append(self.crc32c, taken);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Whether the beginning of the file has this checksum.
pub(super) fn is_right(checksum: &str, path: &Path) -> io::Result<bool> {
    let said = checksum.split_once(':').and_then(|(bytes, crc32c)| {
        Some((bytes.parse().ok()?, u32::from_str_radix(crc32c, 16).ok()?))
    });
    let Some((bytes, expected)) = said else {
        return Ok(false);
    };
    let mut file = File::open(path)?.take(bytes);
    let mut buffer = vec![0; 1 << 18];
    let mut crc32c = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(file.limit() == 0 && crc32c == expected),
            read => crc32c = crc32c::crc32c_append(crc32c, &buffer[..read]),
        }
    }
}
