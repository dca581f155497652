//! The handle that a connector may hold.

use std::fmt;
use std::sync::Arc;

use super::{DEFAULT_COMPRESSION, DEFAULT_PROTOCOL, EdgeNames, EdgeNumber};
use crate::runtime::dictionary;

/// An edge that has been looked up once.
///
/// Without it a probe compares the four names of the connector at each send. A connector that holds
/// an `Edge` and says `#[traced_connector(edge = "self.edge")]` spares that. Cloning is cheap.
///
/// # Examples
///
/// ```
/// use reflow_trace::Edge;
///
/// let edge = Edge::new("reader", "out", "validator", "in");
/// assert_eq!(edge.to_string(), "reader.out → validator.in");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Edge {
    number: EdgeNumber,
    names: Arc<EdgeNames>,
}

impl Edge {
    /// Looks up the edge. Names above [`NAME_BYTES_MAX`](super::NAME_BYTES_MAX) bytes are cut.
    pub fn new(
        from_actor: impl AsRef<str>,
        from_port: impl AsRef<str>,
        to_actor: impl AsRef<str>,
        to_port: impl AsRef<str>,
    ) -> Self {
        let ends = [
            from_actor.as_ref(),
            from_port.as_ref(),
            to_actor.as_ref(),
            to_port.as_ref(),
        ];
        Self::from_names(EdgeNames::new(ends, DEFAULT_PROTOCOL, DEFAULT_COMPRESSION))
    }

    fn from_names(names: Arc<EdgeNames>) -> Self {
        Self {
            number: dictionary().edge(Arc::clone(&names)),
            names,
        }
    }

    /// An edge that the dictionary has, under this number.
    pub(crate) fn known(number: EdgeNumber, names: &Arc<EdgeNames>) -> Self {
        Self {
            number,
            names: Arc::clone(names),
        }
    }

    /// The same edge over another protocol; the default is `memory_channel`.
    #[must_use]
    pub fn with_protocol(self, protocol: &str) -> Self {
        Self::from_names(EdgeNames::new(
            self.names.ends(),
            protocol,
            &self.names.compression,
        ))
    }

    /// The same edge with another compression; the default is `none`.
    #[must_use]
    pub fn with_compression(self, compression: &str) -> Self {
        Self::from_names(EdgeNames::new(
            self.names.ends(),
            &self.names.protocol,
            compression,
        ))
    }

    /// The sending actor.
    pub fn from_actor(&self) -> &str {
        &self.names.from_actor
    }

    /// The receiving actor.
    pub fn to_actor(&self) -> &str {
        &self.names.to_actor
    }

    /// The four names.
    pub(crate) fn ends(&self) -> [&str; 4] {
        self.names.ends()
    }

    #[inline]
    pub(crate) fn number(&self) -> EdgeNumber {
        self.number
    }
}

impl fmt::Display for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [from_actor, from_port, to_actor, to_port] = self.names.ends();
        write!(f, "{from_actor}.{from_port} → {to_actor}.{to_port}")
    }
}

impl fmt::Debug for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Edge({self:?})", self = self.to_string())
    }
}
