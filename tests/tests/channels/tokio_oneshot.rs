//! Every method of tokio's oneshot.

use std::future::poll_fn;

use super::{as_the_original, block_on, poll_once};

as_the_original! { tokio::sync::oneshot, reflow_trace::channel::tokio::oneshot;
    fn one_message_comes() { block_on(async {
        let (sender, mut receiver) = subject::channel();
        assert!(poll_once(&mut receiver).await.is_pending());
        assert!(receiver.is_empty() && !receiver.is_terminated());
        assert_eq!(sender.send(1), Ok(()));
        assert!(!receiver.is_empty());
        assert_eq!((&mut receiver).await, Ok(1));
        assert!(receiver.is_terminated());
    }) }

    fn it_can_be_asked_for() { block_on(async {
        let (sender, mut receiver) = subject::channel();
        assert_eq!(receiver.try_recv(), Err(subject::error::TryRecvError::Empty));
        sender.send("a").expect("there");
        assert_eq!(receiver.try_recv(), Ok("a"));
        assert_eq!(receiver.try_recv(), Err(subject::error::TryRecvError::Closed));
    }) }

    fn nobody_sends() { block_on(async {
        let (sender, receiver) = subject::channel::<u8>();
        drop(sender);
        assert!(receiver.await.is_err());
    }) }

    fn it_comes_back() { block_on(async {
        let (mut sender, mut receiver) = subject::channel();
        assert!(!sender.is_closed());
        receiver.close();
        assert!(sender.is_closed());
        poll_fn(|cx| sender.poll_closed(cx)).await;
        sender.closed().await;
        assert_eq!(sender.send(vec![1]), Err(vec![1]));
        assert_eq!(receiver.try_recv(), Err(subject::error::TryRecvError::Closed));
    }) }

    fn it_is_dropped_with_the_receiver() {
        let message = std::sync::Arc::new(());
        let (sender, receiver) = subject::channel();
        sender.send(message.clone()).expect("there");
        drop(receiver);
        assert_eq!(std::sync::Arc::strong_count(&message), 1);
    }

    fn a_thread_may_block() {
        let (sender, receiver) = subject::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| sender.send(5).expect("there"));
            assert_eq!(receiver.blocking_recv(), Ok(5));
        });
    }
}
