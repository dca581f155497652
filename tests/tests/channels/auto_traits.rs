//! A traced end is `Send`, `Sync`, `Unpin` and safe to unwind exactly where its original is.

use std::cell::Cell;
use std::marker::PhantomPinned;
use std::rc::Rc;

use reflow_trace::channel;

/// Whether a type has a trait: the inherent constant is found first where its bound holds.
macro_rules! is {
    ($type:ty: $($bound:tt)+) => {{
        trait Otherwise {
            const IS: bool = false;
        }
        impl<T: ?Sized> Otherwise for T {}
        struct Probe<T: ?Sized>(std::marker::PhantomData<T>);
        #[allow(dead_code)]
        impl<T: ?Sized + $($bound)+> Probe<T> {
            const IS: bool = true;
        }
        <Probe<$type>>::IS
    }};
}

macro_rules! traits_of {
    ($type:ty) => {
        [
            ("Send", is!($type: Send)),
            ("Sync", is!($type: Sync)),
            ("Unpin", is!($type: Unpin)),
            ("UnwindSafe", is!($type: std::panic::UnwindSafe)),
            ("RefUnwindSafe", is!($type: std::panic::RefUnwindSafe)),
            ("Clone", is!($type: Clone)),
            ("Debug", is!($type: std::fmt::Debug)),
        ]
    };
}

/// One end with each kind of message.
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
