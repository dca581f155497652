//! From a value whose type is only known by its identity to the message in it.
//!
//! All `unsafe` of the look-up by type. What the blocks rely on:
//!
//! 1. A [`Reach`] is made by [`Reach::through`] alone, which puts the identity of a type `P` beside functions
//!    that take a pointer to a `P`.
//! 2. Its functions are called by [`Reach::message`] and by [`Found`] alone, after the identity of the type `T`
//!    of the value was compared with that of `P`. Equal identities mean that `T` and `P` are the same type but
//!    for lifetimes: the same layout, the same validity.
//! 3. Lifetimes: `P` is a type `R` without parameters, and then it is `T`, or one pointer to such an `R`. Of a
//!    pointer, say `&'a R` taken for a `&'static R`, [`LeadsTo`] gives out a borrow of the pointer itself and
//!    nothing that lives longer, so that it is never told that `'a` was not `'static`.
//! 4. Where a pointer is to be written through, the value was borrowed as `&mut`; see [`Found`].

use std::any::TypeId;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::Arc;

use crate::message::Message;
use crate::probe::AnyMessage;

/// How to reach the message in a value of one type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    type_id: TypeId,
    shared: unsafe fn(NonNull<()>) -> NonNull<dyn AnyMessage>,
    unique: unsafe fn(NonNull<()>) -> Option<NonNull<dyn AnyMessage>>,
}

/// A message that may be written to, in a value whose type has a policy.
pub(crate) struct Found<'a> {
    reach: &'static Reach,
    value: NonNull<()>,
    borrowed: PhantomData<&'a mut ()>,
}

impl Reach {
    fn through<P: LeadsTo<R>, R: Message + 'static>() -> Self {
        Self {
            type_id: typeid::of::<P>(),
            shared: shared::<P, R>,
            unique: unique::<P, R>,
        }
    }

    /// The type from which this leads to a message.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn type_id(&self) -> TypeId {
        self.type_id
    }

    /// The message in `value`, if that is of the type from which this leads.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn message<'a, T>(&self, value: &'a T) -> Option<&'a dyn AnyMessage> {
        if self.type_id != typeid::of::<T>() {
            return None;
        }
        // SAFETY: `value` is a `T`, and the function takes a pointer to a value of this type (1, 2), which is
        // borrowed for `'a`.
        let message = unsafe { (self.shared)(NonNull::from(value).cast()) };
        // SAFETY: the function gives a pointer that is valid as long as `value` is borrowed, which is `'a`; and
        // `'a` is what the compiler is told here.
        Some(unsafe { message.as_ref() })
    }

    /// The same for a value that may be written to.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn take<'a, T>(&'static self, value: &'a mut T) -> Option<Found<'a>> {
        if self.type_id != typeid::of::<T>() {
            return None;
        }
        Some(Found {
            reach: self,
            value: NonNull::from(value).cast(),
            borrowed: PhantomData,
        })
    }
}

impl Found<'_> {
    /// The message.
    #[inline]
    pub(crate) fn message(&self) -> &dyn AnyMessage {
        // SAFETY: `take` compared the identities, and the value is borrowed as long as `self` is there (1, 2).
        let message = unsafe { (self.reach.shared)(self.value) };
        // SAFETY: valid as long as the value is borrowed, longer than `self` is here; while it is, nobody gets
        // a message to write to.
        unsafe { message.as_ref() }
    }

    /// The message to write to; `None` where others may see it.
    #[inline]
    pub(crate) fn message_mut(&mut self) -> Option<&mut dyn AnyMessage> {
        // SAFETY: as in `message`; and the value is borrowed as `&mut` (4), by this `Found` alone, which is
        // itself borrowed as `&mut`.
        let message = unsafe { (self.reach.unique)(self.value) };
        // SAFETY: the function gives a pointer that nobody else uses as long as `self` is borrowed here.
        message.map(|mut message| unsafe { message.as_mut() })
    }
}

/// How to reach the messages of many types.
#[derive(Default)]
pub(super) struct Reaches {
    /// Where the value is the message.
    pub(super) itself: Vec<Reach>,
    /// Where the value points to it.
    pub(super) pointed_to: Vec<Reach>,
}

impl Reaches {
    /// Adds the messages of type `R`, as they are.
    pub(super) fn add<R: Message + 'static>(&mut self) {
        self.itself.push(Reach::through::<R, R>());
    }

    /// Adds the messages of type `R`, as they are and behind one pointer.
    pub(super) fn add_with_pointers<R: Message + 'static>(&mut self) {
        self.add::<R>();
        self.pointed_to.extend([
            Reach::through::<Box<R>, R>(),
            Reach::through::<Arc<R>, R>(),
            Reach::through::<Rc<R>, R>(),
            Reach::through::<&R, R>(),
            Reach::through::<&mut R, R>(),
        ]);
    }
}

/// # Safety
///
/// `value` points to a `P`, of whatever lifetimes, that is borrowed for as long as what this gives is used.
unsafe fn shared<P: LeadsTo<R>, R: Message + 'static>(
    value: NonNull<()>,
) -> NonNull<dyn AnyMessage> {
    // SAFETY: the caller says that it is one and borrowed; for its lifetimes see 3 above.
    let value = unsafe { value.cast::<P>().as_ref() };
    NonNull::<R>::from(value.shared())
}

/// # Safety
///
/// `value` points to a `P`, of whatever lifetimes, that is borrowed as `&mut` for as long as what this gives is
/// used.
unsafe fn unique<P: LeadsTo<R>, R: Message + 'static>(
    value: NonNull<()>,
) -> Option<NonNull<dyn AnyMessage>> {
    // SAFETY: the caller says that it is one and borrowed as `&mut`; for its lifetimes see 3 above.
    let value = unsafe { value.cast::<P>().as_mut() };
    let message = value.unique()?;
    Some(NonNull::<R>::from(message))
}

/// A value that is an `R` or points to one.
trait LeadsTo<R> {
    fn shared(&self) -> &R;

    /// `None` where others may see it.
    fn unique(&mut self) -> Option<&mut R>;
}

macro_rules! lead {
    ($($value:ty: $this:ident => $unique:expr;)*) => {$(
        impl<R> LeadsTo<R> for $value {
            fn shared(&self) -> &R {
                self
            }

            fn unique(&mut self) -> Option<&mut R> {
                let $this = self;
                $unique
            }
        }
    )*};
}

lead! {
    R: value => Some(value);
    Box<R>: value => Some(value);
    Arc<R>: value => Arc::get_mut(value);
    Rc<R>: value => Rc::get_mut(value);
    &R: _value => None;
    &mut R: value => Some(value);
}
