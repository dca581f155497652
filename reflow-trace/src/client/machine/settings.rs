//! The numbers that a client keeps to.

use std::time::Duration;

use crate::wire::frame::FrameLimits;

/// The numbers that a client keeps to. What each is for is said where users set it, at
/// [`ServerOptions`](crate::ServerOptions).
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Most bytes of frames in the memory window.
    pub window_bytes_max: usize,
    /// The spool, where there is one.
    pub spool: Option<SpoolSettings>,
    /// How long a batch waits in memory for its acknowledgement before it is written to the spool.
    pub spool_after: Duration,
    /// Longest time from the begin of a connection until the server has said Welcome.
    pub connect_timeout: Duration,
    /// The bound below which the first delay before a reconnection is drawn; it doubles with each failure.
    pub reconnect_first: Duration,
    /// What it doubles up to.
    pub reconnect_max: Duration,
    /// Silence after which the server is asked whether it is still there.
    pub ping_after: Duration,
    /// How long it may then remain silent.
    pub answer_within: Duration,
    /// How long it may accept nothing although something waits to be accepted.
    pub stall_after: Duration,
    /// What a frame may be, on the socket and in the spool.
    pub frames: FrameLimits,
}

/// The numbers of a spool.
#[derive(Clone, Debug, PartialEq)]
pub struct SpoolSettings {
    /// Most bytes of frames on the disk, those of dead processes included.
    pub bytes_max: u64,
    /// Bytes after which a file is continued by another.
    pub file_bytes_max: u64,
    /// Most files.
    pub files_max: usize,
    /// How many bytes are read at once; larger than any frame.
    pub read_bytes_max: usize,
    /// How often the directory is searched for what dead processes have left.
    pub scan_every: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            window_bytes_max: 16 << 20,
            spool: None,
            spool_after: Duration::from_secs(2),
            connect_timeout: Duration::from_secs(10),
            reconnect_first: Duration::from_millis(100),
            reconnect_max: Duration::from_secs(30),
            ping_after: Duration::from_secs(10),
            answer_within: Duration::from_secs(10),
            stall_after: Duration::from_secs(60),
            frames: FrameLimits::default(),
        }
    }
}

impl Default for SpoolSettings {
    fn default() -> Self {
        Self {
            bytes_max: 1 << 30,
            file_bytes_max: 4 << 20,
            files_max: 4_096,
            read_bytes_max: 1 << 20,
            scan_every: Duration::from_secs(60),
        }
    }
}
