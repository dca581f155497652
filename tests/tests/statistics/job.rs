//! What the actors send each other, and the ticket that every message carries for the count beside.

use std::sync::Arc;

use reflow_trace::{Context, sample};

use crate::truth::{Fate, Truth};

/// A message under one of five policies.
#[sample(rate = 0.5, size = "self.body().size_bytes")]
pub(crate) enum Job {
    #[sample(always)]
    Always(
        #[trace(attribute)] u64,
        Box<Body>,
        #[trace(context)] Context,
    ),
    Half(
        #[trace(attribute)] u64,
        Box<Body>,
        #[trace(context)] Context,
    ),
    #[sample(rate = 0.1)]
    Tenth(
        #[trace(attribute)] u64,
        Box<Body>,
        #[trace(context)] Context,
    ),
    #[sample(rate = 0.01)]
    Hundredth(
        #[trace(attribute)] u64,
        Box<Body>,
        #[trace(context)] Context,
    ),
    #[sample(never)]
    Never(
        #[trace(attribute)] u64,
        Box<Body>,
        #[trace(context)] Context,
    ),
}

/// The policies, in the order of [`Job`]'s variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Always,
    Half,
    Tenth,
    Hundredth,
    Never,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] = [
        Self::Always,
        Self::Half,
        Self::Tenth,
        Self::Hundredth,
        Self::Never,
    ];

    pub(crate) fn name(self) -> &'static str {
        ["Always", "Half", "Tenth", "Hundredth", "Never"][self as usize]
    }

    /// The probability that a message is recorded.
    pub(crate) fn rate(self) -> f64 {
        [1.0, 0.5, 0.1, 0.01, 0.0][self as usize]
    }
}

/// What a message holds beside its number and its context.
pub(crate) struct Body {
    pub(crate) ticket: Ticket,
    /// How many hops it may still lead to.
    pub(crate) left: usize,
    pub(crate) size_bytes: usize,
    /// Connectors refuse it.
    pub(crate) is_refused: bool,
}

impl Job {
    pub(crate) fn new(kind: Kind, body: Body) -> Self {
        let (number, body) = (body.ticket.number as u64, Box::new(body));
        match kind {
            Kind::Always => Self::Always(number, body, Context::NONE),
            Kind::Half => Self::Half(number, body, Context::NONE),
            Kind::Tenth => Self::Tenth(number, body, Context::NONE),
            Kind::Hundredth => Self::Hundredth(number, body, Context::NONE),
            Kind::Never => Self::Never(number, body, Context::NONE),
        }
    }

    pub(crate) fn body(&self) -> &Body {
        let (Self::Always(_, body, _)
        | Self::Half(_, body, _)
        | Self::Tenth(_, body, _)
        | Self::Hundredth(_, body, _)
        | Self::Never(_, body, _)) = self;
        body
    }

    pub(crate) fn ticket_mut(&mut self) -> &mut Ticket {
        let (Self::Always(_, body, _)
        | Self::Half(_, body, _)
        | Self::Tenth(_, body, _)
        | Self::Hundredth(_, body, _)
        | Self::Never(_, body, _)) = self;
        &mut body.ticket
    }
}

/// Goes with a message whatever becomes of it, and tells the truth when it is dropped.
pub(crate) struct Ticket {
    pub(crate) truth: Arc<Truth>,
    /// Of the message, from 0.
    pub(crate) number: usize,
    /// Of the first message that it stems from.
    pub(crate) root: usize,
    /// Of the edge it goes by and of its kind; see [`Truth::flow`].
    pub(crate) flow: usize,
    pub(crate) fate: Fate,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.truth.end(self);
    }
}
