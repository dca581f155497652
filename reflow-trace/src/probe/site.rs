//! What the annotation of a connector says once and for all.

use std::sync::Arc;

use crate::edge::{DEFAULT_COMPRESSION, DEFAULT_PROTOCOL, EdgeNames};

/// Static facts of one annotated method.
#[derive(Debug)]
pub struct Site {
    protocol: Option<&'static str>,
    compression: Option<&'static str>,
}

impl Site {
    /// A site that says nothing, for all that say nothing: a constant and not a static, so that a compiler
    /// sees in the user's crate that there is nothing to look at.
    pub const PLAIN: &'static Self = &Self::new();

    /// A connector in memory, without compression.
    #[expect(clippy::new_without_default, reason = "a default cannot be const")]
    pub const fn new() -> Self {
        Self {
            protocol: None,
            compression: None,
        }
    }

    /// Names the protocol; the default is `memory_channel`.
    #[must_use]
    pub const fn protocol(mut self, protocol: &'static str) -> Self {
        self.protocol = Some(protocol);
        self
    }

    /// Names the compression; the default is `none`.
    #[must_use]
    pub const fn compression(mut self, compression: &'static str) -> Self {
        self.compression = Some(compression);
        self
    }

    /// This site, if it says anything.
    #[inline(always)]
    pub(crate) fn if_not_plain(&'static self) -> Option<&'static Self> {
        (self.protocol.is_some() || self.compression.is_some()).then_some(self)
    }

    /// A site that says nothing, where there is none.
    pub(crate) fn or_plain(site: Option<&'static Self>) -> &'static Self {
        site.unwrap_or(Self::PLAIN)
    }

    pub(crate) fn protocol_name(&self) -> &'static str {
        self.protocol.unwrap_or(DEFAULT_PROTOCOL)
    }

    pub(crate) fn compression_name(&self) -> &'static str {
        self.compression.unwrap_or(DEFAULT_COMPRESSION)
    }

    /// The edge as this site uses it.
    pub(crate) fn over(&self, names: Arc<EdgeNames>) -> Arc<EdgeNames> {
        if self.protocol.is_none() && self.compression.is_none() {
            return names;
        }
        let protocol = self.protocol.unwrap_or(&names.protocol);
        let compression = self.compression.unwrap_or(&names.compression);
        EdgeNames::new(names.ends(), protocol, compression)
    }
}
