//! Our own member of `tracestate`: the event in full, which has no room in `traceparent`.

use std::fmt::Write as _;

use super::{hex, hex_128};
use crate::event::{EventId, EventOrigin};
use crate::sampling::Threshold;

/// Key of the member that this crate writes.
pub const VENDOR_KEY: &str = "reflow-trace";

/// What it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) event: Option<EventOrigin>,
    pub(super) hops: u8,
    /// There were more before.
    pub(super) are_least_hops: bool,
    pub(super) threshold: Option<Threshold>,
    pub(super) is_by_id: bool,
}

impl Entry {
    /// `None` when it is malformed.
    pub(super) fn parse(value: &str) -> Option<Self> {
        let mut entry = Self {
            event: None,
            hops: 0,
            are_least_hops: true,
            threshold: None,
            is_by_id: false,
        };
        for pair in value.split(';') {
            let (key, value) = pair.split_once(':')?;
            match key {
                "e" => {
                    let event = EventId(uuid::Uuid::from_u128(hex_128(value)?));
                    entry.event = Some(event.origin().filter(|origin| origin.sequence != 0)?);
                }
                "h" => {
                    let digits = value.strip_suffix('+');
                    entry.are_least_hops = digits.is_some();
                    entry.hops = decimal(digits.unwrap_or(value))?;
                }
                "t" if value == "never" => entry.threshold = Some(Threshold::NEVER),
                "t" => {
                    hex(value)?;
                    entry.threshold = Some(value.parse().ok()?);
                }
                "i" => entry.is_by_id = value == "1",
                // Of a version to come.
                _ => {}
            }
        }
        Some(entry)
    }

    pub(super) fn write(&self) -> String {
        let more = if self.are_least_hops { "+" } else { "" };
        let mut text = format!("h:{}{more}", self.hops);
        // Writing to a `String` cannot fail.
        let _infallible = self.event.map(|origin| {
            let event = EventId::from_origin(origin);
            write!(text, ";e:{}", event.0.simple())
        });
        let _infallible = self
            .threshold
            .map(|threshold| write!(text, ";t:{threshold}"));
        if self.is_by_id {
            text.push_str(";i:1");
        }
        text
    }
}

fn decimal(text: &str) -> Option<u8> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then_some(())?;
    text.parse().ok()
}
