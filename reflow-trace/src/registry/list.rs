//! The list of all types that have a policy, made before `main`.
//!
//! It is a chain of statics, one beside each type. Entering one links it in: nothing is allocated, because an
//! allocator of the user's may not be ready yet, and nothing can fail.

use std::sync::{Mutex, OnceLock, PoisonError};

use super::reach::Reaches;
use crate::message::Message;

/// A type with `#[sample]`, as it enters itself.
#[derive(Debug)]
pub struct Registration {
    entered: Entered,
    /// What was entered before.
    next: OnceLock<Option<&'static Registration>>,
}

/// What is known of such a type.
#[derive(Clone, Copy, Debug)]
pub(super) enum Entered {
    /// The type has no parameters.
    Whole(fn(&mut Reaches)),
    /// It has some: the path of something that stands beside it, and its name.
    Generic(fn() -> &'static str, &'static str),
}

/// The one that was entered last.
static LAST: Mutex<Option<&'static Registration>> = Mutex::new(None);

impl Registration {
    /// A type without parameters.
    pub const fn of<T: Message + 'static>() -> Self {
        Self::new(Entered::Whole(Reaches::add_with_pointers::<T>))
    }

    /// A generic type of this name. `Here` stands in a constant without a name beside it, which tells where
    /// the type is.
    pub const fn generic<Here>(name: &'static str) -> Self {
        Self::new(Entered::Generic(std::any::type_name::<Here>, name))
    }

    const fn new(entered: Entered) -> Self {
        Self {
            entered,
            next: OnceLock::new(),
        }
    }

    /// Links it in. A second time does nothing.
    pub fn enter(&'static self) {
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        if self.next.set(*last).is_ok() {
            *last = Some(self);
        }
    }
}

/// All that were entered, the last one first.
pub(super) fn entered() -> impl Iterator<Item = Entered> {
    let last = *LAST.lock().unwrap_or_else(PoisonError::into_inner);
    std::iter::successors(last, |registration| {
        registration.next.get().copied().flatten()
    })
    .map(|registration| registration.entered)
}
