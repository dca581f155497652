//! What the conditions of a statement say about the columns of the store, so that pages in which nothing
//! can be true are not read.
//!
//! It is necessary and not sufficient: the engine asks every condition again of the rows that come. What is
//! not understood here is left out, and reads more.

use std::fmt;

use datafusion::common::{Column as Named, ScalarValue};
use datafusion::logical_expr::{Between, BinaryExpr, Cast, Expr, Operator, expr::InList};
use reflow_trace::event::EventOrigin;
use reflow_trace::query::filter::Column;
use reflow_trace::{EventId, TraceId};
use uuid::Uuid;

use super::column::{EventColumn, View};
use super::rows::{number_of_outcome, numbers_of_kind};
use crate::store::TimeRange;
use crate::store::columns::{Place, Scalar, Values, Within};

/// Bytes of a name that the columns keep as it is.
const WHOLE_BYTES_MAX: usize = 128;
/// Digits of a number at the end of a message's id.
const DIGITS_MAX: usize = 19;

/// What is worth reading.
#[derive(Clone, Debug)]
pub(super) struct Pushed {
    /// Rows of this time.
    pub(super) range: TimeRange,
    /// That hold all of these.
    pub(super) within: Vec<Within>,
    /// And one of these, of which no row holds two; nothing further where it is empty.
    pub(super) either: Vec<Within>,
}

impl Pushed {
    pub(super) fn of(view: View, conditions: &[Expr]) -> Self {
        let mut pushed = Self {
            range: TimeRange::ALL,
            within: Vec::new(),
            either: Vec::new(),
        };
        if view == View::DataFlows {
            pushed.add(Place::kind, Values::Among(vec![Scalar::Whole(0)]));
        }
        for condition in conditions {
            pushed.narrow(view, condition);
        }
        pushed
    }

    /// Whether something of this condition is understood.
    pub(super) fn understands(view: View, condition: &Expr) -> bool {
        let mut nothing = Self {
            range: TimeRange::ALL,
            within: Vec::new(),
            either: Vec::new(),
        };
        nothing.narrow(view, condition)
    }

    fn narrow(&mut self, view: View, condition: &Expr) -> bool {
        match condition {
            Expr::BinaryExpr(BinaryExpr {
                left,
                op: Operator::And,
                right,
            }) => {
                let left = self.narrow(view, left);
                self.narrow(view, right) || left
            }
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                if let (Some(column), Some(value)) = (column_of(left), value_of(right)) {
                    return self.compare(view, column, *op, value);
                }
                let (Some(column), Some(value), Some(op)) =
                    (column_of(right), value_of(left), op.swap())
                else {
                    return false;
                };
                self.compare(view, column, op, value)
            }
            Expr::InList(InList {
                expr,
                list,
                negated: false,
            }) => {
                let values: Option<Vec<_>> = list.iter().map(value_of).collect();
                let (Some(column), Some(values)) = (column_of(expr), values) else {
                    return false;
                };
                self.among(view, column, &values)
            }
            Expr::Between(Between {
                expr,
                negated: false,
                low,
                high,
            }) => {
                let (Some(column), Some(low), Some(high)) =
                    (column_of(expr), value_of(low), value_of(high))
                else {
                    return false;
                };
                let above = self.compare(view, column, Operator::GtEq, low);
                self.compare(view, column, Operator::LtEq, high) || above
            }
            _ => false,
        }
    }

    fn compare(
        &mut self,
        view: View,
        column: EventColumn,
        op: Operator,
        value: &ScalarValue,
    ) -> bool {
        match op {
            Operator::Eq => return self.among(view, column, &[value]),
            Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq => {}
            _ => return false,
        }
        let EventColumn::Filter(column) = column else {
            return false;
        };
        if column == Column::Timestamp {
            return self.compare_time(op, value);
        }
        let (Some(place), Some(value)) = (number_place(column), number(value)) else {
            return false;
        };
        let (low, high) = match op {
            Operator::Lt | Operator::LtEq => (None, Some(value)),
            _ => (Some(value), None),
        };
        self.add(place, Values::Between { low, high });
        true
    }

    fn compare_time(&mut self, op: Operator, value: &ScalarValue) -> bool {
        let ScalarValue::TimestampNanosecond(Some(ns), _) = *value else {
            return false;
        };
        let range = &mut self.range;
        match op {
            Operator::Gt => range.start_ns = range.start_ns.max(ns.saturating_add(1)),
            Operator::GtEq => range.start_ns = range.start_ns.max(ns),
            Operator::Lt => range.end_ns = range.end_ns.min(ns),
            _ => range.end_ns = range.end_ns.min(ns.saturating_add(1)),
        }
        true
    }

    fn among(&mut self, view: View, column: EventColumn, values: &[&ScalarValue]) -> bool {
        let EventColumn::Filter(of_filter) = column else {
            return false;
        };
        if of_filter == Column::Timestamp {
            let times = values.iter().map(|value| match value {
                ScalarValue::TimestampNanosecond(ns, _) => *ns,
                _ => None,
            });
            let Some(times) = times.collect::<Option<Vec<i64>>>() else {
                return false;
            };
            let (Some(first), Some(last)) = (times.iter().min(), times.iter().max()) else {
                return false;
            };
            self.range.start_ns = self.range.start_ns.max(*first);
            self.range.end_ns = self.range.end_ns.min(last.saturating_add(1));
            return true;
        }
        if let Some(place) = number_place(of_filter) {
            let values: Option<Vec<_>> = values.iter().map(|value| number(value)).collect();
            return self.add_among(place, values);
        }
        let Some(texts) = values
            .iter()
            .map(|value| text(value))
            .collect::<Option<Vec<_>>>()
        else {
            return false;
        };
        match of_filter {
            Column::EventType => {
                let numbers = texts.iter().flat_map(|name| numbers_of_kind(name));
                let numbers = numbers.map(|number| Scalar::Whole(i128::from(number)));
                self.add_among(Place::kind, Some(numbers.collect()))
            }
            Column::Outcome => {
                let numbers = texts.iter().filter_map(|name| number_of_outcome(name));
                let numbers = numbers.map(|number| Scalar::Whole(i128::from(number)));
                self.add_among(Place::outcome, Some(numbers.collect()))
            }
            Column::MessageId => self.add_message_ids(&texts),
            Column::EventId => {
                let id = only_id(&texts).map(EventId::from_uuid);
                let places = [
                    Place::producer,
                    Place::ring,
                    Place::sequence,
                    Place::event_id,
                ];
                id.is_some_and(|id| self.add_id(id.origin(), *id.as_uuid(), places))
            }
            Column::ParentEventId => {
                let id = only_id(&texts).map(EventId::from_uuid);
                let places = [
                    Place::parent_producer,
                    Place::parent_ring,
                    Place::parent_sequence,
                    Place::parent_id,
                ];
                id.is_some_and(|id| self.add_id(id.origin(), *id.as_uuid(), places))
            }
            Column::TraceId => {
                let id = only_id(&texts).map(TraceId::from_uuid);
                let places = [
                    Place::trace_producer,
                    Place::trace_ring,
                    Place::trace_number,
                    Place::trace_id,
                ];
                id.is_some_and(|id| self.add_id(id.origin(), *id.as_uuid(), places))
            }
            _ => self.add_names(view, column, &texts),
        }
    }

    /// Names of actors, ports and types, as far as the columns have them as they are.
    fn add_names(&mut self, view: View, column: EventColumn, texts: &[&str]) -> bool {
        let place = match column {
            EventColumn::Filter(Column::MessageType) => Some(Place::message_type),
            _ if view == View::DataFlows => column.plain_name(),
            _ => None,
        };
        let are_whole = texts
            .iter()
            .all(|text| !text.is_empty() && text.len() <= WHOLE_BYTES_MAX);
        let Some(place) = place.filter(|_| are_whole) else {
            return false;
        };
        self.add_among(
            place,
            Some(texts.iter().map(|text| Scalar::text(text)).collect()),
        )
    }

    /// Ids of messages in each form that they may be kept in; a row has one of them.
    fn add_message_ids(&mut self, texts: &[&str]) -> bool {
        if !self.either.is_empty() {
            return false;
        }
        let uuids = texts.iter().filter_map(|text| Uuid::try_parse(text).ok());
        let uuids: Vec<_> = uuids
            .map(|uuid| Scalar::Bytes(uuid.as_bytes().as_slice().into()))
            .collect();
        let numbers: Vec<_> = texts
            .iter()
            .flat_map(|text| numbers_at_the_end(text))
            .map(|number| Scalar::Whole(i128::from(number)))
            .collect();
        let written: Vec<_> = texts.iter().map(|text| Scalar::text(text)).collect();
        for (place, among) in [
            (Place::message_number, numbers),
            (Place::message_uuid, uuids),
            (Place::message_text, written.clone()),
            (Place::message_other, written),
        ] {
            if !among.is_empty() {
                self.either.push(known(place, Values::Among(among)));
            }
        }
        true
    }

    fn add_id(&mut self, origin: Option<EventOrigin>, id: Uuid, places: [Place; 4]) -> bool {
        let [of_producer, of_ring, of_number, foreign] = places;
        match origin {
            Some(origin) => {
                for (place, whole) in [
                    (of_number, origin.sequence),
                    (of_ring, u64::from(origin.ring)),
                    (of_producer, origin.producer.bits()),
                ] {
                    self.add(place, Values::Among(vec![Scalar::Whole(i128::from(whole))]));
                }
            }
            None => {
                let bytes = Scalar::Bytes(id.as_bytes().as_slice().into());
                self.add(foreign, Values::Among(vec![bytes]));
            }
        }
        true
    }

    fn add_among(&mut self, place: Place, among: Option<Vec<Scalar>>) -> bool {
        let is_known = among.is_some();
        if let Some(among) = among {
            self.add(place, Values::Among(among));
        }
        is_known
    }

    fn add(&mut self, place: Place, values: Values) {
        let mut within = known(place, values);
        // A message of unknown size has the size 0.
        within.or_null = place == Place::size_bytes;
        self.within.push(within);
    }

    /// Everything that has to be read to see whether a row is worth showing.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> {
        let time = (self.range != TimeRange::ALL).then_some(Place::time_ns);
        let within = self.within.iter().chain(&self.either);
        within.map(|within| within.place).chain(time)
    }
}

fn known(place: Place, values: Values) -> Within {
    Within {
        place,
        values,
        or_null: false,
    }
}

fn column_of(expr: &Expr) -> Option<EventColumn> {
    match expr {
        Expr::Column(Named { name, .. }) => EventColumn::by_name(name),
        // To the same time with another name of the zone.
        Expr::Cast(Cast { expr, field, .. })
            if matches!(
                field.data_type(),
                datafusion::arrow::datatypes::DataType::Timestamp(
                    datafusion::arrow::datatypes::TimeUnit::Nanosecond,
                    Some(_)
                )
            ) =>
        {
            let column = column_of(expr)?;
            (column == EventColumn::Filter(Column::Timestamp)).then_some(column)
        }
        _ => None,
    }
}

fn value_of(expr: &Expr) -> Option<&ScalarValue> {
    match expr {
        Expr::Literal(value, _) => Some(value),
        _ => None,
    }
}

fn text(value: &ScalarValue) -> Option<&str> {
    match value {
        ScalarValue::Utf8(Some(text))
        | ScalarValue::Utf8View(Some(text))
        | ScalarValue::LargeUtf8(Some(text)) => Some(text),
        _ => None,
    }
}

fn number(value: &ScalarValue) -> Option<Scalar> {
    Some(match *value {
        ScalarValue::UInt64(Some(number)) => Scalar::Whole(i128::from(number)),
        ScalarValue::Int64(Some(number)) => Scalar::Whole(i128::from(number)),
        ScalarValue::Float64(Some(number)) if !number.is_nan() => Scalar::Float(number),
        _ => return None,
    })
}

/// The column of the store that has these numbers as they are.
const fn number_place(column: Column) -> Option<Place> {
    Some(match column {
        Column::SizeBytes => Place::size_bytes,
        Column::ExecutionTimeNs => Place::duration_ns,
        Column::WaitingTimeNs => Place::waiting_ns,
        Column::QueueDepth => Place::queue_depth,
        Column::ThroughputMsgsPerSec => Place::throughput,
        Column::MemoryUsageBytes => Place::memory_bytes,
        Column::CpuUsagePercent => Place::cpu_percent,
        Column::HopCount => Place::hops,
        _ => return None,
    })
}

/// The one id that is asked for, written as SQL shows it.
fn only_id(texts: &[&str]) -> Option<Uuid> {
    let [text] = texts else {
        return None;
    };
    Uuid::try_parse(text).ok()
}

/// The numbers that may stand for the digits at the end of a text, however it is divided.
fn numbers_at_the_end(text: &str) -> Vec<u64> {
    let digits = text.bytes().rev().take(DIGITS_MAX + 1);
    let digits = digits.take_while(u8::is_ascii_digit).count();
    let ends = (1..=digits).filter_map(|digits| text[text.len() - digits..].parse().ok());
    let mut numbers: Vec<u64> = ends.collect();
    numbers.dedup();
    numbers
}

impl fmt::Display for Pushed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |ns: i64| chrono::DateTime::from_timestamp_nanos(ns);
        if self.range.start_ns != i64::MIN {
            write!(f, ", from={:?}", time(self.range.start_ns))?;
        }
        if self.range.end_ns != i64::MAX {
            write!(f, ", before={:?}", time(self.range.end_ns))?;
        }
        let names = |within: &[Within]| {
            let names: Vec<_> = within.iter().map(|within| within.place.name()).collect();
            names.join(", ")
        };
        if !self.within.is_empty() {
            write!(f, ", pruned by=[{}]", names(&self.within))?;
        }
        if !self.either.is_empty() {
            write!(f, ", looked up by=[{}]", names(&self.either))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_looked_for_however_it_was_divided() {
        assert_eq!(numbers_at_the_end("msg_0123"), [3, 23, 123]);
        assert_eq!(numbers_at_the_end("msg"), [0u64; 0]);
        assert_eq!(numbers_at_the_end("é7"), [7]);
        assert!(numbers_at_the_end(&"9".repeat(40)).len() <= 20);
    }
}
