//! How the files of a spool are called.

use std::fmt;

/// The file that is locked while streams change hands.
pub(super) const DIRECTORY_LOCK: &str = "spool.lock";

/// The name of a file of frames: `<stream>-<number of its first batch>.frames`, both as 16 lowercase
/// hex digits, so that the order of the names is the order of the batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName {
    /// Whose batches lie in it.
    pub stream: u64,
    /// The number of the batch that was written first.
    pub first: u64,
}

/// What a name in the directory says of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Frames(FileName),
    /// Locked by the process that owns the stream.
    Lock(u64),
    /// Locked while streams change hands.
    DirectoryLock,
    /// None of ours.
    Foreign,
}

impl FileName {
    /// The name of the lock file of a stream.
    pub(super) fn lock_of(stream: u64) -> String {
        format!("{stream:016x}.lock")
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{:016x}.frames", self.stream, self.first)
    }
}

impl Kind {
    pub(super) fn of(name: &str) -> Self {
        if name == DIRECTORY_LOCK {
            return Self::DirectoryLock;
        }
        if let Some(stream) = name.strip_suffix(".lock").and_then(number) {
            return Self::Lock(stream);
        }
        let frames = name
            .strip_suffix(".frames")
            .and_then(|stem| stem.split_once('-'))
            .and_then(|(stream, first)| Some((number(stream)?, number(first)?)));
        match frames {
            Some((stream, first)) => Self::Frames(FileName { stream, first }),
            None => Self::Foreign,
        }
    }
}

/// Exactly the form that is written: what merely looks like it is somebody else's. Streams and batches
/// have no number 0.
fn number(digits: &str) -> Option<u64> {
    let is_ours = digits.len() == 16
        && digits
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_ours
        .then(|| u64::from_str_radix(digits, 16).ok())?
        .filter(|&number| number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_was_written() {
        let name = FileName {
            stream: u64::MAX,
            first: 1,
        };
        assert_eq!(name.to_string(), "ffffffffffffffff-0000000000000001.frames");
        assert_eq!(Kind::of(&name.to_string()), Kind::Frames(name));
        assert_eq!(Kind::of(&FileName::lock_of(255)), Kind::Lock(255));
        assert_eq!(Kind::of(DIRECTORY_LOCK), Kind::DirectoryLock);
    }

    #[test]
    fn what_only_looks_like_ours_is_foreign() {
        for name in [
            "",
            "frames",
            ".frames",
            "-.frames",
            "ffffffffffffffff-0000000000000001.frames~",
            "FFFFFFFFFFFFFFFF-0000000000000001.frames",
            "ffffffffffffffff-0000000000000000.frames",
            "fffffffffffffff-00000000000000001.frames",
            "ffffffffffffffff-+000000000000001.frames",
            "ffffffffffffffff.lock.old",
            "1.lock",
            "flow.jsonl",
        ] {
            assert_eq!(Kind::of(name), Kind::Foreign, "{name}");
        }
    }
}
