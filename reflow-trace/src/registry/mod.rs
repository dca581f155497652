//! The policy of a message whose type the code around it does not know.
//!
//! Inside `impl<M> Connector<M>` nothing is known of `M`: whether it has a policy is decided when the impl is
//! compiled, for all `M` at once, and the answer is no. So every type with `#[sample]` also enters itself
//! into a list of the process before `main` begins ([`Registration`]). The first recording makes a table of
//! the list, by the identity of the type; a probe that knows nothing of `M` looks there.
//!
//! * **What it costs.** A type's identity is a constant, and a hash of itself: the look-up is one place in a
//!   table that never changes, without lock, allocation or a name. Finding nothing ends, as a rule, at the
//!   first place.
//! * **Which types are found.** Those without parameters, and one pointer to them: `&`, `&mut`, `Box`, `Rc`,
//!   `Arc`, as [`Message`] has it; and messages of the standard library. A generic type has no identity
//!   before somebody chooses its arguments. Its *name* is entered, so that a message of it that comes by
//!   without a policy is noticed ([`lacks_policy`]) and counted in the metrics.
//! * **Lifetimes.** The identity of a type says nothing of lifetimes, because `M` may borrow. A type without
//!   parameters has none; the one of a pointer is never relied on. That, and the rest of the `unsafe` of this
//!   module, is in [`reach`].
//! * **Where constructors do not run.** On WebAssembly they run when the host calls them; where it does not,
//!   and on systems that have none, nothing is entered, and every message is recorded as if it had no policy.
//!   What is loaded into the process after the first recording has begun is not found either.

mod list;
mod reach;
mod standard;
mod table;

pub use list::Registration;
pub(crate) use reach::Found;

use std::any::TypeId;
use std::sync::OnceLock;

#[cfg(doc)]
use crate::message::Message;
use crate::probe::AnyMessage;
use reach::Reach;
use table::Table;

static TABLE: OnceLock<Table> = OnceLock::new();

/// Makes the table. Nothing is found before.
pub(crate) fn prepare() {
    TABLE.get_or_init(Table::of_this_process);
}

/// The message, if its type has a policy.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn found<T>(message: &T) -> Option<&dyn AnyMessage> {
    find(typeid::of::<T>())?.message(message)
}

/// The same for one that may be written to.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn found_mut<T>(message: &mut T) -> Option<Found<'_>> {
    find(typeid::of::<T>())?.take(message)
}

/// Whether a policy of this type is found.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn knows<T>() -> bool {
    find(typeid::of::<T>()).is_some()
}

#[cfg_attr(not(debug_assertions), inline(always))]
fn find(wanted: TypeId) -> Option<&'static Reach> {
    TABLE.get()?.find(wanted)
}

/// Whether a type, given by its full path, has a policy that cannot be found without the bound. Looks
/// through all names: for the first message of a flow on a thread only.
pub(crate) fn lacks_policy(path: &str) -> bool {
    TABLE.get().is_some_and(|table| table.lacks_policy(path))
}

/// Enters a [`Registration`] before `main`.
///
/// `#[sample]` writes it beside a type, in a module or in a function. The attributes that have the loader call
/// a function are here and not in what the macro writes, so that the code of a user who forbids `unsafe`
/// holds none. Nothing that is called needs it.
#[doc(hidden)]
#[macro_export]
macro_rules! __register {
    ($registration:expr) => {
        const _: () = {
            static REGISTRATION: $crate::__private::Registration = $registration;

            #[used]
            #[cfg_attr(
                any(
                    all(unix, not(any(target_vendor = "apple", target_os = "aix"))),
                    target_family = "wasm"
                ),
                unsafe(link_section = ".init_array")
            )]
            #[cfg_attr(
                target_vendor = "apple",
                unsafe(link_section = "__DATA,__mod_init_func,mod_init_funcs")
            )]
            #[cfg_attr(windows, unsafe(link_section = ".CRT$XCU"))]
            static ENTER: extern "C" fn() = {
                extern "C" fn enter() {
                    REGISTRATION.enter();
                }
                enter
            };
        };
    };
}

#[cfg(test)]
mod tests;
