//! What a batch can be: anything whose messages can be looked at without taking them.
//!
//! An `impl IntoIterator` or a stream can be gone through once, and that once is the body's. Such an argument is recorded
//! as one send, under the name of its type.

use std::borrow::Cow;
use std::collections::{BTreeSet, BinaryHeap, HashSet, LinkedList, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

/// A message of a batch.
#[derive(Debug)]
pub enum Seen<'a, T> {
    /// One that may be written to.
    Owned(&'a mut T),
    /// One that others hold as well.
    Shared(&'a T),
}

impl<T> Seen<'_, T> {
    /// The message, to be read.
    pub fn get(&self) -> &T {
        match self {
            Self::Owned(message) => message,
            Self::Shared(message) => message,
        }
    }
}

/// Messages that can be looked at, one after the other.
pub trait Items {
    /// One message.
    type Item;

    /// Shows each message, with what access there is.
    fn each(&mut self, see: &mut dyn FnMut(Seen<'_, Self::Item>));

    /// Shows each message.
    fn each_shared(&self, see: &mut dyn FnMut(Seen<'_, Self::Item>));

    /// How many there are; `None` where this is no batch.
    fn batch_size(&self) -> Option<u64>;
}

/// One message that is no batch.
#[derive(Debug)]
pub struct One<'a, T>(pub &'a mut T);

impl<T> Items for One<'_, T> {
    type Item = T;

    fn each(&mut self, see: &mut dyn FnMut(Seen<'_, T>)) {
        see(Seen::Owned(self.0));
    }

    fn each_shared(&self, see: &mut dyn FnMut(Seen<'_, T>)) {
        see(Seen::Shared(self.0));
    }

    fn batch_size(&self) -> Option<u64> {
        None
    }
}

macro_rules! owned {
    ($([$($generic:tt)*] $type:ty;)*) => {$(
        impl<T, $($generic)*> Items for $type {
            type Item = T;

            fn each(&mut self, see: &mut dyn FnMut(Seen<'_, T>)) {
                self.iter_mut().for_each(|item| see(Seen::Owned(item)));
            }

            fn each_shared(&self, see: &mut dyn FnMut(Seen<'_, T>)) {
                self.iter().for_each(|item| see(Seen::Shared(item)));
            }

            fn batch_size(&self) -> Option<u64> {
                Some(self.len() as u64)
            }
        }
    )*};
}

owned! {
    [] [T];
    [const N: usize] [T; N];
    [] Vec<T>;
    [] VecDeque<T>;
    [] LinkedList<T>;
}

macro_rules! shared {
    ($([$($generic:tt)*] $type:ty;)*) => {$(
        impl<T, $($generic)*> Items for $type {
            type Item = T;

            fn each(&mut self, see: &mut dyn FnMut(Seen<'_, T>)) {
                self.each_shared(see);
            }

            fn each_shared(&self, see: &mut dyn FnMut(Seen<'_, T>)) {
                self.iter().for_each(|item| see(Seen::Shared(item)));
            }

            fn batch_size(&self) -> Option<u64> {
                Some(self.len() as u64)
            }
        }
    )*};
}

shared! {
    [] BTreeSet<T>;
    [] BinaryHeap<T>;
    [S] HashSet<T, S>;
}

/// Iterators that show what is left in them.
macro_rules! slices {
    ($([$($generic:tt)*] $type:ty, $mutable:expr;)*) => {$(
        impl<$($generic)* T> Items for $type {
            type Item = T;

            fn each(&mut self, see: &mut dyn FnMut(Seen<'_, T>)) {
                let mutable: fn(&mut Self) -> Option<&mut [T]> = $mutable;
                match mutable(self) {
                    Some(slice) => slice.each(see),
                    None => self.each_shared(see),
                }
            }

            fn each_shared(&self, see: &mut dyn FnMut(Seen<'_, T>)) {
                self.as_slice().each_shared(see);
            }

            fn batch_size(&self) -> Option<u64> {
                Some(self.as_slice().len() as u64)
            }
        }
    )*};
}

slices! {
    [] std::vec::IntoIter<T>, |iterator| Some(iterator.as_mut_slice());
    ['a,] std::vec::Drain<'a, T>, |_| None;
    ['a,] std::slice::Iter<'a, T>, |_| None;
}

impl<T: Clone> Items for Cow<'_, [T]> {
    type Item = T;

    fn each(&mut self, see: &mut dyn FnMut(Seen<'_, T>)) {
        match self {
            Cow::Borrowed(items) => items.each_shared(see),
            Cow::Owned(items) => items.as_mut_slice().each(see),
        }
    }

    fn each_shared(&self, see: &mut dyn FnMut(Seen<'_, T>)) {
        (**self).each_shared(see);
    }

    fn batch_size(&self) -> Option<u64> {
        (**self).batch_size()
    }
}

/// What stands behind a pointer is the batch.
macro_rules! pointers {
    ($($type:ty, $target:ident => $mutable:expr;)*) => {$(
        impl<$target: Items + ?Sized> Items for $type {
            type Item = $target::Item;

            fn each(&mut self, see: &mut dyn FnMut(Seen<'_, Self::Item>)) {
                let mutable: fn(&mut Self) -> Option<&mut $target> = $mutable;
                match mutable(self) {
                    Some(items) => items.each(see),
                    None => self.each_shared(see),
                }
            }

            fn each_shared(&self, see: &mut dyn FnMut(Seen<'_, Self::Item>)) {
                (**self).each_shared(see);
            }

            fn batch_size(&self) -> Option<u64> {
                (**self).batch_size()
            }
        }
    )*};
}

pointers! {
    &B, B => |_| None;
    &mut B, B => |items| Some(items);
    Box<B>, B => |items| Some(items);
    Arc<B>, B => |items| Arc::get_mut(items);
    Rc<B>, B => |items| Rc::get_mut(items);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look<B: Items<Item = u32>>(mut batch: B) -> (Option<u64>, Vec<u32>, usize) {
        let (mut seen, mut owned) = (Vec::new(), 0);
        let size = batch.batch_size();
        batch.each(&mut |item| match item {
            Seen::Owned(item) => {
                owned += 1;
                seen.push(*item);
            }
            Seen::Shared(item) => seen.push(*item),
        });
        (size, seen, owned)
    }

    #[test]
    fn every_kind_of_batch_shows_its_messages_and_what_may_be_written_to() {
        let expected = |owned| (Some(2), vec![1, 2], owned);
        let vector = || vec![1, 2];
        assert_eq!(look(vector()), expected(2));
        assert_eq!(look(&mut vector()), expected(2));
        assert_eq!(look(&vector()), expected(0));
        assert_eq!(look([1, 2]), expected(2));
        assert_eq!(look(&[1, 2][..]), expected(0));
        assert_eq!(look(VecDeque::from(vector())), expected(2));
        assert_eq!(look(LinkedList::from([1, 2])), expected(2));
        assert_eq!(look(BTreeSet::from([1, 2])), expected(0));
        assert_eq!(look(vector().into_boxed_slice()), expected(2));
        assert_eq!(look(vector().into_iter()), expected(2));
        assert_eq!(look(vector().drain(..)), expected(0));
        assert_eq!(look([1, 2].iter()), expected(0));
        assert_eq!(look(Cow::from(&[1, 2][..])), expected(0));
        assert_eq!(look(Cow::from(vector())), expected(2));
        let shared = Arc::new(vector());
        assert_eq!(look(Arc::clone(&shared)), expected(0));
        drop(shared);
        assert_eq!(look(Arc::<[u32]>::from([1, 2])), expected(2));
        assert_eq!(look(One(&mut 1)), (None, vec![1], 1));
    }
}
