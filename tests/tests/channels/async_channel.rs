//! Every method of async-channel's channels.

use futures::StreamExt as _;
use futures::stream::FusedStream as _;

use super::{as_the_original, block_on, poll_once};

as_the_original! { ::async_channel, reflow_trace::channel::async_channel;
    fn messages_come_in_order_and_then_the_end() { block_on(async {
        let (sender, receiver) = subject::unbounded();
        for number in 0..5 {
            assert_eq!(sender.send(number).await, Ok(()));
        }
        assert_eq!((sender.len(), receiver.len()), (5, 5));
        assert_eq!((sender.capacity(), receiver.capacity()), (None, None));
        drop(sender);
        assert!(receiver.is_closed() && !receiver.is_terminated());
        assert_eq!(receiver.recv().await, Ok(0));
        assert_eq!(receiver.try_recv(), Ok(1));
        assert_eq!(receiver.recv_blocking(), Ok(2));
        let mut stream = Box::pin(receiver);
        assert_eq!(stream.next().await, Some(3));
        assert_eq!(stream.next().await, Some(4));
        assert_eq!(stream.next().await, None);
        assert!(stream.is_terminated());
        assert_eq!(stream.recv().await, Err(subject::RecvError));
        assert_eq!(stream.try_recv(), Err(subject::TryRecvError::Closed));
    }) }

    fn there_is_no_room() { block_on(async {
        let (sender, receiver) = subject::bounded(1);
        assert!(sender.is_empty() && receiver.is_empty());
        assert_eq!(receiver.try_recv(), Err(subject::TryRecvError::Empty));
        assert_eq!(sender.send_blocking(1), Ok(()));
        assert!(sender.is_full() && receiver.is_full());
        assert_eq!(sender.try_send(2), Err(subject::TrySendError::Full(2)));
        drop(sender.send(3));
        let mut given_up = Box::pin(sender.send(4));
        assert!(poll_once(&mut given_up).await.is_pending());
        drop(given_up);
        let mut waiting = Box::pin(sender.send(5));
        assert!(poll_once(&mut waiting).await.is_pending());
        assert_eq!(receiver.recv().await, Ok(1));
        assert_eq!(waiting.await, Ok(()));
        assert_eq!(sender.force_send(6), Ok(Some(5)));
        assert_eq!(receiver.recv().await, Ok(6));
        assert_eq!(sender.force_send(7), Ok(None));
    }) }

    fn a_message_comes_back_when_the_channel_is_closed() { block_on(async {
        let (sender, receiver) = subject::bounded(3);
        sender.try_send("inside").expect("room");
        assert!(!sender.is_closed() && sender.close() && !receiver.close());
        sender.closed().await;
        assert_eq!(sender.send("a").await, Err(subject::SendError("a")));
        assert_eq!(sender.try_send("b"), Err(subject::TrySendError::Closed("b")));
        assert_eq!(sender.send_blocking("c"), Err(subject::SendError("c")));
        assert_eq!(sender.force_send("d"), Err(subject::SendError("d")));
    }) }

    fn handles_are_counted() {
        let (sender, receiver) = subject::unbounded::<u8>();
        let (weak, weak_receiver) = (sender.downgrade(), receiver.downgrade());
        let other = weak.clone().upgrade().expect("there");
        let other_receiver = weak_receiver.clone().upgrade().expect("there");
        assert!(sender.same_channel(&other) && receiver.same_channel(&other_receiver));
        assert_eq!((sender.sender_count(), receiver.sender_count()), (2, 2));
        assert_eq!((sender.receiver_count(), receiver.receiver_count()), (2, 2));
        drop((sender, other, receiver, other_receiver));
        assert!(weak.upgrade().is_none() && weak_receiver.upgrade().is_none());
    }
}

#[test]
fn a_message_that_is_pushed_out_is_a_dropped_one() {
    let recording = reflow_trace_tests::Recording::start();
    let (sender, receiver) = reflow_trace::channel::async_channel::bounded(1);
    let sender = sender.named("a", "out");
    let receiver = receiver.named("b", "in");
    assert_eq!(sender.force_send(1u8), Ok(None));
    assert_eq!(sender.force_send(2), Ok(Some(1)));
    assert_eq!(receiver.try_recv(), Ok(2));
    let mut lines = recording.lines();
    lines.sort();
    assert_eq!(
        lines,
        [
            "DataFlow a:out -> b:in u8 delivered",
            "DataFlow a:out -> b:in u8 delivered",
            "MessageReceived b:in u8 delivered",
            "MessageSent a:out -> b:in u8 dropped",
        ]
    );
    super::assert_all_is_accounted_for(&recording);
}
