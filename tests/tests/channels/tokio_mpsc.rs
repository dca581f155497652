//! Every method of tokio's mpsc.

use std::future::poll_fn;
use std::time::Duration;

use super::{as_the_original, block_on};

const LONG: Duration = Duration::from_secs(9);
const SHORT: Duration = Duration::from_millis(1);

as_the_original! { tokio::sync::mpsc, reflow_trace::channel::tokio::mpsc;
    fn messages_come_in_order_and_then_the_end() { block_on(async {
        let (sender, mut receiver) = subject::channel(8);
        sender.send(0).await.expect("there");
        sender.send_timeout(1, LONG).await.expect("there");
        sender.try_send(2).expect("there");
        assert_eq!((sender.capacity(), sender.max_capacity()), (5, 8));
        assert_eq!((receiver.len(), receiver.capacity(), receiver.max_capacity()), (3, 5, 8));
        assert!(!receiver.is_empty() && !receiver.is_closed());
        drop(sender);
        assert_eq!(receiver.recv().await, Some(0));
        assert_eq!(receiver.try_recv(), Ok(1));
        assert_eq!(poll_fn(|cx| receiver.poll_recv(cx)).await, Some(2));
        assert_eq!(receiver.recv().await, None);
        assert_eq!(receiver.try_recv(), Err(subject::error::TryRecvError::Disconnected));
        assert!(receiver.is_empty() && receiver.is_closed());
    }) }

    fn there_is_no_room() { block_on(async {
        let (sender, mut receiver) = subject::channel(1);
        sender.send('a').await.expect("there");
        assert_eq!(sender.try_send('b'), Err(subject::error::TrySendError::Full('b')));
        assert_eq!(
            sender.send_timeout('c', SHORT).await,
            Err(subject::error::SendTimeoutError::Timeout('c'))
        );
        assert!(matches!(sender.try_reserve(), Err(subject::error::TrySendError::Full(()))));
        assert!(tokio::time::timeout(SHORT, sender.send('d')).await.is_err());
        assert_eq!(receiver.recv().await, Some('a'));
        assert_eq!(receiver.try_recv(), Err(subject::error::TryRecvError::Empty));
    }) }

    fn a_message_comes_back_when_the_receiver_is_gone() { block_on(async {
        let (sender, receiver) = subject::channel(4);
        sender.send("inside").await.expect("there");
        drop(receiver);
        assert!(sender.is_closed());
        sender.closed().await;
        assert_eq!(sender.send("a").await, Err(subject::error::SendError("a")));
        assert_eq!(sender.try_send("b"), Err(subject::error::TrySendError::Closed("b")));
        assert_eq!(
            sender.send_timeout("c", LONG).await,
            Err(subject::error::SendTimeoutError::Closed("c"))
        );
        assert!(sender.reserve().await.is_err());
        assert!(sender.reserve_many(2).await.is_err());
        assert!(matches!(sender.try_reserve(), Err(subject::error::TrySendError::Closed(()))));
        assert!(sender.try_reserve_many(2).is_err());
        assert!(sender.clone().reserve_owned().await.is_err());
        assert!(matches!(
            sender.try_reserve_owned(),
            Err(subject::error::TrySendError::Closed(_))
        ));
    }) }

    fn reserved_places_are_kept() { block_on(async {
        let (sender, mut receiver) = subject::channel(5);
        let permit = sender.reserve().await.expect("there");
        let other = sender.try_reserve().expect("there");
        assert_eq!(sender.capacity(), 3);
        permit.send(1);
        drop(other);
        assert_eq!(sender.capacity(), 4);
        let mut permits = sender.reserve_many(2).await.expect("there");
        assert_eq!(permits.len(), 2);
        permits.next().expect("the first").send(2);
        assert_eq!(permits.size_hint(), (1, Some(1)));
        drop(permits);
        for permit in sender.try_reserve_many(2).expect("there") {
            permit.send(3);
        }
        let owned = sender.clone().try_reserve_owned().expect("there");
        assert!(owned.same_channel_as_sender(&sender));
        assert!(matches!(
            sender.clone().try_reserve_owned(),
            Err(subject::error::TrySendError::Full(_))
        ));
        let sender = owned.send(4);
        assert_eq!(receiver.recv().await, Some(1));
        let owned = sender.reserve_owned().await.expect("there");
        let sender = owned.release();
        assert_eq!(sender.capacity(), 1);
        drop(sender);
        let mut rest = Vec::new();
        assert_eq!(receiver.recv_many(&mut rest, 9).await, 4);
        assert_eq!(rest, [2, 3, 3, 4]);
    }) }

    fn many_are_received_at_once() { block_on(async {
        let (sender, mut receiver) = subject::channel(32);
        for number in 0..10 {
            sender.send(number).await.expect("there");
        }
        let mut buffer = vec![99];
        assert_eq!(receiver.recv_many(&mut buffer, 0).await, 0);
        assert_eq!(receiver.recv_many(&mut buffer, 3).await, 3);
        assert_eq!(poll_fn(|cx| receiver.poll_recv_many(cx, &mut buffer, 4)).await, 4);
        drop(sender);
        assert_eq!(receiver.recv_many(&mut buffer, 100).await, 3);
        assert_eq!(receiver.recv_many(&mut buffer, 100).await, 0);
        assert_eq!(buffer, [99, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }) }

    fn a_closed_receiver_empties_the_channel() { block_on(async {
        let (sender, mut receiver) = subject::channel(4);
        let permit = sender.reserve().await.expect("there");
        receiver.close();
        assert!(receiver.is_closed() && sender.is_closed());
        assert!(sender.send(1).await.is_err());
        permit.send(2);
        assert_eq!(receiver.recv().await, Some(2));
        assert_eq!(receiver.recv().await, None);
    }) }

    fn handles_are_counted() { block_on(async {
        let (sender, receiver) = subject::channel::<u8>(4);
        let other = sender.clone();
        let weak = sender.downgrade();
        let weaker = weak.clone();
        assert!(sender.same_channel(&other));
        assert_eq!((sender.strong_count(), sender.weak_count()), (2, 2));
        assert_eq!((weak.strong_count(), weak.weak_count()), (2, 2));
        assert_eq!((receiver.sender_strong_count(), receiver.sender_weak_count()), (2, 2));
        drop(weaker);
        weak.upgrade().expect("still there").try_send(1).expect("there");
        drop((sender, other));
        assert!(weak.upgrade().is_none());
        drop(receiver);
    }) }

    fn threads_may_block() {
        let (sender, mut receiver) = subject::channel(2);
        std::thread::scope(|scope| {
            scope.spawn(move || (1..=100).for_each(|number| sender.blocking_send(number).expect("there")));
            assert_eq!(receiver.blocking_recv(), Some(1));
            let mut rest = Vec::new();
            while receiver.blocking_recv_many(&mut rest, 7) > 0 {}
            assert_eq!(rest.iter().sum::<u32>(), 5049);
        });
        assert_eq!(receiver.blocking_recv(), None);
        let (sender, receiver) = subject::channel(2);
        drop(receiver);
        assert_eq!(sender.blocking_send(1), Err(subject::error::SendError(1)));
    }

    fn blocking_within_a_runtime_panics_and_drops_the_message_once() {
        let message = std::sync::Arc::new(());
        let (sender, receiver) = subject::channel(2);
        let sent = message.clone();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            block_on(async { sender.blocking_send(sent) })
        }));
        assert!(panicked.is_err());
        assert_eq!(std::sync::Arc::strong_count(&message), 1);
        drop(receiver);
    }

    fn an_unbounded_channel_never_waits() { block_on(async {
        let (sender, mut receiver) = subject::unbounded_channel();
        for number in 0..10 {
            sender.send(number).expect("there");
        }
        assert_eq!(receiver.len(), 10);
        assert!(!receiver.is_empty() && !receiver.is_closed());
        assert_eq!(receiver.recv().await, Some(0));
        assert_eq!(receiver.try_recv(), Ok(1));
        assert_eq!(poll_fn(|cx| receiver.poll_recv(cx)).await, Some(2));
        let mut buffer = Vec::new();
        assert_eq!(receiver.recv_many(&mut buffer, 2).await, 2);
        assert_eq!(poll_fn(|cx| receiver.poll_recv_many(cx, &mut buffer, 2)).await, 2);
        assert_eq!(buffer, [3, 4, 5, 6]);
        let weak = sender.downgrade();
        assert_eq!((weak.strong_count(), weak.weak_count()), (1, 1));
        let other = weak.clone().upgrade().expect("still there");
        assert!(other.same_channel(&sender));
        assert_eq!((sender.strong_count(), sender.weak_count()), (2, 1));
        assert_eq!((receiver.sender_strong_count(), receiver.sender_weak_count()), (2, 1));
        receiver.close();
        assert!(sender.is_closed() && receiver.is_closed());
        sender.closed().await;
        assert_eq!(sender.send(11), Err(subject::error::SendError(11)));
        assert_eq!(receiver.recv().await, Some(7));
        drop(receiver);
    }) }

    fn an_unbounded_receiver_may_block() {
        let (sender, mut receiver) = subject::unbounded_channel();
        sender.clone().send(1).expect("there");
        sender.send(2).expect("there");
        drop(sender);
        assert_eq!(receiver.blocking_recv(), Some(1));
        let mut rest = Vec::new();
        assert_eq!(receiver.blocking_recv_many(&mut rest, 9), 1);
        assert_eq!(receiver.blocking_recv(), None);
    }
}

#[test]
#[should_panic(expected = "buffer > 0")]
fn no_room_at_all_panics_like_the_original() {
    let _channel = reflow_trace::channel::tokio::mpsc::channel::<u8>(0);
}
