//! What a client is told when something is not accepted.

use std::time::Duration;

use reflow_trace::wire::frame::{Message, Refusal, RefusalCode};
use reflow_trace::wire::{FrameError, FrameHeader, FrameLimits, WireError};

/// The word of a code, for metrics and logs.
pub fn code_word(code: RefusalCode) -> &'static str {
    match code {
        RefusalCode::Malformed => "malformed",
        RefusalCode::TooLarge => "too_large",
        RefusalCode::Unsupported => "unsupported",
        RefusalCode::OutOfOrder => "out_of_order",
        RefusalCode::OverCredit => "over_credit",
        RefusalCode::StoreFull => "store_full",
        RefusalCode::Busy => "busy",
        RefusalCode::ShuttingDown => "shutting_down",
        RefusalCode::Internal => "internal",
        _ => "other",
    }
}

/// The refusal of a batch that is itself at fault.
pub(super) fn for_good(batch: (u64, u64), error: &WireError) -> Refusal {
    Refusal {
        batch: Some(batch),
        code: code_of_batch(error),
        text: error.to_string(),
        retryable: false,
        retry_after_ms: None,
    }
}

/// A refusal after which the connection ends, and the client may try again.
pub(super) fn for_now(
    batch: Option<(u64, u64)>,
    code: RefusalCode,
    text: String,
    after: Duration,
) -> Refusal {
    Refusal {
        batch,
        code,
        text,
        retryable: true,
        retry_after_ms: Some(u32::try_from(after.as_millis()).unwrap_or(u32::MAX)),
    }
}

/// A refusal of the connection, which will fare no better next time.
pub(super) fn of_connection(code: RefusalCode, text: String) -> Refusal {
    Refusal {
        batch: None,
        code,
        text,
        retryable: false,
        retry_after_ms: None,
    }
}

/// How many events are lost with a batch that is refused: what its header says, as far as they can be in it.
///
/// Whoever forges a header could else make a few bytes look like a great loss. Each event has a byte at least
/// in what the payload unpacks to, and no payload unpacks to more than the limits let it.
pub(super) fn events_lost(header: &FrameHeader, limits: &FrameLimits) -> u64 {
    /// Up to here the limits do not ask how dense a payload is.
    const SMALL_BYTES: u64 = 64 << 10;
    let mut bytes = u64::from(header.payload_len);
    if header.is_compressed {
        bytes = bytes
            .saturating_mul(limits.ratio_max.into())
            .clamp(SMALL_BYTES, SMALL_BYTES.max(limits.plain_bytes_max.into()));
    }
    u64::from(header.events)
        .min(header.plain_len.into())
        .min(bytes)
}

/// A message that is no frame: what its bytes say cannot be believed, so the connection ends.
pub(super) fn of_frame(error: &FrameError) -> Refusal {
    let (code, retryable) = match error {
        // Bytes that have changed on the way: the next time they may not.
        FrameError::TooShort { .. }
        | FrameError::NoMagic
        | FrameError::Length { .. }
        | FrameError::Checksum => (RefusalCode::Malformed, true),
        FrameError::UnknownVersion { .. }
        | FrameError::UnknownKind { .. }
        | FrameError::UnknownFlags { .. } => (RefusalCode::Unsupported, false),
        error if is_limit(error) => (RefusalCode::TooLarge, false),
        _ => (RefusalCode::Malformed, false),
    };
    Refusal {
        batch: None,
        code,
        text: error.to_string(),
        retryable,
        retry_after_ms: None,
    }
}

pub(super) fn encoded(refusal: Refusal) -> bytes::Bytes {
    Message::Refusal(refusal).encode().into_bytes()
}

fn code_of_batch(error: &WireError) -> RefusalCode {
    match error {
        WireError::TooLarge { .. } => RefusalCode::TooLarge,
        WireError::UnknownVersion { .. } => RefusalCode::Unsupported,
        WireError::Frame(error) if is_limit(error) => RefusalCode::TooLarge,
        _ => RefusalCode::Malformed,
    }
}

fn is_limit(error: &FrameError) -> bool {
    matches!(
        error,
        FrameError::PayloadTooLong { .. }
            | FrameError::PlainTooLong { .. }
            | FrameError::TooDense { .. }
    )
}
