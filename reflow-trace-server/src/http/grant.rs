//! What somebody may do, once it is known who it is.

use super::token::{Caller, Scope, Scopes};
use crate::answer::Rights;

/// Somebody, and what it may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    /// Who.
    pub(crate) caller: Caller,
    scopes: Scopes,
}

impl Grant {
    pub(super) fn new(caller: Caller, scopes: Scopes) -> Self {
        Self { caller, scopes }
    }

    /// Whether it may do this.
    pub(crate) fn permits(&self, scope: Scope) -> bool {
        self.scopes.permit(scope)
    }

    /// What it may see.
    pub(crate) fn rights(&self) -> Rights {
        Rights {
            content: self.permits(Scope::Content),
        }
    }

    /// A word for the log.
    pub(crate) fn bearer(&self) -> &str {
        match &self.caller {
            Caller::Anyone => "anyone",
            Caller::Bearer(name) => name,
        }
    }
}
