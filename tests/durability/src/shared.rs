//! What a client program says of itself into a file, so that it is known when it is dead.
//!
//! The kernel keeps what was written, whoever is killed. Before each send the program writes the number of the
//! message: so of each kind of message it has begun as many as the file says, the last of which may not have
//! been seen by the tracing.
//!
//! A message has a number that tells where it is from:
//!
//! | bits, high to low | field |
//! | --- | --- |
//! | 20 | the run of the program |
//! | 4 | the thread |
//! | 40 | the how-manieth of its thread, from 1 |

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Threads that send at one time.
pub const THREADS: usize = 2;

const COUNT_BITS: u32 = 40;
const THREAD_BITS: u32 = 4;
const RECORD_BYTES: u64 = 16;

/// How many messages a thread has begun to send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Begun {
    /// Messages that are always recorded.
    pub orders: u64,
    /// Messages of which a part is recorded.
    pub ticks: u64,
}

/// The file.
#[derive(Debug)]
pub struct Attempts(File);

impl Attempts {
    /// Opens it; it is made where it is not there.
    ///
    /// # Errors
    ///
    /// When the system does not let us.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        options.open(path).map(Self)
    }

    /// Says what a thread is about to send.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn begin(&self, thread: usize, begun: Begun) -> io::Result<()> {
        let mut record = [0; RECORD_BYTES as usize];
        record[..8].copy_from_slice(&begun.orders.to_le_bytes());
        record[8..].copy_from_slice(&begun.ticks.to_le_bytes());
        self.0.write_all_at(&record, thread as u64 * RECORD_BYTES)
    }

    /// What was said of every thread.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn read(&self) -> io::Result<[Begun; THREADS]> {
        let mut begun = [Begun::default(); THREADS];
        for (thread, begun) in begun.iter_mut().enumerate() {
            let mut record = [0; RECORD_BYTES as usize];
            match self
                .0
                .read_exact_at(&mut record, thread as u64 * RECORD_BYTES)
            {
                Ok(()) => {}
                // It has not begun.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
                Err(error) => return Err(error),
            }
            let number = |bytes: &[u8]| {
                bytes
                    .iter()
                    .rev()
                    .fold(0, |sum, &byte| sum << 8 | u64::from(byte))
            };
            *begun = Begun {
                orders: number(&record[..8]),
                ticks: number(&record[8..]),
            };
        }
        Ok(begun)
    }
}

/// The number of a message.
pub fn message_number(run: u64, thread: usize, count: u64) -> u64 {
    run << (COUNT_BITS + THREAD_BITS) | (thread as u64) << COUNT_BITS | count
}

/// Run, thread and place of a message.
pub fn place_of(number: u64) -> (u64, usize, u64) {
    let thread = number >> COUNT_BITS & ((1 << THREAD_BITS) - 1);
    (
        number >> (COUNT_BITS + THREAD_BITS),
        thread as usize,
        number & ((1 << COUNT_BITS) - 1),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_tells_where_its_message_is_from() {
        assert_eq!(place_of(message_number(77, 1, 123_456)), (77, 1, 123_456));
    }

    #[test]
    fn what_a_thread_has_said_last_is_read_and_silence_is_nothing() {
        let directory = tempfile::tempdir().expect("the directory of tests is writable");
        let path = directory.path().join("attempts");
        let attempts = Attempts::open(&path).expect("it is made");
        let begun = Begun {
            orders: 1 << 33,
            ticks: 5,
        };
        attempts.begin(0, Begun::default()).expect("it is written");
        attempts.begin(0, begun).expect("it is written");
        let read = Attempts::open(&path).and_then(|attempts| attempts.read());
        assert_eq!(read.expect("it is read"), [begun, Begun::default()]);
    }
}
