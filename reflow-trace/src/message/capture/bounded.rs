//! JSON into a buffer that has an end.

use std::cell::Cell;
use std::io;

use serde::Serialize;
use serde_json::ser::Formatter;

/// As deep as serde_json reads. A message that is a long chain would otherwise end the stack.
const DEPTH_MAX: usize = 128;
/// Buffers above this are not kept for the next message.
const KEPT_BYTES_MAX: usize = 16 * 1024;

thread_local! {
    /// The buffer of the last message, used again. Taken out while in use.
    static KEPT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Takes what fits and refuses the rest.
#[derive(Debug)]
pub(super) struct Bounded {
    bytes: Vec<u8>,
    bytes_max: usize,
    is_cut: bool,
}

impl Bounded {
    pub(super) fn new(bytes_max: usize) -> Self {
        let mut bytes = KEPT.try_with(Cell::take).unwrap_or_default();
        bytes.clear();
        Self {
            bytes,
            bytes_max,
            is_cut: false,
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether something did not fit, or was too deep.
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Writes until all is written, the buffer is full, or `value` itself gives up.
    pub(super) fn write_json<T: Serialize + ?Sized>(
        &mut self,
        value: &T,
    ) -> Result<(), serde_json::Error> {
        let too_deep = Cell::new(false);
        let depth = Depth {
            levels: 0,
            too_deep: &too_deep,
        };
        let mut serializer = serde_json::Serializer::with_formatter(&mut *self, depth);
        let written = value.serialize(&mut serializer);
        self.is_cut |= too_deep.get();
        written
    }

    /// Takes half a character away from the end.
    pub(super) fn end_at_a_character(&mut self) {
        if let Err(error) = std::str::from_utf8(&self.bytes) {
            self.bytes.truncate(error.valid_up_to());
        }
    }
}

impl Drop for Bounded {
    fn drop(&mut self) {
        if self.bytes.capacity() <= KEPT_BYTES_MAX {
            let bytes = std::mem::take(&mut self.bytes);
            // A thread that is exiting keeps nothing.
            let _kept = KEPT.try_with(|kept| kept.set(bytes));
        }
    }
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.bytes_max.saturating_sub(self.bytes.len());
        if self.is_cut || bytes.len() > room {
            // What comes after a gap would not be a beginning any more.
            if !self.is_cut {
                self.bytes.extend_from_slice(&bytes[..room]);
            }
            self.is_cut = true;
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Compact JSON down to a certain depth.
struct Depth<'a> {
    levels: usize,
    too_deep: &'a Cell<bool>,
}

impl Depth<'_> {
    fn descend(&mut self) -> io::Result<()> {
        if self.levels == DEPTH_MAX || self.too_deep.get() {
            self.too_deep.set(true);
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.levels += 1;
        Ok(())
    }
}

impl Formatter for Depth<'_> {
    fn begin_array<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.descend()?;
        writer.write_all(b"[")
    }

    fn end_array<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.levels = self.levels.saturating_sub(1);
        writer.write_all(b"]")
    }

    fn begin_object<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.descend()?;
        writer.write_all(b"{")
    }

    fn end_object<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.levels = self.levels.saturating_sub(1);
        writer.write_all(b"}")
    }
}
