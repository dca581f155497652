//! zstd around payloads.

use std::cell::RefCell;

use bytes::Bytes;
use zstd::zstd_safe;

use super::FrameError;

/// How hard zstd tries: 1 (fast, the default) to 19.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Level(i32);

/// A number that is no level of compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no level of compression: take 1 (fast) to 19")]
pub struct InvalidLevel(i32);

impl Level {
    /// The fastest.
    pub const FAST: Self = Self(1);

    /// A level from 1 to 19.
    ///
    /// # Errors
    ///
    /// For every other number.
    pub const fn new(level: i32) -> Result<Self, InvalidLevel> {
        if level >= 1 && level <= 19 {
            Ok(Self(level))
        } else {
            Err(InvalidLevel(level))
        }
    }

    /// The number.
    pub const fn get(self) -> i32 {
        self.0
    }
}

impl Default for Level {
    fn default() -> Self {
        Self::FAST
    }
}

/// A compressor with its memory, which is worth keeping from one batch to the next.
pub(crate) struct Compressor(zstd_safe::CCtx<'static>);

impl Default for Compressor {
    fn default() -> Self {
        Self(zstd_safe::CCtx::create())
    }
}

impl Compressor {
    /// One zstd frame of `plain`, which replaces what `packed` holds; `false` when zstd has no memory.
    pub(crate) fn compress(&mut self, plain: &[u8], level: Level, packed: &mut Vec<u8>) -> bool {
        packed.clear();
        packed.reserve(zstd_safe::compress_bound(plain.len()));
        self.0.compress(packed, plain, level.0).is_ok()
    }
}

thread_local! {
    /// 100 KB of memory that take longer to prepare than a small batch to unpack.
    static CONTEXT: RefCell<zstd_safe::DCtx<'static>> = RefCell::new(zstd_safe::DCtx::create());
}

/// How a zstd frame begins: RFC 8878, section 3.1.1.
const MAGIC: [u8; 4] = 0xfd2f_b528_u32.to_le_bytes();

/// The `plain_len` bytes that `payload` is the one zstd frame of. The caller has compared the lengths with
/// its limits; no more than `plain_len` bytes are taken, whatever the payload says.
pub(super) fn decompress(payload: &[u8], plain_len: usize) -> Result<Bytes, FrameError> {
    let broken = |reason: &str| FrameError::Zstd {
        plain: plain_len as u32,
        reason: reason.to_owned(),
    };
    let said = |code| broken(zstd_safe::get_error_name(code));
    // zstd itself would go on with a second frame, and skip what it calls skippable.
    if !payload.starts_with(&MAGIC) {
        return Err(broken("it begins otherwise"));
    }
    let length = zstd_safe::find_frame_compressed_size(payload).map_err(said)?;
    if length != payload.len() {
        return Err(broken("something follows it"));
    }
    let mut plain = Vec::with_capacity(plain_len);
    // Writes no further than the capacity, which may be larger than what was asked for.
    CONTEXT
        .with_borrow_mut(|context| context.decompress(&mut plain, payload))
        .map_err(said)?;
    if plain.len() != plain_len {
        return Err(broken("it holds another number of bytes"));
    }
    Ok(plain.into())
}
