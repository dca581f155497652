//! How many messages are waiting, asked of the channel without knowing it.

use crate::record::max;

/// A queue depth, if it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth(u64);

impl Depth {
    /// Nobody knows.
    pub const UNKNOWN: Self = Self(u64::MAX);

    /// A number, or an `Option` of one.
    #[inline]
    pub fn of(length: impl QueueLength) -> Self {
        length
            .length()
            .map_or(Self::UNKNOWN, |length| Self(length.min(max::DEPTH)))
    }

    /// The length where the channel tells it, else what is missing of the capacity.
    ///
    /// crossbeam, flume and async-channel have `len`; tokio's bounded sender has `capacity` (free
    /// places) and `max_capacity`.
    #[inline]
    pub fn probed(
        length: impl QueueLength,
        free: impl QueueLength,
        places: impl QueueLength,
    ) -> Self {
        match (length.length(), free.length(), places.length()) {
            (Some(length), _, _) => Self(length.min(max::DEPTH)),
            (None, Some(free), Some(places)) => Self(places.saturating_sub(free).min(max::DEPTH)),
            _ => Self::UNKNOWN,
        }
    }

    #[inline]
    pub(crate) fn known(self) -> Option<u64> {
        (self != Self::UNKNOWN).then_some(self.0)
    }
}

/// What may tell a length.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not tell how many messages are waiting",
    label = "not a number",
    note = "the depth of a queue is a `usize`, `u64`, `u32` or `u16`, or an `Option` of one"
)]
pub trait QueueLength {
    /// The number, where it is one.
    fn length(self) -> Option<u64>;
}

macro_rules! lengths {
    ($($type:ty)*) => {$(
        impl QueueLength for $type {
            #[inline]
            fn length(self) -> Option<u64> {
                Some(self as u64)
            }
        }
    )*};
}

lengths!(usize u64 u32 u16);

impl<T: QueueLength> QueueLength for Option<T> {
    #[inline]
    fn length(self) -> Option<u64> {
        self.and_then(T::length)
    }
}

/// The channel has no such method.
#[derive(Clone, Copy, Debug)]
pub struct Unsaid;

impl QueueLength for Unsaid {
    #[inline]
    fn length(self) -> Option<u64> {
        None
    }
}

/// Stands in for the methods that a channel lacks; inherent methods are found first.
#[expect(
    clippy::len_without_is_empty,
    reason = "nobody asks whether it is empty"
)]
pub trait DepthFallback {
    /// Not told.
    #[inline]
    fn len(&self) -> Unsaid {
        Unsaid
    }
    /// Not told.
    #[inline]
    fn capacity(&self) -> Unsaid {
        Unsaid
    }
    /// Not told.
    #[inline]
    fn max_capacity(&self) -> Unsaid {
        Unsaid
    }
}

impl<T: ?Sized> DepthFallback for T {}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bounded;
    impl Bounded {
        fn capacity(&self) -> usize {
            3
        }
        fn max_capacity(&self) -> usize {
            10
        }
    }

    #[test]
    fn the_depth_is_what_the_channel_tells() {
        let channel = vec![1, 2];
        assert_eq!(
            Depth::probed(channel.len(), channel.capacity(), channel.max_capacity()).known(),
            Some(2)
        );
        let channel = Bounded;
        assert_eq!(
            Depth::probed(channel.len(), channel.capacity(), channel.max_capacity()).known(),
            Some(7)
        );
        let channel = 5;
        assert_eq!(
            Depth::probed(channel.len(), channel.capacity(), channel.max_capacity()).known(),
            None
        );
        assert_eq!(Depth::of(None::<usize>).known(), None);
        assert_eq!(Depth::of(u64::MAX).known(), Some(max::DEPTH));
    }
}
