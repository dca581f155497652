//! What somebody may do for as long as a connection or a ticket lasts.

use super::token::{Caller, Scope, Scopes};
use crate::answer::Rights;

/// What somebody may do.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) caller: Caller,
    /// `None`: there are no tokens, and everybody may do everything.
    pub(super) scopes: Option<Scopes>,
}

impl Grant {
    /// Whether it permits this.
    pub(crate) fn permits(&self, scope: Scope) -> bool {
        self.scopes.is_none_or(|scopes| scopes.permit(scope))
    }

    /// What may be shown.
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
