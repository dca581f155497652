//! A traced end is `Send`, `Sync`, `Unpin`, safe to unwind, and so on, exactly where its original is.

use std::cell::Cell;
use std::marker::PhantomPinned;
use std::rc::Rc;

use reflow_trace::channel;

/// What holds of a type for which the inherent constant of a probe does not stand.
trait Otherwise {
    const HOLDS: bool = false;
}

macro_rules! probes {
    ($($probe:ident: $bound:path;)*) => {$(
        struct $probe<T>(std::marker::PhantomData<T>);
        impl<T> Otherwise for $probe<T> {}
        impl<T: $bound> $probe<T> {
            const HOLDS: bool = true;
        }
    )*};
}

probes! {
    IsSend: Send;
    IsSync: Sync;
    IsUnpin: Unpin;
    IsUnwindSafe: std::panic::UnwindSafe;
    IsRefUnwindSafe: std::panic::RefUnwindSafe;
    IsClone: Clone;
    IsDebug: std::fmt::Debug;
}

macro_rules! traits_of {
    ($type:ty) => {
        [
            ("Send", <IsSend<$type>>::HOLDS),
            ("Sync", <IsSync<$type>>::HOLDS),
            ("Unpin", <IsUnpin<$type>>::HOLDS),
            ("UnwindSafe", <IsUnwindSafe<$type>>::HOLDS),
            ("RefUnwindSafe", <IsRefUnwindSafe<$type>>::HOLDS),
            ("Clone", <IsClone<$type>>::HOLDS),
            ("Debug", <IsDebug<$type>>::HOLDS),
        ]
    };
}

/// Ends with messages of each kind.
macro_rules! check {
    ($original:ident, $ours:ident, [$($end:ident)*]) => {$(
        check!(@ $original::$end<u32>, $ours::$end<u32>);
        check!(@ $original::$end<Rc<u32>>, $ours::$end<Rc<u32>>);
        check!(@ $original::$end<Cell<u32>>, $ours::$end<Cell<u32>>);
        check!(@ $original::$end<PhantomPinned>, $ours::$end<PhantomPinned>);
        check!(@ $original::$end<&'static mut Cell<u32>>, $ours::$end<&'static mut Cell<u32>>);
    )*};
    (@ $original:ty, $ours:ty) => {
        assert_eq!(traits_of!($ours), traits_of!($original), stringify!($ours));
    };
}

#[test]
fn a_trait_that_does_not_hold_is_seen() {
    let holds: Vec<_> = traits_of!(Rc<Cell<u8>>)
        .iter()
        .map(|(_, holds)| *holds)
        .collect();
    assert_eq!(holds, [false, false, true, false, false, true, true]);
}

#[test]
fn of_the_standard_library() {
    use channel::std::mpsc as ours;
    use std::sync::mpsc as original;
    check!(original, ours, [Sender SyncSender Receiver IntoIter]);
}

#[test]
fn of_crossbeam() {
    use channel::crossbeam as ours;
    use crossbeam_channel as original;
    check!(original, ours, [Sender Receiver IntoIter]);
}

#[test]
fn of_flume() {
    use ::flume as original;
    use channel::flume as ours;
    check!(original, ours, [Sender WeakSender Receiver IntoIter]);
    check!(@ original::r#async::SendFut<'static, Rc<u32>>, ours::SendFut<'static, Rc<u32>>);
    check!(@ original::r#async::RecvFut<'static, u32>, ours::RecvFut<'static, u32>);
    check!(@ original::r#async::RecvStream<'static, u32>, ours::RecvStream<'static, u32>);
}

#[test]
fn of_async_channel() {
    use ::async_channel as original;
    use channel::async_channel as ours;
    check!(original, ours, [Sender WeakSender Receiver WeakReceiver]);
    check!(@ original::Send<'static, u32>, ours::Send<'static, u32>);
    check!(@ original::Recv<'static, Rc<u32>>, ours::Recv<'static, Rc<u32>>);
}

#[test]
fn of_tokio_mpsc() {
    use channel::tokio::mpsc as ours;
    use tokio::sync::mpsc as original;
    check!(original, ours, [
        Sender WeakSender Receiver UnboundedSender WeakUnboundedSender UnboundedReceiver OwnedPermit
    ]);
    check!(@ original::Permit<'static, Rc<u32>>, ours::Permit<'static, Rc<u32>>);
    check!(@ original::PermitIterator<'static, u32>, ours::PermitIterator<'static, u32>);
}

#[test]
fn of_tokio_oneshot_and_broadcast() {
    use channel::tokio::{broadcast as our_broadcast, oneshot as ours};
    use tokio::sync::{broadcast, oneshot as original};
    check!(original, ours, [Sender Receiver]);
    check!(broadcast, our_broadcast, [Sender WeakSender Receiver]);
}
