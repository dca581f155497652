//! Every method of crossbeam's channels.

use std::time::{Duration, Instant};

use super::as_the_original;

const LONG: Duration = Duration::from_secs(9);
const SHORT: Duration = Duration::from_millis(1);

as_the_original! { crossbeam_channel, reflow_trace::channel::crossbeam;
    fn messages_come_in_order_and_then_the_end() {
        let (sender, receiver) = subject::unbounded();
        for number in 0..6 {
            sender.send(number).expect("the receiver is there");
        }
        assert_eq!((sender.len(), receiver.len()), (6, 6));
        drop(sender);
        assert_eq!(receiver.recv(), Ok(0));
        assert_eq!(receiver.try_recv(), Ok(1));
        assert_eq!(receiver.recv_timeout(LONG), Ok(2));
        assert_eq!(receiver.recv_deadline(Instant::now() + LONG), Ok(3));
        assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [4, 5]);
        assert_eq!(receiver.recv(), Err(subject::RecvError));
        assert_eq!(receiver.try_recv(), Err(subject::TryRecvError::Disconnected));
        assert_eq!(receiver.recv_timeout(LONG), Err(subject::RecvTimeoutError::Disconnected));
    }

    fn nothing_comes_in_time() {
        let (sender, receiver) = subject::unbounded::<u8>();
        assert_eq!(receiver.try_recv(), Err(subject::TryRecvError::Empty));
        assert_eq!(receiver.recv_timeout(SHORT), Err(subject::RecvTimeoutError::Timeout));
        assert_eq!(
            receiver.recv_deadline(Instant::now()),
            Err(subject::RecvTimeoutError::Timeout)
        );
        drop(sender);
    }

    fn a_bounded_channel_tells_how_full_it_is() {
        let (sender, receiver) = subject::bounded(2);
        assert!(sender.is_empty() && receiver.is_empty());
        assert_eq!((sender.capacity(), receiver.capacity()), (Some(2), Some(2)));
        assert_eq!(sender.send(1), Ok(()));
        assert_eq!(sender.send_timeout(2, LONG), Ok(()));
        assert!(sender.is_full() && receiver.is_full());
        assert_eq!(sender.try_send(3), Err(subject::TrySendError::Full(3)));
        assert_eq!(
            sender.send_timeout(4, SHORT),
            Err(subject::SendTimeoutError::Timeout(4))
        );
        assert_eq!(
            sender.send_deadline(5, Instant::now()),
            Err(subject::SendTimeoutError::Timeout(5))
        );
        assert_eq!(receiver.recv(), Ok(1));
        assert_eq!(sender.send_deadline(6, Instant::now() + LONG), Ok(()));
        drop(sender);
        assert_eq!(receiver.iter().collect::<Vec<_>>(), [2, 6]);
    }

    fn a_message_comes_back_when_the_receivers_are_gone() {
        let (sender, receiver) = subject::bounded(3);
        let other = receiver.clone();
        drop(receiver);
        assert_eq!(sender.send("inside"), Ok(()));
        drop(other);
        assert_eq!(sender.send("a"), Err(subject::SendError("a")));
        assert_eq!(sender.try_send("b"), Err(subject::TrySendError::Disconnected("b")));
        assert_eq!(
            sender.send_timeout("c", LONG),
            Err(subject::SendTimeoutError::Disconnected("c"))
        );
        assert_eq!(
            sender.send_deadline("d", Instant::now() + LONG),
            Err(subject::SendTimeoutError::Disconnected("d"))
        );
    }

    fn channels_are_told_apart() {
        let (one, receiver) = subject::unbounded::<u8>();
        let (other, other_receiver) = subject::unbounded::<u8>();
        assert!(one.same_channel(&one.clone()) && !one.same_channel(&other));
        assert!(receiver.same_channel(&receiver.clone()));
        assert!(!receiver.same_channel(&other_receiver));
    }

    fn many_receivers_share_the_work() {
        let (sender, receiver) = subject::bounded(0);
        let total: u64 = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..4)
                .map(|_| {
                    let receiver = receiver.clone();
                    scope.spawn(move || receiver.into_iter().sum::<u64>())
                })
                .collect();
            drop(receiver);
            (1..=1000).for_each(|number| sender.send(number).expect("there"));
            drop(sender);
            workers.into_iter().map(|worker| worker.join().expect("sums")).sum()
        });
        assert_eq!(total, 500_500);
    }

    fn channels_that_nobody_sends_into() {
        assert_eq!(subject::never::<u8>().recv_timeout(SHORT), Err(subject::RecvTimeoutError::Timeout));
        assert!(subject::after(SHORT).recv().is_ok());
        assert!(subject::at(Instant::now()).recv().is_ok());
        assert!(subject::tick(SHORT).recv().is_ok());
    }
}

#[test]
fn select_takes_the_original() {
    let recording = reflow_trace_tests::Recording::start();
    let (sender, receiver) = reflow_trace::channel::crossbeam::unbounded();
    let sender = sender.named("a", "out");
    let receiver = receiver.named("b", "in");
    sender.send(7u8).expect("there");
    let received = crossbeam_channel::select! {
        recv(receiver.as_inner()) -> parcel => parcel.map(|parcel| receiver.accept(parcel)),
        default(LONG) => unreachable!("it is there"),
    };
    assert_eq!(received, Ok(7));
    sender.send(8u8).expect("there");
    assert_eq!(
        receiver.into_inner().recv().map(|parcel| parcel.open()),
        Ok(8)
    );
    sender.into_inner();
    assert_eq!(
        recording.lines(),
        [
            "DataFlow a:out -> b:in u8 delivered",
            "MessageReceived b:in u8 delivered",
            "DataFlow a:out -> b:in u8 delivered",
            "MessageReceived b:in u8 delivered",
        ]
    );
    super::assert_all_is_accounted_for(&recording);
}
