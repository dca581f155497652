//! `messages = failures + received + dropped + inside`, whatever happens, and results are those of the
//! original.

use proptest::prelude::*;
use reflow_trace::Outcome;
use reflow_trace::channel::{async_channel, crossbeam, flume, std::mpsc as standard, tokio::mpsc};
use reflow_trace_tests::Recording;

use super::{assert_all_is_accounted_for, block_on, poll_once, totals};

#[test]
fn under_eight_threads_with_receivers_that_leave() {
    let recording = Recording::start();
    let (sender, receiver) = crossbeam::bounded(16);
    std::thread::scope(|scope| {
        for thread in 0..4u64 {
            let sender = sender.clone().named(format!("sender {thread}"), "out");
            scope.spawn(move || {
                for number in 0..20_000u64 {
                    let _may_fail = match number % 3 {
                        0 => sender.send(number).is_ok(),
                        1 => sender.try_send(number).is_ok(),
                        _ => sender
                            .send_timeout(number, std::time::Duration::ZERO)
                            .is_ok(),
                    };
                }
            });
        }
        for thread in 0..4u64 {
            let receiver = receiver.clone().named(format!("receiver {thread}"), "in");
            let takes = 1 + thread as usize * 5_000;
            scope.spawn(move || receiver.iter().take(takes).count());
        }
        drop((sender, receiver));
    });
    assert_eq!(totals().messages, 80_000);
    assert!(totals().dropped <= 16);
    assert_all_is_accounted_for(&recording);
}

#[test]
fn under_eight_tasks_with_sends_that_are_cancelled() {
    let recording = Recording::start();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_time()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let (sender, mut receiver) = mpsc::channel(4);
        let senders: Vec<_> = (0..8)
            .map(|_| {
                let sender = sender.clone();
                tokio::spawn(async move {
                    for number in 0..2_000u32 {
                        let mut send = Box::pin(sender.send(number));
                        // Every third is given up as soon as it has to wait.
                        if number % 3 != 0 || poll_once(&mut send).await.is_pending() {
                            if number % 3 == 0 {
                                continue;
                            }
                            if send.await.is_err() {
                                return;
                            }
                        }
                    }
                })
            })
            .collect();
        drop(sender);
        let mut buffer = Vec::new();
        for _ in 0..2_000 {
            receiver.recv_many(&mut buffer, 3).await;
        }
        drop(receiver);
        for sender in senders {
            sender.await.expect("no panic");
        }
    });
    assert!(totals().failures > 0 && totals().received >= 2_000);
    assert_all_is_accounted_for(&recording);
}

/// What is done to a channel.
#[derive(Clone, Copy, Debug)]
enum Step {
    Send(u8),
    TrySend(u8),
    Receive,
    ReceiveMany(usize),
    CloneSender,
    DropSender,
    DropReceiver,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => any::<u8>().prop_map(Step::Send),
        4 => any::<u8>().prop_map(Step::TrySend),
        4 => Just(Step::Receive),
        2 => (0..5usize).prop_map(Step::ReceiveMany),
        1 => Just(Step::CloneSender),
        1 => Just(Step::DropSender),
        1 => Just(Step::DropReceiver),
    ];
    prop::collection::vec(step, 0..60)
}

/// Does the steps to a bounded channel of tokio and writes down every result.
macro_rules! play_tokio {
    ($module:path, $steps:expr) => {{
        use $module as subject;
        block_on(async {
            let mut log = Vec::new();
            let (sender, receiver) = subject::channel::<u8>(3);
            let (mut senders, mut receiver) = (vec![sender], Some(receiver));
            for step in $steps {
                match (step, senders.last(), receiver.as_mut()) {
                    (Step::Send(value), Some(sender), _) => {
                        // A send that has to wait is cancelled.
                        let mut send = Box::pin(sender.send(value));
                        log.push(format!("{:?}", poll_once(&mut send).await));
                    }
                    (Step::TrySend(value), Some(sender), _) => {
                        log.push(format!(
                            "{:?} {}",
                            sender.try_send(value),
                            sender.capacity()
                        ));
                    }
                    (Step::Receive, _, Some(receiver)) => {
                        log.push(format!("{:?} {}", receiver.try_recv(), receiver.len()));
                    }
                    (Step::ReceiveMany(limit), _, Some(receiver)) => {
                        let mut buffer = Vec::new();
                        let mut many = Box::pin(receiver.recv_many(&mut buffer, limit));
                        let poll = poll_once(&mut many).await;
                        drop(many);
                        log.push(format!("{poll:?} {buffer:?}"));
                    }
                    (Step::CloneSender, Some(sender), _) => senders.push(sender.clone()),
                    (Step::DropSender, ..) => drop(senders.pop()),
                    (Step::DropReceiver, ..) => drop(receiver.take()),
                    _ => {}
                }
            }
            log
        })
    }};
}

/// The same to a bounded channel that blocks; a send that would have to wait is left out.
macro_rules! play_blocking {
    ($make:expr, $steps:expr) => {{
        let mut log = Vec::new();
        let (sender, receiver) = $make;
        let (mut senders, mut receiver) = (vec![sender], Some(receiver));
        let mut inside = 0;
        for step in $steps {
            match (step, senders.last(), receiver.as_mut()) {
                (Step::Send(value), Some(sender), open) if inside < 3 || open.is_none() => {
                    let sent = sender.send(value);
                    inside += usize::from(sent.is_ok());
                    log.push(format!("{sent:?}"));
                }
                (Step::TrySend(value), Some(sender), _) => {
                    let sent = sender.try_send(value);
                    inside += usize::from(sent.is_ok());
                    log.push(format!("{sent:?}"));
                }
                (Step::Receive, _, Some(receiver)) => {
                    let received = receiver.try_recv();
                    inside -= usize::from(received.is_ok());
                    log.push(format!("{received:?}"));
                }
                (Step::ReceiveMany(limit), _, Some(receiver)) => {
                    let received: Vec<u8> = receiver.try_iter().take(limit).collect();
                    inside -= received.len();
                    log.push(format!("{received:?}"));
                }
                (Step::CloneSender, Some(sender), _) => senders.push(sender.clone()),
                (Step::DropSender, ..) => drop(senders.pop()),
                (Step::DropReceiver, ..) => drop(receiver.take()),
                _ => {}
            }
        }
        log
    }};
}

/// The same to a bounded channel whose ends may both be waited for and asked.
macro_rules! play_waiting {
    ($module:path, $send:ident, $recv:ident, $steps:expr) => {{
        use $module as subject;
        block_on(async {
            let mut log = Vec::new();
            let (sender, receiver) = subject::bounded::<u8>(3);
            let (mut senders, mut receiver) = (vec![sender], Some(receiver));
            for step in $steps {
                match (step, senders.last(), receiver.as_mut()) {
                    (Step::Send(value), Some(sender), _) => {
                        let mut send = Box::pin(sender.$send(value));
                        log.push(format!("{:?}", poll_once(&mut send).await));
                    }
                    (Step::TrySend(value), Some(sender), _) => {
                        log.push(format!("{:?} {}", sender.try_send(value), sender.len()));
                    }
                    (Step::Receive, _, Some(receiver)) => {
                        log.push(format!("{:?} {}", receiver.try_recv(), receiver.len()));
                    }
                    (Step::ReceiveMany(limit), _, Some(receiver)) => {
                        for _ in 0..limit {
                            let mut receive = Box::pin(receiver.$recv());
                            log.push(format!("{:?}", poll_once(&mut receive).await));
                        }
                    }
                    (Step::CloneSender, Some(sender), _) => senders.push(sender.clone()),
                    (Step::DropSender, ..) => drop(senders.pop()),
                    (Step::DropReceiver, ..) => drop(receiver.take()),
                    _ => {}
                }
            }
            log
        })
    }};
}

/// Plays against ours while recording, and looks at what was recorded.
fn recorded(play: impl FnOnce() -> Vec<String>) -> Vec<String> {
    let recording = Recording::start();
    let log = play();
    assert_all_is_accounted_for(&recording);
    // Everything is recorded, so that events and counters tell the same.
    let events = recording.events();
    let count = |is: &dyn Fn(&reflow_trace::TraceEvent) -> bool| {
        events.iter().filter(|event| is(event)).count() as u64
    };
    let sum = totals();
    assert_eq!(
        count(&|event| event.is_data_flow()),
        sum.messages - sum.failures
    );
    assert_eq!(
        count(&|event| event.event_type.name() == "MessageReceived"),
        sum.received
    );
    assert_eq!(
        count(&|event| event.outcome == Some(Outcome::Dropped)),
        sum.dropped
    );
    log
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn tokio_does_what_the_original_does(steps in steps()) {
        let original = play_tokio!(tokio::sync::mpsc, steps.clone());
        let ours = recorded(|| play_tokio!(mpsc, steps));
        prop_assert_eq!(ours, original);
    }

    #[test]
    fn crossbeam_does_what_the_original_does(steps in steps()) {
        let original = play_blocking!(crossbeam_channel::bounded(3), steps.clone());
        let ours = recorded(|| play_blocking!(crossbeam::bounded(3), steps));
        prop_assert_eq!(ours, original);
    }

    #[test]
    fn flume_does_what_the_original_does(steps in steps()) {
        let original = play_waiting!(::flume, send_async, recv_async, steps.clone());
        let ours = recorded(|| play_waiting!(flume, send_async, recv_async, steps));
        prop_assert_eq!(ours, original);
    }

    #[test]
    fn async_channel_does_what_the_original_does(steps in steps()) {
        let original = play_waiting!(::async_channel, send, recv, steps.clone());
        let ours = recorded(|| play_waiting!(async_channel, send, recv, steps));
        prop_assert_eq!(ours, original);
    }

    #[test]
    fn the_standard_library_does_what_the_original_does(steps in steps()) {
        let original = play_blocking!(std::sync::mpsc::sync_channel(3), steps.clone());
        let ours = recorded(|| play_blocking!(standard::sync_channel(3), steps));
        prop_assert_eq!(ours, original);
    }
}
