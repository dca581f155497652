//! Every method of tokio's broadcast. The law there counts receivers, so it is tested for itself.

use reflow_trace::channel::tokio::broadcast;
use reflow_trace_tests::Recording;

use super::{block_on, totals};

macro_rules! bodies {
    ($($(#[$attribute:meta])* fn $name:ident() $body:block)*) => {
        mod original {
            use super::*;
            use tokio::sync::broadcast as subject;
            $(#[test] fn $name() $body)*
        }
        mod ours {
            use super::*;
            use reflow_trace::channel::tokio::broadcast as subject;
            $(#[test] fn $name() {
                let _silence = reflow_trace_tests::Silence::start();
                $body
            })*
        }
        mod ours_recorded {
            use super::*;
            use reflow_trace::channel::tokio::broadcast as subject;
            $(#[test] fn $name() {
                let _recording = Recording::start();
                $body
            })*
        }
    };
}

bodies! {
    fn everybody_gets_everything() { block_on(async {
        let (sender, mut first) = subject::channel(8);
        let mut second = sender.subscribe();
        assert_eq!(sender.send(1).ok(), Some(2));
        assert_eq!(sender.clone().send(2).ok(), Some(2));
        let mut third = second.resubscribe();
        assert_eq!(sender.send(3).ok(), Some(3));
        assert_eq!((sender.len(), sender.receiver_count(), first.len()), (3, 3, 3));
        assert!(!sender.is_empty() && !first.is_empty());
        assert_eq!(first.recv().await, Ok(1));
        assert_eq!(first.try_recv(), Ok(2));
        assert_eq!(second.recv().await, Ok(1));
        assert_eq!(third.recv().await, Ok(3));
        drop(sender);
        assert!(first.is_closed());
        assert_eq!(first.recv().await, Ok(3));
        assert_eq!(first.recv().await, Err(subject::error::RecvError::Closed));
        assert_eq!(first.try_recv(), Err(subject::error::TryRecvError::Closed));
    }) }

    fn the_slow_lag() { block_on(async {
        let (sender, mut receiver) = subject::channel(2);
        for number in 0..7 {
            sender.send(number).expect("there");
        }
        assert_eq!(receiver.recv().await, Err(subject::error::RecvError::Lagged(5)));
        assert_eq!(receiver.recv().await, Ok(5));
        for number in 7..9 {
            sender.send(number).expect("there");
        }
        assert_eq!(receiver.try_recv(), Err(subject::error::TryRecvError::Lagged(1)));
        assert_eq!(receiver.try_recv(), Ok(7));
        assert_eq!(receiver.try_recv(), Ok(8));
        assert_eq!(receiver.try_recv(), Err(subject::error::TryRecvError::Empty));
    }) }

    fn nobody_listens() { block_on(async {
        let (sender, receiver) = subject::channel(2);
        assert!(sender.same_channel(&sender.clone()));
        drop(receiver);
        sender.closed().await;
        assert_eq!(sender.send("a").map_err(|error| error.0), Err("a"));
        let sender = subject::Sender::<&str>::new(4);
        let weak = sender.downgrade();
        assert_eq!((weak.strong_count(), weak.weak_count(), sender.weak_count()), (1, 1, 1));
        let receiver = weak.clone().upgrade().expect("there").subscribe();
        assert!(receiver.same_channel(&sender.subscribe()));
        assert_eq!((receiver.sender_strong_count(), receiver.sender_weak_count()), (1, 1));
        assert_eq!(sender.send("b").ok(), Some(1));
        assert_eq!(sender.strong_count(), 1);
    }) }

    fn a_copy_is_made_for_each_that_receives_and_for_nobody_else() {
        #[derive(Debug)]
        struct Copied<'a>(&'a std::sync::atomic::AtomicU32);
        impl Clone for Copied<'_> {
            fn clone(&self) -> Self {
                self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                Self(self.0)
            }
        }
        let copies = std::sync::atomic::AtomicU32::new(0);
        let (sender, mut receiver) = subject::channel(8);
        let other = sender.subscribe();
        for _ in 0..3 {
            sender.send(Copied(&copies)).expect("there");
        }
        drop(receiver.blocking_recv());
        drop((receiver, other));
        assert_eq!(copies.load(std::sync::atomic::Ordering::Relaxed), 1);
    }
}

#[test]
fn what_was_sent_is_received_or_dropped_by_each_receiver() {
    let recording = Recording::start();
    let (sender, receiver) = broadcast::channel(4);
    let sender = sender.named("bus", "out");
    let mut quick = receiver.named("quick", "in");
    let mut slow = sender.subscribe().named("slow", "in");
    let mut fan_out = 0;
    for number in 0..10u32 {
        fan_out += sender.send(number).expect("two listen") as u64;
        assert_eq!(quick.try_recv(), Ok(number));
    }
    assert!(matches!(
        slow.try_recv(),
        Err(broadcast::error::TryRecvError::Lagged(6))
    ));
    assert_eq!(slow.try_recv(), Ok(6));
    assert_eq!(
        totals().received + totals().dropped,
        fan_out - slow.len() as u64
    );
    drop(slow);
    let sum = totals();
    assert_eq!((sum.messages, sum.received, sum.dropped), (10, 11, 9));
    assert_eq!(sum.received + sum.dropped, fan_out);

    let events = recording.events();
    let of = |actor: &str, name: &str| {
        let is = |event: &&reflow_trace::TraceEvent| {
            event.actor_id == actor && event.event_type.name() == name
        };
        events.iter().filter(is).count()
    };
    assert_eq!(of("bus", "DataFlow"), 10);
    assert_eq!(
        (
            of("quick", "MessageReceived"),
            of("slow", "MessageReceived")
        ),
        (10, 1)
    );
    let dropped: Vec<_> = events
        .iter()
        .filter(|event| event.outcome == Some(reflow_trace::Outcome::Dropped))
        .collect();
    assert_eq!(dropped.len(), 9);
    // The six that were overwritten are not known, the three that were left are.
    let known = dropped
        .iter()
        .filter(|event| event.causality.parent_event_id.is_some());
    assert_eq!(known.count(), 3);
    assert!(
        dropped
            .iter()
            .all(|event| event.destination() == Some(("slow", "in")))
    );
    let receivers = events
        .iter()
        .filter(|event| event.is_data_flow())
        .map(|event| &event.data.custom_attributes["receivers"]);
    assert!(receivers.eq(&vec![serde_json::json!(2); 10]));
}
