//! One cause or several.
//!
//! A message that is made from several others has several causes. The first of them gives it its
//! trace, and with it R; the others are named beside it. So the weight of what is recorded stays 1/p:
//! R is that of one trace, chosen without regard to any R. (Were R the largest of k, the share that is
//! kept would be 1 − (1 − p)ᵏ, and every policy behind the join would have to know k.)

use std::cell::RefCell;

use super::{Context, ThreadCause, has};
use crate::event::EventId;
use crate::runtime;

/// Most causes of one message that are named; further ones are counted.
pub const CAUSES_MAX: usize = 128;

/// What leads to something: one cause, or several where one message is made from many.
///
/// The first gives the message its trace and decides whether it is recorded; the others are recorded
/// beside it, in [`joined_event_ids`](crate::CausalityInfo::joined_event_ids). Choose the first without
/// looking at what was sampled, for example by a fixed place, and weights stay right.
///
/// # Examples
///
/// ```
/// use reflow_trace::{Causes, Context};
///
/// struct Half { context: Context }
/// # struct Out;
/// # impl Out { fn send(&self, _: Whole) {} }
/// struct Whole;
///
/// fn join(left: &Half, right: &Half, out: &Out) {
///     // What is sent in here is caused by both.
///     Causes::of([&left.context, &right.context]).scope_sync(|| out.send(Whole));
/// }
/// # let half = Half { context: Context::NONE };
/// # join(&half, &half, &Out);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Causes {
    pub(super) first: Context,
    pub(super) further: FurtherCauses,
}

/// The causes of what is sent now beside the first.
#[derive(Clone, Debug, Default)]
pub(crate) struct FurtherCauses {
    events: Vec<EventId>,
    /// Causes without a name: no event on the way to them was recorded, or there were too many.
    unnamed: u64,
}

thread_local! {
    /// Those of the innermost scope on this thread; they hold where the cause is flagged so.
    static FURTHER: RefCell<FurtherCauses> =
        const { RefCell::new(FurtherCauses { events: Vec::new(), unnamed: 0 }) };
}

impl FurtherCauses {
    /// Named first to last.
    pub(crate) fn events(&self) -> &[EventId] {
        &self.events
    }

    /// How many have no name.
    pub(crate) fn unnamed(&self) -> u64 {
        self.unnamed
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty() && self.unnamed == 0
    }

    /// Runs `f` with those of this thread; nothing on one that is too far gone.
    pub(crate) fn with(f: impl FnOnce(&Self)) {
        // Borrowed only here and for a moment.
        let _too_far_gone = FURTHER.try_with(|further| further.try_borrow().map(|all| f(&all)));
    }

    /// Exchanges them for those of this thread.
    pub(super) fn swap(&mut self) {
        let _too_far_gone = FURTHER.try_with(|further| {
            if let Ok(mut further) = further.try_borrow_mut() {
                std::mem::swap(&mut *further, self);
            }
        });
    }
}

impl Causes {
    /// The causes of what would be sent here: what is being handled, or nothing.
    pub fn current() -> Self {
        let mut first = ThreadCause::with(ThreadCause::get)
            .flatten()
            .unwrap_or(Context::NONE);
        let mut further = FurtherCauses::default();
        if first.has(has::FURTHER_CAUSES) {
            FurtherCauses::with(|all| further = all.clone());
        }
        first.flags &= !has::FURTHER_CAUSES;
        Self { first, further }
    }

    /// These causes. Contexts that belong to no trace are left out.
    pub fn of<'a>(contexts: impl IntoIterator<Item = &'a Context>) -> Self {
        contexts.into_iter().fold(Self::default(), Self::and)
    }

    /// One cause more.
    #[must_use = "the causes hold in a scope"]
    pub fn and(mut self, context: &Context) -> Self {
        if !context.is_linked() {
            return self;
        }
        if !self.first.is_linked() {
            self.first = *context;
            return self;
        }
        match context.event_id() {
            Some(event) => self.add(event),
            None => self.further.unnamed += 1,
        }
        self
    }

    /// The first one, in whose trace everything stays.
    pub fn first(&self) -> &Context {
        &self.first
    }

    pub(crate) fn further(&self) -> &FurtherCauses {
        &self.further
    }

    fn add(&mut self, event: EventId) {
        if self.first.event_id() == Some(event) || self.further.events.contains(&event) {
            return;
        }
        if self.further.events.len() + 1 < CAUSES_MAX {
            self.further.events.push(event);
        } else {
            self.further.unnamed += 1;
            runtime::count_fault(|faults| &faults.unnamed_causes);
        }
    }
}

impl From<Context> for Causes {
    fn from(context: Context) -> Self {
        Self {
            first: context,
            further: FurtherCauses::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::TraceId;

    fn context(sequence: u64) -> Context {
        Context {
            sequence,
            ..Context::in_trace(TraceId::new(), None)
        }
    }

    #[test]
    fn a_cause_is_named_once_and_nothing_is_no_cause() {
        let (a, b) = (context(1), context(2));
        let causes = Causes::of([&Context::NONE, &a, &b, &a, &b, &Context::NONE]);
        assert_eq!(causes.first().event_id(), a.event_id());
        assert_eq!(causes.further.events().first().copied(), b.event_id());
        assert_eq!(causes.further.events().len(), 1);
        assert_eq!(causes.further.unnamed(), 0);
    }

    #[test]
    fn causes_beyond_the_bound_are_counted() {
        let all: Vec<Context> = (1..=200).map(context).collect();
        let causes = Causes::of(&all).and(&context(0));
        assert_eq!(causes.further.events().len(), CAUSES_MAX - 1);
        assert_eq!(causes.further.unnamed(), 200 - CAUSES_MAX as u64 + 1);
    }
}
