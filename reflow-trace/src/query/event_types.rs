//! Kinds of events, with `"*"` for any actor and any port.

use std::collections::{HashMap, HashSet};

use super::LISTED_MAX;
use super::error::{QueryError, QueryPart};
use crate::event::TraceEventType;

/// What stands for any name.
pub(super) const ANY: &str = "*";

/// The kinds of events that a question asks for.
///
/// One look-up decides, however many ends of data flows are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventTypes {
    /// Kinds of which every event is one that is asked for.
    whole: HashSet<&'static str>,
    /// Ports by actor.
    flows: HashMap<String, Ports>,
    /// Ports that are asked for at any actor.
    at_any_actor: HashSet<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Ports {
    Any,
    These(HashSet<String>),
}

impl EventTypes {
    pub(super) fn new(listed: &[TraceEventType]) -> Result<Self, QueryError> {
        let part = QueryPart::EventTypes;
        match listed.len() {
            0 => return Err(QueryError::EmptyList(part)),
            listed if listed > LISTED_MAX => return Err(QueryError::ListTooLong { part, listed }),
            _ => {}
        }
        let mut types = Self::default();
        for one in listed {
            types.add(one);
        }
        Ok(types)
    }

    fn add(&mut self, one: &TraceEventType) {
        let TraceEventType::DataFlow { to_actor, to_port } = one else {
            self.whole.insert(one.name());
            return;
        };
        match (&**to_actor, &**to_port) {
            (ANY, ANY) => {
                self.whole.insert(one.name());
            }
            (ANY, port) => {
                self.at_any_actor.insert(port.to_owned());
            }
            (actor, ANY) => {
                self.flows.insert(actor.to_owned(), Ports::Any);
            }
            (actor, port) => {
                let ports = self.flows.entry(actor.to_owned());
                let ports = ports.or_insert_with(|| Ports::These(HashSet::new()));
                if let Ports::These(ports) = ports {
                    ports.insert(port.to_owned());
                }
            }
        }
    }

    /// Whether the kind is one that is asked for.
    pub fn contains(&self, one: &TraceEventType) -> bool {
        let flow = match one {
            TraceEventType::DataFlow { to_actor, to_port } => Some((&**to_actor, &**to_port)),
            _ => None,
        };
        self.contains_named(one.name(), flow)
    }

    /// The same by the name of the kind and, for a data flow, the actor and the port that it goes to.
    pub(crate) fn contains_named(&self, name: &str, flow: Option<(&str, &str)>) -> bool {
        if self.whole.contains(name) {
            return true;
        }
        let Some((to_actor, to_port)) = flow else {
            return false;
        };
        let is_listed = self.flows.get(to_actor).is_some_and(|ports| match ports {
            Ports::Any => true,
            Ports::These(ports) => ports.contains(to_port),
        });
        is_listed || self.at_any_actor.contains(to_port)
    }

    /// The names of the kinds of which some events are asked for: for pruning by the kind alone.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let some_flows = !self.flows.is_empty() || !self.at_any_actor.is_empty();
        let flow = (some_flows && !self.whole.contains("DataFlow")).then_some("DataFlow");
        self.whole.iter().copied().chain(flow)
    }

    /// The actors that the data flows go to, when no others are asked for.
    pub fn destinations(&self) -> Option<impl Iterator<Item = &str>> {
        let is_bounded = !self.whole.contains("DataFlow") && self.at_any_actor.is_empty();
        is_bounded.then(|| self.flows.keys().map(String::as_str))
    }
}
