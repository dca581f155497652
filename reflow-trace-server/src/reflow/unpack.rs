//! From a binary frame to its text, within a bound on what comes out.
//!
//! The frame names no method; [`Encoding::of`] knows those that tell themselves by their first bytes. Blocks of
//! lz4 and brotli do not, so both are tried: a block first, because its length in front makes it hard to
//! take something else for one.

use std::io::Read;

use reflow_trace::protocol::Encoding;

use crate::config::LiveLimits;

/// However small a frame is, so much may come out of it.
const PLAIN_BYTES: usize = 64 << 10;
/// Windows of zstd up to 8 MiB, which is what every reader has to accept.
const WINDOW_LOG_MAX: u32 = 23;
/// What brotli reads at once.
const BROTLI_BUFFER: usize = 4 << 10;

/// Why a frame has no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnpackError {
    #[error(
        "a binary message of {bytes} bytes unpacks to more than {plain_max}: `live.message_bytes_max` and `live.ratio_max` allow no more"
    )]
    TooLarge { bytes: usize, plain_max: usize },
    #[error(
        "a binary message is neither JSON nor JSON compressed by zstd, gzip, brotli, or lz4 in a block behind its length"
    )]
    Unknown,
    #[error("a binary message begins like {0} and cannot be unpacked")]
    Broken(&'static str),
    #[error("a binary message is not UTF-8")]
    NotText,
}

/// The text of a binary frame.
pub(crate) fn unpack(frame: &[u8], limits: &LiveLimits) -> Result<String, UnpackError> {
    let plain_max = frame
        .len()
        .saturating_mul(limits.ratio_max)
        .max(PLAIN_BYTES)
        .min(limits.message_bytes_max);
    let room = Room {
        bytes: frame.len(),
        plain_max,
    };
    let plain = match Encoding::of(frame) {
        Encoding::Plain => frame.to_vec(),
        Encoding::Zstd => {
            let broken = UnpackError::Broken("zstd");
            let reader = zstd::stream::read::Decoder::with_buffer(frame).map_err(|_| broken)?;
            let mut reader = reader.single_frame();
            reader.window_log_max(WINDOW_LOG_MAX).map_err(|_| broken)?;
            room.read(reader, broken)?
        }
        Encoding::Gzip => {
            let reader = flate2::bufread::GzDecoder::new(frame);
            room.read(reader, UnpackError::Broken("gzip"))?
        }
        Encoding::Unknown => match room.block(frame) {
            Some(plain) => plain,
            None => {
                let reader = brotli_decompressor::Decompressor::new(frame, BROTLI_BUFFER);
                room.read(reader, UnpackError::Unknown)?
            }
        },
    };
    String::from_utf8(plain).map_err(|_| UnpackError::NotText)
}

struct Room {
    bytes: usize,
    plain_max: usize,
}

impl Room {
    /// Reads to the end, or to the bound.
    fn read(&self, reader: impl Read, broken: UnpackError) -> Result<Vec<u8>, UnpackError> {
        let mut plain = Vec::new();
        // One more tells what is too large from what just fits.
        let mut reader = reader.take(self.plain_max as u64 + 1);
        reader.read_to_end(&mut plain).map_err(|_| broken)?;
        if plain.len() > self.plain_max {
            return Err(UnpackError::TooLarge {
                bytes: self.bytes,
                plain_max: self.plain_max,
            });
        }
        Ok(plain)
    }

    /// A block of lz4 behind its length in four bytes, the least first.
    fn block(&self, frame: &[u8]) -> Option<Vec<u8>> {
        let (length, block) = frame.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        if length > self.plain_max {
            return None;
        }
        let plain = lz4_flex::block::decompress(block, length).ok()?;
        (plain.len() == length && Encoding::of(&plain) == Encoding::Plain).then_some(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> LiveLimits {
        LiveLimits::default()
    }

    const TEXT: &str = r#"{"GetTrace":{"trace_id":"00000000-0000-0000-0000-000000000000"}}"#;

    /// The text as each method makes it; those that are only unpacked here by the crates of Reflow's server.
    fn packed() -> [(&'static str, Vec<u8>); 5] {
        const GZIP: &str = "1f8b08000000000000ff6dc6b10900200c00c15dbe17ac5dc005ec453485ada40bd9\
            5d04edbce279238b96d5ba900c3d53e72011aff0c983fb06483b9cf240000000";
        const BROTLI: &str = "1b3f0000046472e4f7b6389040f2a420cf5ae09003b70b1c306c4b28d818c32f8e66\
            75786fbc0b76ac9b5318da9301f20f";
        const LZ4: &str = "40000000f0007b224765745472616365223a7b22740900735f6964223a2230010010\
            2d08000b0500b03030303030303030227d7d";
        let bytes = |hex: &str| {
            let digits = hex.as_bytes().chunks(2);
            let byte = |pair: &[u8]| {
                let text = std::str::from_utf8(pair).expect("hex");
                u8::from_str_radix(text, 16).expect("hex")
            };
            digits.map(byte).collect()
        };
        let zstd = zstd::bulk::compress(TEXT.as_bytes(), 3).expect("compressed");
        [
            ("plain", TEXT.as_bytes().to_vec()),
            ("zstd", zstd),
            ("gzip", bytes(GZIP)),
            ("brotli", bytes(BROTLI)),
            ("lz4", bytes(LZ4)),
        ]
    }

    #[test]
    fn every_method_gives_the_text_back() {
        for (method, frame) in packed() {
            assert_eq!(unpack(&frame, &limits()).as_deref(), Ok(TEXT), "{method}");
        }
    }

    #[test]
    fn a_bomb_is_refused_before_it_is_unpacked() {
        let zeros = vec![b' '; 64 << 20];
        let bomb = zstd::bulk::compress(&zeros, 3).expect("compressed");
        let error = unpack(&bomb, &limits()).expect_err("a bomb");
        assert!(matches!(error, UnpackError::TooLarge { .. }), "{error}");
        // A length that lies is no block, and what it is then is not known.
        let mut lie = u32::MAX.to_le_bytes().to_vec();
        lie.extend([0; 20]);
        assert!(unpack(&lie, &limits()).is_err());
    }

    #[test]
    fn rubbish_is_an_error_whatever_it_begins_like() {
        let mut random = fastrand::Rng::with_seed(7);
        let beginnings: [&[u8]; 5] = [
            b"",
            &[0x28, 0xb5, 0x2f, 0xfd],
            &[0x1f, 0x8b, 0x08],
            b"{\xff",
            &[9, 0, 0, 0],
        ];
        for round in 0..2_000 {
            let mut frame = beginnings[round % beginnings.len()].to_vec();
            frame.extend((0..random.usize(..64)).map(|_| random.u8(..)));
            if let Ok(text) = unpack(&frame, &limits()) {
                assert!(text.len() <= PLAIN_BYTES);
            }
        }
        assert_eq!(unpack(b"", &limits()), Err(UnpackError::Unknown));
        assert_eq!(unpack(b"{\xff}", &limits()), Err(UnpackError::NotText));
    }
}
