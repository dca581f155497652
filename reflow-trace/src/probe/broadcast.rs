//! How many receivers a broadcast has reached, where what it returns says so.

use super::batch::Batch;
use super::flow::Flow;
use crate::message::AttributeValue;

/// Wraps a reference to what was returned, so that [`FanOut`] finds a number in it.
#[derive(Debug)]
pub struct Reached<'a, T>(pub &'a T);

/// The number of receivers: a returned `usize`, as tokio's broadcast gives it, also in a `Result` or an `Option`.
///
/// Other numbers may mean anything. Impls stand at two depths of reference: a number is found first, anything else after
/// it.
pub trait FanOut {
    /// The number, where it is one.
    fn reached(&self) -> Option<u64>;
}

impl FanOut for Reached<'_, usize> {
    #[inline]
    fn reached(&self) -> Option<u64> {
        Some(*self.0 as u64)
    }
}

impl FanOut for Reached<'_, Option<usize>> {
    #[inline]
    fn reached(&self) -> Option<u64> {
        self.0.map(|number| number as u64)
    }
}

impl<E> FanOut for Reached<'_, Result<usize, E>> {
    #[inline]
    fn reached(&self) -> Option<u64> {
        self.0.as_ref().ok().map(|&number| number as u64)
    }
}

impl<T> FanOut for &Reached<'_, T> {
    #[inline]
    fn reached(&self) -> Option<u64> {
        None
    }
}

const FAN_OUT: &str = "fan_out";

impl Flow {
    /// Adds the number of receivers to the record.
    #[inline]
    pub fn fan_out(&mut self, reached: Option<u64>) {
        if let Some(reached) = reached {
            self.attribute(FAN_OUT, AttributeValue::Unsigned(reached));
        }
    }
}

impl Batch {
    /// Adds the number of receivers to the records.
    pub fn fan_out(&mut self, reached: Option<u64>) {
        if let Some(reached) = reached {
            self.attribute(FAN_OUT, AttributeValue::Unsigned(reached));
        }
    }
}
