//! A name that is read from the message, kept while the message is written to.

use std::fmt::{self, Write as _};

use super::ends::Name;
use crate::edge::BoundedName;

/// A copy of a name on the stack, cut as every name is.
pub struct Kept(BoundedName);

impl Kept {
    /// Copies or formats the name.
    pub fn of(name: Name<'_>) -> Self {
        Self(match name {
            Name::Text(text) => BoundedName::of(text),
            Name::Shown(shown) => {
                let mut buffer = BoundedName::default();
                // An error of the user's `Display` leaves what it wrote.
                let _failed = write!(buffer, "{shown}");
                buffer
            }
        })
    }

    /// The name.
    pub fn name(&mut self) -> Name<'_> {
        Name::Text(self.0.finish())
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").finish_non_exhaustive()
    }
}
