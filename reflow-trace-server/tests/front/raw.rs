//! Frames byte by byte, so that each of them can be wrong.

use reflow_trace::event::ProducerId;
use reflow_trace::wire::frame::{Frame, FrameKind, Level};
use reflow_trace::{TraceEvent, wire};

/// A good batch.
pub(crate) fn batch(stream: u64, number: u64, events: usize) -> Frame {
    let events: Vec<TraceEvent> = (0..events)
        .map(|index| TraceEvent::message_sent("reader", "out", "SensorData", 100 + index))
        .collect();
    wire::seal_events(
        &events,
        ProducerId::random(),
        stream,
        number,
        Some(Level::default()),
    )
    .unwrap()
}

/// The header of a frame as numbers, and its payload; the checksum is right.
pub(crate) struct Raw {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) plain_len: u32,
    pub(crate) stream: u64,
    pub(crate) number: u64,
    pub(crate) events: u32,
    pub(crate) payload: Vec<u8>,
}

impl Raw {
    /// A batch with this payload, compressed or not.
    pub(crate) fn batch(stream: u64, number: u64, plain: &[u8], is_compressed: bool) -> Self {
        let payload = if is_compressed {
            zstd::bulk::compress(plain, 3).unwrap()
        } else {
            plain.to_vec()
        };
        Self {
            kind: FrameKind::Batch as u8,
            flags: u8::from(is_compressed),
            plain_len: u32::try_from(plain.len()).unwrap(),
            stream,
            number,
            events: 1,
            payload,
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = b"RTF1".to_vec();
        bytes.extend([self.kind, self.flags, 0, 0]);
        bytes.extend(u32::try_from(self.payload.len()).unwrap().to_le_bytes());
        bytes.extend(self.plain_len.to_le_bytes());
        bytes.extend(self.stream.to_le_bytes());
        bytes.extend(self.number.to_le_bytes());
        bytes.extend(self.events.to_le_bytes());
        let crc = crc32c::crc32c_append(crc32c::crc32c(&bytes), &self.payload);
        bytes.extend(crc.to_le_bytes());
        bytes.extend(&self.payload);
        bytes
    }
}

/// A batch whose dictionary has a million names; see the field `name` in the format of batches.
pub(crate) fn million_names(stream: u64) -> Raw {
    const VERSION: [u8; 2] = [1 << 3, 1];
    let mut plain = VERSION.to_vec();
    for index in 0..1_000_000_u32 {
        // Field 5, of bytes: four of them.
        plain.extend([5 << 3 | 2, 4]);
        plain.extend(format!("{:04x}", index & 0xffff).bytes());
    }
    Raw::batch(stream, 0, &plain, true)
}
