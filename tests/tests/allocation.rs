//! After warm-up the thread that sends allocates nothing, whether it records or only counts.
//!
//! The only binary of the tests with `unsafe`: a global allocator cannot be written without.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

use reflow_trace::{Context, Edge, MemorySink, Overflow, sample, traced_actor, traced_connector};
use reflow_trace_tests::Silence;

struct Counting;

thread_local! {
    // Constant and without a destructor: neither the first use nor the end of a thread allocates.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
}

// SAFETY: every call goes to the system's allocator with the arguments it came with, so what `System`
// guarantees is guaranteed here, and what it asks of the caller the caller of this has been asked.
// Counting neither allocates nor unwinds: the counter is a plain cell, and 2⁶⁴ are never reached.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller guarantees a layout of non-zero size, as `System` asks.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller guarantees a layout of non-zero size, as `System` asks.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the pointer came from `System`, through this allocator, with this layout; the caller
        // guarantees that and a size that is not zero.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `System`, through this allocator, with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of this thread while `work` runs.
fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

#[sample(always)]
#[derive(Default)]
struct Reading {
    #[trace(id)]
    id: u64,
    #[trace(context)]
    context: Context,
    #[trace(attribute)]
    celsius: f64,
    #[trace(attribute)]
    place: &'static str,
}

#[sample(never)]
#[derive(Default)]
struct Debug {
    #[trace(context)]
    context: Context,
}

#[sample(rate = 0.5)]
#[derive(Default)]
struct Half {
    #[trace(context)]
    context: Context,
}

struct Connector<N> {
    from_actor: N,
    from_port: N,
    to_actor: N,
    to_port: N,
}

#[traced_connector]
impl<N: std::ops::Deref<Target = str>> Connector<N> {
    fn send<M: reflow_trace::Message>(&self, message: M) -> Result<M, M> {
        Ok(message)
    }
}

struct WithHandle {
    edge: Edge,
}

#[traced_connector(edge = "self.edge")]
impl WithHandle {
    fn send(&self, message: Reading) -> Result<Reading, Reading> {
        Err(message)
    }
}

struct Actor;

#[traced_actor(actor = "\"actor\"")]
impl Actor {
    fn handle(&mut self, message: Reading) {
        let next = Reading {
            id: message.id + 1,
            ..Reading::default()
        };
        let _sent = connector().send(next).is_ok();
    }
}

fn connector() -> Connector<&'static str> {
    Connector {
        from_actor: "a",
        from_port: "out",
        to_actor: "b",
        to_port: "in",
    }
}

fn reading(id: u64) -> Reading {
    Reading {
        id,
        celsius: 20.5,
        place: "roof",
        ..Reading::default()
    }
}

const WARM_UP: u64 = 2_000;
const SENDS: u64 = 10_000;

/// What `send` allocates after warm-up, while everything is recorded; `recorded` says how many events
/// one of them makes.
fn allocations_of(recorded: std::ops::RangeInclusive<u64>, mut send: impl FnMut(u64)) -> u64 {
    let _alone = Silence::start();
    let guard = reflow_trace::builder()
        .sink(MemorySink::with_capacity(10))
        // What is dropped would prove nothing.
        .overflow(Overflow::Wait(Duration::from_secs(60)))
        .start()
        .expect("nobody records");
    (0..WARM_UP).for_each(&mut send);
    let allocations = allocations(|| (WARM_UP..WARM_UP + SENDS).for_each(&mut send));
    guard
        .flush(Duration::from_secs(60))
        .expect("the sink takes everything");
    let tracing = reflow_trace::global_tracing().expect("it is under way");
    let ledger = tracing.performance_metrics().ledger;
    assert!(ledger.balances() && ledger.lost_total() == 0, "{ledger}");
    let sends = SENDS + WARM_UP;
    let recorded = sends * recorded.start()..=sends * recorded.end();
    assert!(recorded.contains(&ledger.collected), "{ledger}");
    assert!(ledger.attempted >= sends, "{ledger}");
    allocations
}

#[test]
fn an_allocation_is_counted() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(1)))), 1);
}

#[test]
fn a_recorded_send_with_context_id_and_attributes_allocates_nothing() {
    let connector = connector();
    let send = |id| assert!(connector.send(reading(id)).is_ok());
    assert_eq!(allocations_of(1..=1, send), 0);
}

#[test]
fn a_send_that_is_not_sampled_allocates_nothing() {
    let connector = connector();
    let send = |_| assert!(connector.send(Debug::default()).is_ok());
    assert_eq!(allocations_of(0..=0, send), 0);
}

#[test]
fn a_send_that_is_sampled_by_rate_allocates_nothing() {
    let connector = connector();
    let send = |_| assert!(connector.send(Half::default()).is_ok());
    assert_eq!(allocations_of(0..=1, send), 0);
}

#[test]
fn a_send_over_a_handle_that_fails_allocates_nothing() {
    let connector = WithHandle {
        edge: Edge::new("a", "out", "b", "in"),
    };
    let send = |id| assert!(connector.send(reading(id)).is_err());
    assert_eq!(allocations_of(1..=1, send), 0);
}

#[test]
fn a_handling_and_what_it_causes_allocate_nothing() {
    let mut actor = Actor;
    assert_eq!(allocations_of(2..=2, |id| actor.handle(reading(id))), 0);
}

#[test]
fn sends_over_many_edges_in_turn_allocate_nothing() {
    // More than a thread finds by the addresses of their names.
    const EDGES: u64 = 1_000;
    let connectors: Vec<_> = (0..EDGES)
        .map(|number| Connector {
            from_actor: format!("from {number}"),
            from_port: "out".to_owned(),
            to_actor: format!("to {number}"),
            to_port: "in".to_owned(),
        })
        .collect();
    let send = |id: u64| {
        let connector = &connectors[id as usize % connectors.len()];
        assert!(connector.send(Debug::default()).is_ok());
    };
    assert_eq!(allocations_of(0..=0, send), 0);
}

#[test]
fn names_beyond_the_limit_allocate_nothing() {
    let long = "ü".repeat(1_000);
    let connector = Connector {
        from_actor: long.as_str(),
        from_port: "out",
        to_actor: long.as_str(),
        to_port: "in",
    };
    let send = |_| assert!(connector.send(Debug::default()).is_ok());
    assert_eq!(allocations_of(0..=0, send), 0);
}

/// What the original allocates for as many messages, after as much warm-up.
fn allocations_of_original(mut send: impl FnMut(u64)) -> u64 {
    (0..WARM_UP).for_each(&mut send);
    allocations(|| (WARM_UP..WARM_UP + SENDS).for_each(&mut send))
}

#[test]
fn a_traced_channel_allocates_what_its_original_does() {
    use reflow_trace::channel;

    macro_rules! compare {
        ($name:literal, $channel:expr => $original:expr, |$sender:ident, $receiver:ident, $id:ident| $pass:expr) => {{
            let original = {
                let ($sender, mut $receiver) = $original;
                let _unused_mut = &mut $receiver;
                allocations_of_original(|$id| $pass)
            };
            let ours = {
                let ($sender, mut $receiver) = $channel;
                let _unused_mut = &mut $receiver;
                allocations_of(2..=2, |$id| $pass)
            };
            assert_eq!(ours, original, $name);
        }};
    }

    compare!("std", channel::std::mpsc::channel() => std::sync::mpsc::channel(), |sender, receiver, id| {
        assert!(sender.send(reading(id)).is_ok());
        assert!(receiver.recv().is_ok());
    });
    compare!("std bounded", channel::std::mpsc::sync_channel(4) => std::sync::mpsc::sync_channel(4), |sender, receiver, id| {
        assert!(sender.send(reading(id)).is_ok());
        assert!(receiver.recv().is_ok());
    });
    compare!("crossbeam", channel::crossbeam::bounded(4) => crossbeam_channel::bounded(4), |sender, receiver, id| {
        assert!(sender.send(reading(id)).is_ok());
        assert!(receiver.recv().is_ok());
    });
    compare!("tokio", channel::tokio::mpsc::channel(4) => tokio::sync::mpsc::channel(4), |sender, receiver, id| {
        assert!(sender.try_send(reading(id)).is_ok());
        assert!(receiver.try_recv().is_ok());
    });
    compare!("tokio unbounded", channel::tokio::mpsc::unbounded_channel() => tokio::sync::mpsc::unbounded_channel(), |sender, receiver, id| {
        assert!(sender.send(reading(id)).is_ok());
        assert!(receiver.try_recv().is_ok());
    });
    let with_policy = || {
        let (sender, receiver) = channel::crossbeam::bounded(4);
        (sender.with_policy(), receiver)
    };
    compare!("with id and attributes", with_policy() => crossbeam_channel::bounded(4), |sender, receiver, id| {
        assert!(sender.send(reading(id)).is_ok());
        assert!(receiver.recv().is_ok());
    });
    compare!("many at once", channel::tokio::mpsc::channel(4) => tokio::sync::mpsc::channel(4), |sender, receiver, id| {
        let mut buffer = Vec::new();
        assert!(sender.blocking_send(id).is_ok());
        assert_eq!(receiver.blocking_recv_many(&mut buffer, 4), 1);
    });
}

#[test]
fn what_is_dropped_inside_a_channel_allocates_nothing_more() {
    use reflow_trace::channel::tokio::oneshot;

    let original = allocations_of_original(|id| {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        assert!(sender.send(id).is_ok());
        drop(receiver);
    });
    let ours = allocations_of(2..=2, |id| {
        let (sender, receiver) = oneshot::channel();
        assert!(sender.send(id).is_ok());
        drop(receiver);
    });
    // What both ends share.
    assert_eq!(ours, original + SENDS);
}
