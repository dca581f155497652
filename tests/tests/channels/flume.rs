//! Every method of flume's channels.

use std::time::{Duration, Instant};

use futures::StreamExt as _;
use futures::future::FusedFuture as _;

use super::{as_the_original, block_on, poll_once};

const LONG: Duration = Duration::from_secs(9);
const SHORT: Duration = Duration::from_millis(1);

as_the_original! { ::flume, reflow_trace::channel::flume;
    fn messages_come_in_order_and_then_the_end() {
        let (sender, receiver) = subject::unbounded();
        for number in 0..8 {
            sender.send(number).expect("the receiver is there");
        }
        assert_eq!((sender.len(), receiver.len()), (8, 8));
        assert_eq!((sender.capacity(), receiver.capacity()), (None, None));
        drop(sender);
        assert!(receiver.is_disconnected());
        assert_eq!(receiver.recv(), Ok(0));
        assert_eq!(receiver.try_recv(), Ok(1));
        assert_eq!(receiver.recv_timeout(LONG), Ok(2));
        assert_eq!(receiver.recv_deadline(Instant::now() + LONG), Ok(3));
        assert_eq!(receiver.try_iter().take(1).collect::<Vec<_>>(), [4]);
        assert_eq!(IntoIterator::into_iter(&receiver).next(), Some(5));
        let drain = receiver.drain();
        assert_eq!(drain.len(), 2);
        assert_eq!(drain.collect::<Vec<_>>(), [6, 7]);
        assert_eq!(receiver.recv(), Err(subject::RecvError::Disconnected));
        assert_eq!(receiver.try_recv(), Err(subject::TryRecvError::Disconnected));
        assert_eq!(receiver.into_iter().next(), None);
    }

    fn a_bounded_channel_tells_how_full_it_is() {
        let (sender, receiver) = subject::bounded(2);
        assert!(sender.is_empty() && receiver.is_empty());
        assert_eq!(sender.send(1), Ok(()));
        assert_eq!(sender.send_timeout(2, LONG), Ok(()));
        assert!(sender.is_full() && receiver.is_full());
        assert_eq!(sender.try_send(3), Err(subject::TrySendError::Full(3)));
        assert_eq!(sender.send_timeout(4, SHORT), Err(subject::SendTimeoutError::Timeout(4)));
        assert_eq!(
            sender.send_deadline(5, Instant::now()),
            Err(subject::SendTimeoutError::Timeout(5))
        );
        assert_eq!(receiver.iter().next(), Some(1));
        assert_eq!(receiver.recv_timeout(SHORT), Ok(2));
        assert_eq!(receiver.recv_timeout(SHORT), Err(subject::RecvTimeoutError::Timeout));
        assert_eq!(receiver.try_recv(), Err(subject::TryRecvError::Empty));
        drop(sender);
    }

    fn a_message_comes_back_when_the_receivers_are_gone() { block_on(async {
        let (sender, receiver) = subject::bounded(4);
        sender.send("inside").expect("there");
        drop(receiver);
        assert!(sender.is_disconnected());
        assert_eq!(sender.send("a"), Err(subject::SendError("a")));
        assert_eq!(sender.try_send("b"), Err(subject::TrySendError::Disconnected("b")));
        assert_eq!(sender.send_timeout("c", LONG), Err(subject::SendTimeoutError::Disconnected("c")));
        assert_eq!(sender.send_async("d").await, Err(subject::SendError("d")));
        assert_eq!(sender.into_send_async("e").await, Err(subject::SendError("e")));
    }) }

    fn tasks_wait_for_room_and_for_messages() { block_on(async {
        let (sender, receiver) = subject::bounded(1);
        drop(sender.send_async(0));
        assert_eq!(sender.send_async(1).await, Ok(()));
        let mut waiting = sender.send_async(2);
        assert!(poll_once(&mut waiting).await.is_pending());
        assert!(!waiting.is_terminated());
        let mut given_up = Box::pin(sender.clone().into_send_async(3));
        assert!(poll_once(&mut given_up).await.is_pending());
        drop(given_up);
        assert_eq!(receiver.recv_async().await, Ok(1));
        assert_eq!((&mut waiting).await, Ok(()));
        assert_eq!(receiver.stream().next().await, Some(2));
        let mut receive = receiver.recv_async();
        assert!(poll_once(&mut receive).await.is_pending());
        drop(waiting);
        assert_eq!(sender.clone().into_send_async(4).await, Ok(()));
        assert_eq!(receive.await, Ok(4));
        drop(sender);
        assert_eq!(receiver.clone().into_stream().next().await, None);
        assert!(receiver.into_recv_async().await.is_err());
    }) }

    fn a_send_that_is_dropped_after_the_message_was_taken_was_no_cancelled_one() { block_on(async {
        let (sender, receiver) = subject::bounded(1);
        sender.send(1).expect("there");
        let mut waiting = Box::pin(sender.send_async(2));
        assert!(poll_once(&mut waiting).await.is_pending());
        assert_eq!(receiver.recv(), Ok(1));
        // The message is in the channel; the future does not know it yet.
        drop(waiting);
        assert_eq!(receiver.try_recv(), Ok(2));
    }) }

    fn handles_are_counted() {
        let (sender, receiver) = subject::unbounded::<u8>();
        let weak = sender.downgrade();
        let other = weak.clone().upgrade().expect("there");
        assert!(sender.same_channel(&other) && receiver.same_channel(&receiver.clone()));
        assert_eq!((sender.sender_count(), receiver.sender_count()), (2, 2));
        assert_eq!((sender.receiver_count(), receiver.receiver_count()), (1, 1));
        drop((sender, other));
        assert!(weak.upgrade().is_none());
    }
}
