//! Every method of the standard library's channels.

use std::time::Duration;

use super::as_the_original;

as_the_original! { std::sync::mpsc, reflow_trace::channel::std::mpsc;
    fn messages_come_in_order_and_then_the_end() {
        let (sender, receiver) = subject::channel();
        for number in 0..5 {
            sender.send(number).expect("the receiver is there");
        }
        drop(sender);
        assert_eq!(receiver.recv(), Ok(0));
        assert_eq!(receiver.try_recv(), Ok(1));
        assert_eq!(receiver.recv_timeout(Duration::from_secs(9)), Ok(2));
        assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [3, 4]);
        assert_eq!(receiver.recv(), Err(subject::RecvError));
        assert_eq!(receiver.try_recv(), Err(subject::TryRecvError::Disconnected));
        assert_eq!(
            receiver.recv_timeout(Duration::from_secs(9)),
            Err(subject::RecvTimeoutError::Disconnected)
        );
    }

    fn an_empty_channel_says_so() {
        let (sender, receiver) = subject::channel::<String>();
        assert_eq!(receiver.try_recv(), Err(subject::TryRecvError::Empty));
        assert_eq!(
            receiver.recv_timeout(Duration::from_millis(1)),
            Err(subject::RecvTimeoutError::Timeout)
        );
        drop(sender);
    }

    fn iterators_end_with_the_senders() {
        let (sender, receiver) = subject::channel();
        let other = sender.clone();
        sender.send("a").expect("there");
        other.send("b").expect("there");
        drop((sender, other));
        assert_eq!(receiver.iter().next(), Some("a"));
        let mut all = Vec::new();
        for message in &receiver {
            all.push(message);
        }
        assert_eq!(all, ["b"]);
        assert_eq!(receiver.into_iter().next(), None);
    }

    fn a_message_comes_back_when_the_receiver_is_gone() {
        let (sender, receiver) = subject::channel();
        sender.send(Box::new(1)).expect("there");
        drop(receiver);
        assert_eq!(sender.send(Box::new(2)), Err(subject::SendError(Box::new(2))));
        let (sender, receiver) = subject::sync_channel(1);
        drop(receiver);
        assert_eq!(sender.send(vec![3]), Err(subject::SendError(vec![3])));
        assert_eq!(
            sender.try_send(vec![4]),
            Err(subject::TrySendError::Disconnected(vec![4]))
        );
    }

    fn a_bounded_channel_is_full() {
        let (sender, receiver) = subject::sync_channel(1);
        assert_eq!(sender.try_send(1), Ok(()));
        assert_eq!(sender.clone().try_send(2), Err(subject::TrySendError::Full(2)));
        assert_eq!(receiver.recv(), Ok(1));
        assert_eq!(sender.send(3), Ok(()));
        assert_eq!(receiver.recv(), Ok(3));
    }

    fn a_rendezvous_hands_over() {
        let (sender, receiver) = subject::sync_channel(0);
        assert_eq!(sender.try_send(0), Err(subject::TrySendError::Full(0)));
        std::thread::scope(|scope| {
            scope.spawn(move || (1..=100).for_each(|number| sender.send(number).expect("there")));
            assert_eq!(receiver.iter().sum::<i32>(), 5050);
        });
    }

    fn messages_may_borrow() {
        let text = String::from("borrowed");
        let (sender, receiver) = subject::channel::<&str>();
        sender.send(&text).expect("there");
        assert_eq!(receiver.recv(), Ok("borrowed"));
    }

    fn messages_are_dropped_once_and_with_the_receiver() {
        let message = std::sync::Arc::new(());
        let (sender, receiver) = subject::channel();
        for _ in 0..10 {
            sender.send(message.clone()).expect("there");
        }
        assert_eq!(std::sync::Arc::strong_count(&message), 11);
        drop(receiver.recv());
        assert_eq!(std::sync::Arc::strong_count(&message), 10);
        drop(receiver);
        assert_eq!(std::sync::Arc::strong_count(&message), 1);
        drop(sender);
    }
}
