//! What a binary frame is, by its first bytes.

/// How the text of a message lies in a binary frame; see the [module](super).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// As it is, UTF-8.
    Plain,
    /// One zstd frame (RFC 8878).
    Zstd,
    /// One gzip member (RFC 1952).
    Gzip,
    /// Nothing that tells itself by its first bytes: brotli and the blocks of lz4 do not.
    Unknown,
}

impl Encoding {
    /// Looks at the first bytes. What is behind them is for a decoder that bounds what comes out.
    ///
    /// ```
    /// use reflow_trace::protocol::Encoding;
    ///
    /// assert_eq!(Encoding::of(b" \"Ping\""), Encoding::Plain);
    /// assert_eq!(Encoding::of(&[0x28, 0xb5, 0x2f, 0xfd, 0x24]), Encoding::Zstd);
    /// assert_eq!(Encoding::of(&[0x1f, 0x8b, 0x08]), Encoding::Gzip);
    /// assert_eq!(Encoding::of(&[6, 0, 0, 0]), Encoding::Unknown);
    /// ```
    pub fn of(frame: &[u8]) -> Self {
        match frame {
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [0x1f, 0x8b, 0x08, ..] => Self::Gzip,
            _ => match frame.trim_ascii_start() {
                [b'{' | b'"', ..] => Self::Plain,
                _ => Self::Unknown,
            },
        }
    }
}
