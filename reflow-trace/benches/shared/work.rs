//! The work: a message of 32 bytes is stored into a slot that was allocated before.
//!
//! It is what a send does in a queue that has room. The message is really stored, and stored as a
//! whole: a body that only adds a number up can stall on the store it has just made, and the probes
//! around it then seem to cost nothing. For the same reason messages are made beforehand: one that has
//! just been put together from small pieces stalls whoever copies it.

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Small enough for the nearest cache, with everything else.
const SLOTS: usize = 256;
const MESSAGES: usize = 64;

/// Somewhere to put messages.
pub(crate) struct Channel<M> {
    slots: Vec<Cell<M>>,
    next: Cell<usize>,
}

/// There is no room; it never happens, and the compiler does not know.
#[derive(Debug)]
pub(crate) struct Full;

impl<M: Copy> Channel<M> {
    pub(crate) fn new(first: M) -> Self {
        Self {
            slots: vec![Cell::new(first); SLOTS],
            next: Cell::new(0),
        }
    }

    #[inline(always)]
    pub(crate) fn put(&self, message: M) -> Result<(), Full> {
        let at = self.next.get();
        if at == usize::MAX {
            return Err(Full);
        }
        self.next.set(at + 1);
        self.slots[at % SLOTS].set(message);
        Ok(())
    }
}

/// Messages to be sent, again and again.
pub(crate) struct Messages<M>(Vec<M>);

impl<M: Copy + From<u64>> Messages<M> {
    pub(crate) fn new() -> Self {
        Self((0..MESSAGES as u64).map(M::from).collect())
    }

    #[inline(always)]
    pub(crate) fn nth(&self, number: u64) -> M {
        self.0[number as usize % MESSAGES]
    }
}

/// The message, where nobody traces it.
#[derive(Clone, Copy)]
#[expect(dead_code, reason = "nobody receives it")]
pub(crate) struct Load {
    number: u64,
    bytes: [u8; 24],
}

impl From<u64> for Load {
    fn from(number: u64) -> Self {
        Self {
            number,
            bytes: [number as u8; 24],
        }
    }
}

/// A connector that nobody traces.
pub(crate) struct Bare {
    channel: Channel<Load>,
}

impl Bare {
    pub(crate) fn new() -> Self {
        Self {
            channel: Channel::new(Load::from(0)),
        }
    }

    #[inline(never)]
    pub(crate) fn send(&self, message: Load) -> Result<(), Full> {
        self.channel.put(message)
    }

    pub(crate) async fn send_async(&self, message: Load) -> Result<(), Full> {
        self.channel.put(message)
    }
}

/// Drives a future that is ready at once, as the executor's turn that finds it.
#[inline(never)]
pub(crate) fn drive<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut task = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut task) {
            return output;
        }
    }
}
