//! From a message that is being recorded to the content in its record.
//!
//! Three steps, because code of the user must not run while the lane is borrowed: ask the recording how
//! much may be captured, capture, then take in what came of it.

use super::flow::Flow;
use crate::lane::with_held;
use crate::message::{AttributeValue, Content, Message, MessageKind, capture};

/// Captures the content where the type asks for it. Nothing is done for a message that is not recorded.
#[inline]
pub(super) fn capture_content<T: Message + ?Sized>(message: &T, flow: &mut Flow) {
    let kind = message.kind();
    if kind.capture_bytes() > 0 {
        capture_into(flow, kind, &|content| message.capture(content));
    }
}

#[inline(never)]
fn capture_into(flow: &mut Flow, kind: &MessageKind, write: &dyn Fn(&mut Content<'_>)) {
    if !flow.wants_details() {
        return;
    }
    let bytes_max = with_held(|held| held.hand.runtime.content.bytes_max(kind)).unwrap_or(0);
    if bytes_max == 0 {
        return;
    }
    match capture(bytes_max, write) {
        Ok(None) => {}
        Ok(Some(captured)) => {
            let checksum = with_held(|held| {
                let checksum = held.hand.runtime.content.take_in(&captured);
                checksum.of(captured.bytes())
            });
            // Without a lane the recording has ended, and the event with it.
            if let Some(checksum) = checksum {
                flow.describe(|attributes| attributes.put_content(&captured, &checksum));
            }
        }
        Err(missing) => {
            with_held(|held| held.hand.runtime.content.count(missing));
            flow.describe(|attributes| {
                attributes.put("content_missing", AttributeValue::Text(missing.name()));
            });
        }
    }
}
