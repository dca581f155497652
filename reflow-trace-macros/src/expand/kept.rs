//! Options that read from the message itself, such as `to_actor = "message.target"`.
//!
//! While the probe writes the context into the message nothing else may borrow it, so what these options give is kept
//! beforehand: a name in a buffer on the stack, a depth as the number it is, a handle as a clone.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote_spanned};

use super::probe::{Place, Probe, QueueDepth};
use crate::options::ends::ResolvedEnds;
use crate::options::expression::Expression;
use crate::shape::argument::Argument;
use crate::shape::tokens::mention;

impl Probe<'_> {
    /// Statements that keep what has to be kept.
    pub(super) fn keep(&self) -> TokenStream {
        let span = Span::mixed_site();
        let p = &self.private;
        let names = self.names_from_message().map(|(at, name)| {
            let (kept, given) = (kept_name(at), self.bound(name));
            let given = quote_spanned!(name.place()=> (&&#p::Text(&#given)).name());
            quote_spanned!(span=> let mut #kept = #p::Kept::of(#given);)
        });
        let edge = self.edge_from_message().map(|edge| {
            let edge = self.bound(edge);
            quote_spanned!(span=> let kept_edge = ::core::clone::Clone::clone(&#edge);)
        });
        let depth = self.depth_from_message().map(|depth| {
            let depth = self.bound(depth);
            quote_spanned!(span=> let kept_depth = #p::Depth::of(#depth);)
        });
        let statements: TokenStream = names.chain(edge).chain(depth).collect();
        if statements.is_empty() {
            return statements;
        }
        quote_spanned!(span=> use #p::AsName as _; #statements)
    }

    /// The variable in which this name is kept, if it is.
    pub(super) fn kept_name(&self, name: &Expression) -> Option<Ident> {
        self.names_from_message()
            .find(|(_, kept)| std::ptr::eq(*kept, name))
            .map(|(at, _)| kept_name(at))
    }

    pub(super) fn keeps_edge(&self) -> bool {
        self.edge_from_message().is_some()
    }

    pub(super) fn keeps_depth(&self) -> bool {
        self.depth_from_message().is_some()
    }

    fn names_from_message(&self) -> impl Iterator<Item = (usize, &Expression)> {
        let names: Vec<&Expression> = match &self.place {
            Place::Edge {
                ends: ResolvedEnds::Names(names),
                ..
            } => names.iter().collect(),
            Place::Edge { .. } => Vec::new(),
            Place::Actor { actor, port, .. } => actor.iter().chain(port).copied().collect(),
        };
        let names = names.into_iter().enumerate();
        names.filter(|(_, name)| self.reads_message(name))
    }

    fn edge_from_message(&self) -> Option<&Expression> {
        match &self.place {
            Place::Edge {
                ends: ResolvedEnds::Edge(edge),
                ..
            } => Some(edge).filter(|edge| self.reads_message(edge)),
            _ => None,
        }
    }

    fn depth_from_message(&self) -> Option<&Expression> {
        match &self.place {
            Place::Edge {
                depth: QueueDepth::Given(depth),
                ..
            } => Some(*depth).filter(|depth| self.reads_message(depth)),
            _ => None,
        }
    }

    fn reads_message(&self, expression: &Expression) -> bool {
        let message = self.message.and_then(Argument::name);
        message.is_some_and(|name| mention(&expression.tokens(), &name.to_string()).is_some())
    }
}

fn kept_name(at: usize) -> Ident {
    format_ident!("kept_{at}", span = Span::mixed_site())
}
