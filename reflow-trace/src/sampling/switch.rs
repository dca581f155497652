//! What is switched at run time: the sampler, and edges, types and actors that are off.

use std::collections::HashSet;

use super::DataFlowSampler;
use crate::edge::{Edge, EdgeNames, TypeNumber};
use crate::lane::Purpose;
use crate::runtime::dictionary;

/// Names what can be switched off and on while recording.
///
/// What is off is not even counted, and costs one look. See
/// [`TracingIntegration::switch_off`](crate::TracingIntegration::switch_off).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Switch {
    /// The messages over one edge, over whatever protocol.
    Edge {
        /// The sending actor.
        from_actor: String,
        /// Its port.
        from_port: String,
        /// The receiving actor.
        to_actor: String,
        /// Its port.
        to_port: String,
    },
    /// The messages of one type, by the name under which they are recorded.
    MessageType(String),
    /// The messages from and to one actor, and its life.
    Actor(String),
}

impl Switch {
    /// The messages over one edge.
    pub fn edge(
        from_actor: impl Into<String>,
        from_port: impl Into<String>,
        to_actor: impl Into<String>,
        to_port: impl Into<String>,
    ) -> Self {
        Self::Edge {
            from_actor: from_actor.into(),
            from_port: from_port.into(),
            to_actor: to_actor.into(),
            to_port: to_port.into(),
        }
    }

    /// The messages of one type.
    pub fn message_type(name: impl Into<String>) -> Self {
        Self::MessageType(name.into())
    }

    /// The messages from and to one actor, and its life.
    pub fn actor(name: impl Into<String>) -> Self {
        Self::Actor(name.into())
    }
}

impl From<&Edge> for Switch {
    fn from(edge: &Edge) -> Self {
        let [from_actor, from_port, to_actor, to_port] = edge.ends();
        Self::edge(from_actor, from_port, to_actor, to_port)
    }
}

/// Everything that is switched off.
#[derive(Clone, Debug, Default)]
pub(crate) struct SwitchedOff(HashSet<Switch>);

impl SwitchedOff {
    /// Whether a flow with these names, of this type, is off.
    pub(crate) fn holds(
        &self,
        names: &EdgeNames,
        message_type: TypeNumber,
        purpose: Purpose,
    ) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let [from_actor, from_port, to_actor, to_port] = names.ends();
        let is_off = |switch: Switch| self.0.contains(&switch);
        is_off(Switch::actor(from_actor))
            || is_off(Switch::actor(to_actor))
            || (purpose != Purpose::Life
                && (is_off(Switch::edge(from_actor, from_port, to_actor, to_port))
                    || is_off(Switch::message_type(&*dictionary().type_name(message_type)))))
    }
}

/// The policy of a recording, as it is now.
#[derive(Clone, Debug)]
pub(crate) struct RunPolicy {
    pub(crate) sampler: Option<DataFlowSampler>,
    pub(crate) switched_off: SwitchedOff,
    /// Something was off once, so that nobody can tell what was missed.
    pub(crate) was_switched_off: bool,
}

impl RunPolicy {
    pub(crate) fn new(sampler: Option<DataFlowSampler>) -> Self {
        Self {
            sampler,
            switched_off: SwitchedOff::default(),
            was_switched_off: false,
        }
    }

    /// Switches something off; true when it was on.
    pub(crate) fn switch_off(&mut self, switch: Switch) -> bool {
        self.was_switched_off = true;
        self.switched_off.0.insert(switch)
    }

    /// Switches something on; true when it was off.
    pub(crate) fn switch_on(&mut self, switch: &Switch) -> bool {
        self.switched_off.0.remove(switch)
    }
}
