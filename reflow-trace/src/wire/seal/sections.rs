//! What follows a record, divided into what has columns and what has none.

use uuid::Uuid;

use super::dictionary::BatchDictionary;
use super::message_id::{ColumnId, ID_BYTES_MAX, MessageIds};
use crate::event::{EventId, EventOrigin, ProducerId, TraceId};
use crate::record::sections::{Place, Section, Tag, ValueKind, find};
use crate::record::{Record, flag};
use crate::wire::format::id_form;
use crate::wire::sections::put_section;

/// The name of the attribute that has a column.
pub(in crate::wire) const MESSAGE_ID: &str = "message_id";

/// What was found that goes into columns.
#[derive(Default)]
pub(super) struct Found {
    pub(super) home_ring: Option<u32>,
    pub(super) message_id: Option<ColumnId>,
    /// Producer and permuted root of a trace from elsewhere.
    pub(super) trace: Option<(ProducerId, u128)>,
    pub(super) parent: Option<EventOrigin>,
    /// When an event built by hand began.
    pub(super) start_ns: Option<i64>,
}

/// Appends to `packed` what has no column, and gives what has; `None` when the record cannot be read back.
pub(super) fn divide(
    words: &[u64],
    record: &Record,
    ids: &mut MessageIds,
    dictionary: &mut BatchDictionary,
    bytes: &mut Vec<u8>,
    packed: &mut Vec<u8>,
) -> Option<Found> {
    let is_by_hand = record.flags & flag::BY_HAND != 0;
    let mut found = Found::default();
    // What stands later takes precedence, and what stays here is read after the columns: so of several
    // with the same meaning only the first may leave, or one behind others that have left.
    let mut stays = [false; 3];
    for place in find(words) {
        bytes.clear();
        for word in place.words {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        bytes.truncate(place.length);
        let section = Section::borrowed(place.tag, place.key_length, bytes)?;
        if !section.is_whole() {
            return None;
        }
        let has_column = match place.tag {
            Tag::HomeRing => {
                found.home_ring = section.number().map(u32::from_le_bytes);
                true
            }
            Tag::Attribute if is_message_id(&section, &place) => {
                let id = if stays[0] || found.message_id.is_some() {
                    None
                } else {
                    column_id(section.payload(), ids, dictionary)
                };
                found.message_id = found.message_id.or(id);
                stays[0] |= id.is_none();
                id.is_some()
            }
            Tag::TraceId if !is_by_hand && !stays[1] => {
                let root = TraceId(Uuid::from_bytes(section.number()?)).root();
                let root = root.filter(|&(_, root)| has_randomness(record, root));
                found.trace = root.or(found.trace);
                stays[1] = root.is_none();
                root.is_some()
            }
            Tag::Parent if !is_by_hand && !stays[2] => {
                let origin = EventId(Uuid::from_bytes(section.number()?)).origin();
                found.parent = origin.or(found.parent);
                stays[2] = origin.is_none();
                origin.is_some()
            }
            Tag::Timestamp => {
                found.start_ns = section.timestamp().map(|time| {
                    let bound = if time.timestamp() < 0 {
                        i64::MIN
                    } else {
                        i64::MAX
                    };
                    time.timestamp_nanos_opt().unwrap_or(bound)
                });
                false
            }
            _ => false,
        };
        if !has_column {
            put_section(packed, place.tag, place.key_length, bytes);
        }
    }
    Some(found)
}

/// R of the record is the low end of the trace id, so that it need not be kept beside.
fn has_randomness(record: &Record, root: u128) -> bool {
    record.flags & flag::IN_TRACE == 0 || root as u64 & ((1 << 56) - 1) == record.randomness
}

fn is_message_id(section: &Section<'_>, place: &Place<'_>) -> bool {
    place.key_length == MESSAGE_ID.len() && section.key() == MESSAGE_ID.as_bytes()
}

fn column_id(
    value: &[u8],
    ids: &mut MessageIds,
    dictionary: &mut BatchDictionary,
) -> Option<ColumnId> {
    let (&kind, value) = value.split_first()?;
    if kind == ValueKind::Text as u8 && value.len() <= ID_BYTES_MAX {
        ids.of_text(value, dictionary)
    } else if kind == ValueKind::Unsigned as u8 {
        let number = u64::from_le_bytes(*value.first_chunk()?);
        Some(ColumnId::Number(id_form::NUMBER, number))
    } else {
        None
    }
}
