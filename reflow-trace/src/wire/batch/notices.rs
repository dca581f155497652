//! Notices, read.

use chrono::DateTime;
use uuid::Uuid;

use super::dictionary::{Names, bits};
use super::fields::{groups, too_large};
use crate::event::{EventId, PRODUCER_BITS, ProducerId, RING_BITS};
use crate::ledger::{CounterSnapshot, Coverage, EdgeCounters, Loss, LossReason, RingCoverage};
use crate::sampling::Threshold;
use crate::wire::format::{COUNTERS_NAMES_NUMBERS, COUNTERS_NUMBERS, notice_field};
use crate::wire::notice::Notice;
use crate::wire::protobuf::{Value, take_field, unzigzag};
use crate::wire::{BatchLimits, WireError};

const FIELDS: usize = 16;

/// Reads a notice; `None` when a later version says something in it that this one does not know. `lines`:
/// how many lines of counters there were in the notices before it.
pub(super) fn read(
    message: &[u8],
    names: &Names,
    lines: &mut u64,
    limits: &BatchLimits,
) -> Result<Option<Notice>, WireError> {
    let fields = Fields::find(message)?;
    let event_id = match fields.bytes(notice_field::EVENT_ID)?.try_into() {
        Ok(bytes) => EventId(Uuid::from_bytes(bytes)),
        Err(_) => return Err(wrong(0, "an event id of 16 bytes")),
    };
    let seconds = unzigzag(fields.number(notice_field::SECONDS)?);
    let nanoseconds = fields.number(notice_field::NANOSECONDS)?;
    let timestamp = u32::try_from(nanoseconds)
        .ok()
        .and_then(|nanoseconds| DateTime::from_timestamp(seconds as i64, nanoseconds))
        .ok_or(wrong(seconds, "a time that there is"))?;
    let notice = Notice {
        event_id,
        timestamp,
        loss: read_loss(&fields)?,
        counters: read_counters(&fields, names, lines, limits)?,
        coverage: read_coverage(&fields, lines, limits)?,
    };
    match (&notice.loss, &notice.counters) {
        (None, None) => Ok(None),
        // No event can say both.
        (Some(loss), Some(_)) => Err(wrong(loss.count, "either a loss or counters")),
        _ => Ok(Some(notice)),
    }
}

fn wrong(value: u64, reason: &'static str) -> WireError {
    WireError::Value {
        column: "notice",
        value,
        reason,
    }
}

struct Fields<'a>([Option<Value<'a>>; FIELDS]);

impl<'a> Fields<'a> {
    fn find(message: &'a [u8]) -> Result<Self, WireError> {
        let mut fields = Self([None; FIELDS]);
        let mut rest = message;
        while !rest.is_empty() {
            let at = message.len() - rest.len();
            let (number, value) =
                take_field(&mut rest).map_err(|reason| WireError::Protobuf { at, reason })?;
            let place = usize::try_from(number).ok();
            if let Some(known) = place.and_then(|place| fields.0.get_mut(place)) {
                *known = Some(value);
            }
        }
        Ok(fields)
    }

    fn has(&self, field: u32) -> bool {
        self.0[field as usize].is_some()
    }

    fn number(&self, field: u32) -> Result<u64, WireError> {
        match self.0[field as usize] {
            None => Ok(0),
            Some(Value::Number(value)) => Ok(value),
            Some(_) => Err(WireError::Type { field: "notice" }),
        }
    }

    fn bytes(&self, field: u32) -> Result<&'a [u8], WireError> {
        match self.0[field as usize] {
            None => Ok(&[]),
            Some(Value::Bytes(bytes)) => Ok(bytes),
            Some(_) => Err(WireError::Type { field: "notice" }),
        }
    }

    fn producer(&self, field: u32) -> Result<ProducerId, WireError> {
        let value = bits("notice", self.number(field)?, PRODUCER_BITS, "52 bits")?;
        Ok(ProducerId::from_bits(value))
    }
}

fn read_loss(fields: &Fields<'_>) -> Result<Option<Loss>, WireError> {
    if !fields.has(notice_field::LOSS_REASON) {
        return Ok(None);
    }
    let name = fields.bytes(notice_field::LOSS_REASON)?;
    let count = fields.number(notice_field::LOSS_COUNT)?;
    let reason = LossReason::ALL
        .into_iter()
        .find(|reason| reason.name().as_bytes() == name)
        .unwrap_or(LossReason::Other);
    Ok(Some(Loss { reason, count }))
}

fn read_counters(
    fields: &Fields<'_>,
    names: &Names,
    lines: &mut u64,
    limits: &BatchLimits,
) -> Result<Option<CounterSnapshot>, WireError> {
    if !fields.has(notice_field::COUNTERS_PRODUCER) {
        return Ok(None);
    }
    let mut edges = Vec::new();
    let bytes = fields.bytes(notice_field::COUNTERS_NAMES)?;
    groups(
        "counters_names",
        bytes,
        limits.counters_max,
        |group: [u64; COUNTERS_NAMES_NUMBERS]| {
            *lines += 1;
            too_large("lines of counters", *lines, limits.counters_max)?;
            let name = |place: usize| -> Result<String, WireError> {
                let place = names.place("counters_names", group[place])?;
                Ok(names.get(place).to_owned())
            };
            edges.push(EdgeCounters {
                from_actor: name(0)?,
                from_port: name(1)?,
                to_actor: name(2)?,
                to_port: name(3)?,
                message_type: name(4)?,
                ..EdgeCounters::default()
            });
            Ok(())
        },
    )?;
    let expected = edges.len() as u64;
    let mut left = edges.iter_mut();
    groups(
        "counters",
        fields.bytes(notice_field::COUNTERS)?,
        limits.counters_max,
        |[messages, bytes, failures, not_sampled, received, dropped]: [u64; COUNTERS_NUMBERS]| {
            let line = left.next().ok_or(WireError::ColumnLength {
                column: "counters",
                values: expected + 1,
                expected,
            })?;
            line.messages = messages;
            line.bytes = bytes;
            line.failures = failures;
            line.not_sampled = not_sampled;
            line.received = received;
            line.dropped = dropped;
            Ok(())
        },
    )?;
    let missing = left.len() as u64;
    if missing > 0 {
        return Err(WireError::ColumnLength {
            column: "counters",
            values: expected - missing,
            expected,
        });
    }
    Ok(Some(CounterSnapshot {
        producer: fields.producer(notice_field::COUNTERS_PRODUCER)?,
        edges,
    }))
}

fn read_coverage(
    fields: &Fields<'_>,
    lines: &mut u64,
    limits: &BatchLimits,
) -> Result<Option<Coverage>, WireError> {
    if !fields.has(notice_field::COVERAGE_PRODUCER) {
        return Ok(None);
    }
    let threshold = fields.number(notice_field::COVERAGE_THRESHOLD)?;
    if threshold > Threshold::NEVER.bits() {
        return Err(wrong(threshold, "a threshold of at most 2^56"));
    }
    let mut rings = Vec::new();
    groups(
        "coverage_rings",
        fields.bytes(notice_field::COVERAGE_RINGS)?,
        limits.counters_max,
        |[ring, numbered]| {
            *lines += 1;
            too_large("lines of counters", *lines, limits.counters_max)?;
            rings.push(RingCoverage {
                ring: bits("coverage_rings", ring, RING_BITS, "22 bits")? as u32,
                numbered,
            });
            Ok(())
        },
    )?;
    Ok(Some(Coverage {
        producer: fields.producer(notice_field::COVERAGE_PRODUCER)?,
        threshold: Threshold::from_bits(threshold),
        rings,
        lost_without_number: fields.number(notice_field::LOST_WITHOUT_NUMBER)?,
        by_hand: fields.number(notice_field::BY_HAND)?,
        by_hand_waiting: fields.number(notice_field::BY_HAND_WAITING)?,
        clock_wander_ns: fields.number(notice_field::CLOCK_WANDER_NS)?,
    }))
}
