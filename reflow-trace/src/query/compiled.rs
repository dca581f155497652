//! Questions that were checked, ready to look at events.
//!
//! The parts stay visible, so that a store can prune by times, kinds and actors before it decodes
//! anything, and need not ask again what it has answered already.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::LISTED_MAX;
use super::error::{QueryError, QueryPart};
use super::event_types::{ANY, EventTypes};
use super::filter::{Bounds, Column, Filter, Literal, Range};
use super::subscription::SubscriptionFilters;
use super::trace_query::TraceQuery;
use crate::event::TraceEvent;

/// A [`TraceQuery`] that was checked.
#[derive(Clone, Debug, PartialEq)]
pub struct CompiledQuery {
    time_range: Option<(DateTime<Utc>, DateTime<Utc>)>,
    conditions: Conditions,
    limit: Option<usize>,
    offset: usize,
}

/// [`SubscriptionFilters`] that were checked.
#[derive(Clone, Debug, PartialEq)]
pub struct CompiledSubscription {
    conditions: Conditions,
}

/// What both ask of an event.
#[derive(Clone, Debug, PartialEq)]
struct Conditions {
    event_types: Option<EventTypes>,
    /// `None` is any; never empty.
    actors: Option<HashSet<String>>,
    filters: Vec<Filter>,
}

impl CompiledQuery {
    pub(super) fn new(query: &TraceQuery<'_>) -> Result<Self, QueryError> {
        if let Some((start, end)) = query.time_range
            && end < start
        {
            return Err(QueryError::TimeRangeReversed { start, end });
        }
        let actors = query.actor_filter.as_ref().map(std::slice::from_ref);
        Ok(Self {
            time_range: query.time_range,
            conditions: Conditions {
                event_types: event_types(query.event_types.as_deref())?,
                actors: actors.and_then(named_actors),
                filters: filters(query.custom_filter, query.performance_filter)?,
            },
            limit: query.limit,
            offset: query.offset.unwrap_or(0),
        })
    }

    /// Whether the event is an answer; `offset` and `limit` are about all answers together.
    pub fn matches(&self, event: &TraceEvent) -> bool {
        let is_in_time = self
            .time_range
            .is_none_or(|(start, end)| (start..=end).contains(&event.timestamp));
        is_in_time && self.conditions.matches(event)
    }

    /// Whether the event that would be made of the row is an answer; none is made.
    #[cfg(feature = "wire")]
    pub fn matches_row(&self, row: &crate::wire::EventRow<'_>) -> bool {
        use super::filter::{Row as _, Value};

        let is_in_time = self.time_range.is_none_or(|(start, end)| {
            matches!(row.column(Column::Timestamp), Some(Value::Time(time)) if (start..=end).contains(&time))
        });
        is_in_time && self.conditions.matches_row(row)
    }

    /// The answers among the events, in their order, without the first `offset` and at most `limit`.
    pub fn select<'a>(
        &self,
        events: impl IntoIterator<Item = &'a TraceEvent>,
    ) -> impl Iterator<Item = &'a TraceEvent> {
        events
            .into_iter()
            .filter(|event| self.matches(event))
            .skip(self.offset)
            .take(self.limit.unwrap_or(usize::MAX))
    }

    /// From the first time to the second, both included.
    pub fn time_range(&self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        self.time_range
    }

    /// The kinds that are asked for; `None` is every kind.
    pub fn event_types(&self) -> Option<&EventTypes> {
        self.conditions.event_types.as_ref()
    }

    /// The actor that is asked for; `None` is any.
    pub fn actor(&self) -> Option<&str> {
        let mut actors = self.conditions.actors.iter().flatten();
        actors.next().map(String::as_str)
    }

    /// The conditions, all of which must be true.
    pub fn filters(&self) -> &[Filter] {
        &self.conditions.filters
    }

    /// What the column must be in every answer, from the conditions and the time range together.
    ///
    /// Kinds and actors are told by [`event_types`](Self::event_types) and [`actor`](Self::actor).
    pub fn bounds(&self, column: Column) -> Bounds {
        let range = self.time_range.filter(|_| column == Column::Timestamp);
        let times = range.map_or_else(Bounds::any, |(start, end)| {
            Bounds::known(Range::Between {
                low: Some(Literal::Time(start)),
                high: Some(Literal::Time(end)),
            })
        });
        let filters = self.conditions.filters.iter();
        filters.fold(times, |bounds, filter| bounds.and(filter.bounds(column)))
    }

    /// How many answers to give at most; `None` leaves that to who answers.
    pub fn limit(&self) -> Option<usize> {
        self.limit
    }

    /// How many answers to leave out first.
    pub fn offset(&self) -> usize {
        self.offset
    }
}

impl CompiledSubscription {
    pub(super) fn new(filters_of: &SubscriptionFilters) -> Result<Self, QueryError> {
        let actors = match filters_of.actor_ids.as_deref() {
            None => None,
            Some([]) => return Err(QueryError::EmptyList(QueryPart::ActorIds)),
            Some(listed) if listed.len() > LISTED_MAX => {
                return Err(QueryError::ListTooLong {
                    part: QueryPart::ActorIds,
                    listed: listed.len(),
                });
            }
            Some(listed) => named_actors(listed),
        };
        Ok(Self {
            conditions: Conditions {
                event_types: event_types(filters_of.event_types.as_deref())?,
                actors,
                filters: filters(
                    filters_of.custom_filter.as_deref(),
                    filters_of.performance_filter.as_deref(),
                )?,
            },
        })
    }

    /// Whether the subscriber wants to see the event.
    pub fn matches(&self, event: &TraceEvent) -> bool {
        self.conditions.matches(event)
    }

    /// The kinds that are asked for; `None` is every kind.
    pub fn event_types(&self) -> Option<&EventTypes> {
        self.conditions.event_types.as_ref()
    }

    /// The actors that are asked for; `None` is any.
    pub fn actors(&self) -> Option<impl Iterator<Item = &str>> {
        let actors = self.conditions.actors.as_ref();
        actors.map(|actors| actors.iter().map(String::as_str))
    }

    /// The conditions, all of which must be true.
    pub fn filters(&self) -> &[Filter] {
        &self.conditions.filters
    }
}

impl Conditions {
    #[cfg(feature = "wire")]
    fn matches_row(&self, row: &crate::wire::EventRow<'_>) -> bool {
        let is_of_a_kind = self.event_types.as_ref().is_none_or(|types| {
            let flow = row.flow();
            let flow = flow.as_ref().map(|(actor, port)| (&**actor, &**port));
            types.contains_named(row.event_type(), flow)
        });
        let concerns = |actors: &HashSet<String>| {
            actors.contains(&*row.actor())
                || row
                    .destination()
                    .is_some_and(|(actor, _)| actors.contains(&*actor))
        };
        is_of_a_kind
            && self.actors.as_ref().is_none_or(concerns)
            && self.filters.iter().all(|filter| filter.matches(row))
    }

    /// The cheap questions first.
    fn matches(&self, event: &TraceEvent) -> bool {
        let types = self.event_types.as_ref();
        if types.is_some_and(|types| !types.contains(&event.event_type)) {
            return false;
        }
        if let Some(actors) = &self.actors {
            let destination = event.destination().map(|(actor, _)| actor);
            if !actors.contains(&event.actor_id)
                && !destination.is_some_and(|actor| actors.contains(actor))
            {
                return false;
            }
        }
        self.filters.iter().all(|filter| filter.matches(event))
    }
}

fn event_types(
    listed: Option<&[crate::event::TraceEventType]>,
) -> Result<Option<EventTypes>, QueryError> {
    listed.map(EventTypes::new).transpose()
}

/// `None` where any actor will do.
fn named_actors(listed: &[String]) -> Option<HashSet<String>> {
    let is_any = listed.iter().any(|actor| actor == ANY);
    (!is_any).then(|| listed.iter().cloned().collect())
}

fn filters(custom: Option<&str>, performance: Option<&str>) -> Result<Vec<Filter>, QueryError> {
    let texts = [
        (QueryPart::CustomFilter, custom),
        (QueryPart::PerformanceFilter, performance),
    ];
    let given = texts
        .into_iter()
        .filter_map(|(part, text)| Some((part, text?)));
    given
        .map(|(part, text)| Filter::parse(text).map_err(|error| QueryError::Filter { part, error }))
        .collect()
}
