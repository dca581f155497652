//! Tickets: the place where they are redeemed.

use super::grant::Grant;

/// Tickets that were given out.
#[derive(Debug, Default)]
pub(crate) struct Tickets;

impl Tickets {
    /// What its bearer may do; once.
    pub(crate) fn redeem(&self, _ticket: &str) -> Option<Grant> {
        None
    }
}
