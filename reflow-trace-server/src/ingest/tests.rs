//! The state machine of a session, driven by hand: no clock, no socket, no runtime.

use std::sync::Arc;
use std::time::Duration;

use reflow_trace::TraceEvent;
use reflow_trace::event::ProducerId;
use reflow_trace::wire::frame::{Ack, Frame, Goodbye, Hello, Message, Refusal, RefusalCode};
use reflow_trace::wire::{FrameLimits, seal_events};

use super::*;
use crate::commit::{Answer, Answers, Failure, Group, Lease, Queue, Submission};
use crate::config::{CommitLimits, IngestLimits};
use crate::observe::Metrics;
use crate::store::Committed;

const STREAM: u64 = 7;

/// A session, and everything that it has asked for.
struct Bench {
    session: Session,
    answers: Answers,
    metrics: Arc<Metrics>,
    budget: Arc<Budget>,
    now: Duration,
    said: Vec<Message>,
    submitted: Vec<Submission>,
    closing: Option<Closing>,
}

impl Bench {
    fn new(change: impl FnOnce(&mut IngestLimits)) -> Self {
        let mut limits = IngestLimits::default();
        change(&mut limits);
        let budget = Budget::new(limits.memory_bytes_max);
        let (lease, answers) = Lease::new();
        let metrics = Arc::new(Metrics::default());
        Self {
            session: Session::new(
                Duration::ZERO,
                &limits,
                Arc::clone(&budget),
                lease,
                Arc::clone(&metrics),
            ),
            answers,
            metrics,
            budget,
            now: Duration::ZERO,
            said: Vec::new(),
            submitted: Vec::new(),
            closing: None,
        }
    }

    /// Welcomed, and its stream begun.
    fn taking(change: impl FnOnce(&mut IngestLimits)) -> Self {
        let mut bench = Self::new(change);
        bench.receive(&Message::Hello(Hello {
            protocol: 1,
            ..Hello::default()
        }));
        bench.receive(&Message::Skip {
            stream: STREAM,
            number: 0,
            after: 0,
        });
        assert!(matches!(bench.said.pop(), Some(Message::Welcome(_))));
        bench
    }

    fn handle(&mut self, input: Input) {
        self.session.handle(self.now, input);
        while let Some(output) = self.session.output() {
            assert!(
                self.closing.is_none(),
                "nothing comes after the close: {output:?}"
            );
            match output {
                Output::Send(bytes) => {
                    let frame = Frame::parse(bytes, &FrameLimits::default()).expect("a frame");
                    self.said.push(Message::decode(&frame).expect("a message"));
                }
                Output::Commit(submission) => self.submitted.push(submission),
                Output::Close(closing) => self.closing = Some(closing),
            }
        }
    }

    fn receive(&mut self, message: &Message) {
        self.handle(Input::Message(message.encode().into_bytes()));
    }

    fn receive_batch(&mut self, number: u64) {
        self.receive(&Message::Batch(batch(number)));
    }

    fn answer(&mut self, result: Result<Committed, Failure>, number: u64) {
        let stream = STREAM;
        self.handle(Input::Answers(vec![Answer {
            stream,
            number,
            result,
        }]));
    }

    /// What it has said since the last time.
    fn said(&mut self) -> Vec<Message> {
        std::mem::take(&mut self.said)
    }

    fn refusal(&mut self) -> Refusal {
        match self.said().pop() {
            Some(Message::Refusal(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    }

    fn end(&self) -> Option<End> {
        self.closing.as_ref().map(|closing| closing.end)
    }
}

fn batch(number: u64) -> Frame {
    let events: Vec<TraceEvent> = (0..3)
        .map(|size| TraceEvent::message_sent("reader", "out", "SensorData", size))
        .collect();
    seal_events(&events, ProducerId::random(), STREAM, number, None).expect("sealed")
}

/// A batch that is none, of this number.
fn broken(number: u64) -> bytes::Bytes {
    broken_with(number, 0, 20, 3)
}

/// The same with flags (1: compressed), length before compression, and events as a header may claim them.
fn broken_with(number: u64, flags: u8, plain: u32, events: u32) -> bytes::Bytes {
    let mut bytes = b"RTF1\x03".to_vec();
    let payload = [0xff; 20];
    bytes.extend([flags, 0, 0]);
    bytes.extend(20_u32.to_le_bytes());
    bytes.extend(plain.to_le_bytes());
    bytes.extend(STREAM.to_le_bytes());
    bytes.extend(number.to_le_bytes());
    bytes.extend(events.to_le_bytes());
    let crc = crc32c::crc32c_append(crc32c::crc32c(&bytes), &payload);
    bytes.extend(crc.to_le_bytes());
    bytes.extend(payload);
    bytes.into()
}

fn stored(offset: u64) -> Result<Committed, Failure> {
    Ok(Committed::Stored { offset })
}

fn full() -> Failure {
    Failure {
        code: RefusalCode::StoreFull,
        text: "full".to_owned(),
    }
}

fn acks(said: &[Message]) -> Vec<u64> {
    said.iter()
        .filter_map(|message| match message {
            Message::Ack(ack) => Some(ack.number),
            _ => None,
        })
        .collect()
}

#[test]
fn no_more_events_are_counted_as_refused_than_there_can_be_in_a_frame() {
    let mut bench = Bench::taking(|_| {});
    bench.handle(Input::Message(broken(1)));
    let refused = |bench: &Bench| -> u64 {
        let by_code = bench.metrics.refused_events.get();
        by_code.into_iter().map(|(_, events)| events).sum()
    };
    assert_eq!(refused(&bench), 3, "what its header says");
    bench.handle(Input::Message(broken_with(2, 0, 20, u32::MAX)));
    assert_eq!(refused(&bench), 3 + 20, "an event has a byte");
    // What cannot be unpacked may say anything.
    bench.handle(Input::Message(broken_with(3, 1, u32::MAX, u32::MAX)));
    assert_eq!(refused(&bench), 3 + 20 + 65_536);
    bench.handle(Input::Message(broken_with(4, 1, 100, u32::MAX)));
    assert_eq!(refused(&bench), 3 + 20 + 65_536 + 100);
    assert_eq!(
        acks(&bench.said()),
        [1, 2, 3, 4],
        "each was refused for good"
    );
}

#[test]
fn a_number_that_no_client_can_have_reached_is_refused_and_the_stream_goes_on() {
    let mut bench = Bench::taking(|_| {});
    bench.receive_batch(1);
    for forged in [(1 << 48) + 1, u64::MAX] {
        let mut other = Bench::taking(|_| {});
        other.receive(&Message::Skip {
            stream: STREAM,
            number: forged - 1,
            after: 0,
        });
        other.receive_batch(forged);
        assert!(other.submitted.is_empty(), "{forged}");
        let said = other.said();
        let Some(Message::Refusal(refusal)) = said.first() else {
            panic!("{said:?}");
        };
        assert_eq!(refusal.batch, Some((STREAM, forged)));
        assert!(
            !refusal.retryable && refusal.text.contains("number"),
            "{}",
            refusal.text
        );
        assert_eq!(acks(&said), [forged], "it is settled");
        // Whatever comes after the last number that there is.
        other.receive_batch(forged.saturating_add(1));
        assert!(other.submitted.is_empty(), "{forged}");
    }
    bench.receive(&Message::Skip {
        stream: STREAM,
        number: (1 << 48) - 1,
        after: 1,
    });
    bench.receive_batch(1 << 48);
    assert_eq!(bench.submitted.len(), 2, "the last one is taken");
}

#[test]
fn an_acknowledgement_waits_for_everything_before_it_and_brings_the_credits_back() {
    let mut bench = Bench::taking(|_| {});
    for number in 1..=3 {
        bench.receive_batch(number);
    }
    assert_eq!(bench.submitted.len(), 3);
    assert_eq!(bench.said(), []);
    bench.answer(stored(2), 2);
    assert_eq!(bench.said(), [], "1 has no answer yet");
    bench.answer(stored(1), 1);
    let bytes: usize = bench.submitted[..2].iter().map(Submission::bytes).sum();
    let credit_total = (IngestLimits::default().window_bytes + bytes) as u64;
    assert_eq!(
        bench.said(),
        [Message::Ack(Ack {
            stream: STREAM,
            number: 2,
            credit_total
        })]
    );
    bench.answer(Ok(Committed::Duplicate), 3);
    assert_eq!(acks(&bench.said()), [3]);
}

#[test]
fn a_refusal_for_good_comes_before_the_acknowledgement_that_covers_it() {
    let mut bench = Bench::taking(|_| {});
    bench.receive_batch(1);
    bench.handle(Input::Message(broken(2)));
    bench.receive_batch(3);
    let said = bench.said();
    assert!(
        matches!(&said[..], [Message::Refusal(refusal)] if refusal.batch == Some((STREAM, 2)) && !refusal.retryable),
        "{said:?}"
    );
    bench.answer(stored(2), 3);
    assert_eq!(bench.said(), []);
    bench.answer(stored(1), 1);
    assert_eq!(acks(&bench.said()), [3]);
}

#[test]
fn a_refusal_for_good_comes_first_also_when_nothing_else_is_under_way() {
    let mut bench = Bench::taking(|_| {});
    bench.handle(Input::Message(broken(1)));
    let said = bench.said();
    assert!(
        matches!(&said[..], [Message::Refusal(_), Message::Ack(ack)] if ack.number == 1),
        "{said:?}"
    );
}

#[test]
fn after_a_failure_what_was_stored_before_is_acknowledged_and_nothing_after() {
    let mut bench = Bench::taking(|_| {});
    for number in 1..=3 {
        bench.receive_batch(number);
    }
    let answer = |number, result| Answer {
        stream: STREAM,
        number,
        result,
    };
    bench.handle(Input::Answers(vec![
        answer(1, stored(1)),
        answer(2, Err(full())),
        answer(3, stored(2)),
    ]));
    let said = bench.said();
    assert_eq!(acks(&said), [1]);
    assert!(
        matches!(said.last(), Some(Message::Refusal(refusal)) if refusal.batch == Some((STREAM, 2)) && refusal.retryable),
        "{said:?}"
    );
    assert_eq!(bench.end(), Some(End::Failed));
    bench.receive_batch(4);
    assert_eq!(bench.submitted.len(), 3);
}

#[test]
fn what_the_committer_leaves_out_is_what_a_failure_has_broken() {
    let mut broken = Bench::taking(|_| {});
    let mut other = Bench::taking(|_| {});
    let mut queue = Queue::new(CommitLimits {
        group_batches: 1,
        ..CommitLimits::default()
    });
    for bench in [&mut broken, &mut other] {
        for number in 1..=2 {
            bench.receive_batch(number);
        }
    }
    let all = broken.submitted.drain(..).chain(other.submitted.drain(..));
    for submission in all {
        queue.push(Duration::ZERO, submission);
    }
    queue.take().failed(&full());
    let mut groups: Vec<Group> = Vec::new();
    while !queue.is_empty() {
        groups.push(queue.take());
    }
    // 2 of the broken one is left out though the store would take it; the other's batches are not.
    assert_eq!(groups.iter().map(Group::len).sum::<usize>(), 2);
    assert!(
        groups
            .iter()
            .flat_map(Group::admitted)
            .all(|admitted| admitted.stream() == STREAM)
    );
    for (offset, group) in (1..).zip(groups) {
        assert_eq!(group.committed(&[Committed::Stored { offset }]).len(), 1);
    }
    let told = |bench: &mut Bench| {
        let mut told = Vec::new();
        while let Ok(answers) = bench.answers.try_recv() {
            told.extend(
                answers
                    .into_iter()
                    .map(|answer| (answer.number, answer.result.is_ok())),
            );
        }
        told
    };
    assert_eq!(told(&mut broken), [(1, false), (2, false)]);
    assert_eq!(told(&mut other), [(1, true), (2, true)]);
    // Everything has its answer: the memory is returned.
    assert_eq!((broken.budget.used(), other.budget.used()), (0, 0));
}

#[test]
fn a_group_is_due_when_it_is_large_or_old_enough() {
    let mut bench = Bench::taking(|_| {});
    for number in 1..=3 {
        bench.receive_batch(number);
    }
    let limits = CommitLimits {
        group_wait: Duration::from_millis(5),
        group_batches: 2,
        ..CommitLimits::default()
    };
    let mut queue = Queue::new(limits);
    assert_eq!(queue.due_at(), None);
    let at = Duration::from_secs(1);
    let mut submissions = bench.submitted.drain(..);
    queue.push(at, submissions.next().expect("one"));
    assert_eq!(queue.due_at(), Some(at + Duration::from_millis(5)));
    for submission in submissions {
        queue.push(at + Duration::from_millis(1), submission);
    }
    assert_eq!(queue.due_at(), Some(at), "full, so at once");
    assert_eq!(queue.take().len(), 2);
    assert_eq!(queue.due_at(), Some(at + Duration::from_millis(6)));
    assert_eq!(queue.take().len(), 1);
    assert!(queue.take().is_empty());
}

#[test]
fn a_batch_out_of_its_order_ends_the_session_and_is_not_taken() {
    for number in [2, 5, u64::MAX] {
        let mut bench = Bench::taking(|_| {});
        bench.receive_batch(number);
        let refusal = bench.refusal();
        assert_eq!(
            (refusal.code, refusal.retryable),
            (RefusalCode::OutOfOrder, true)
        );
        assert_eq!(bench.end(), Some(End::Refused));
        assert!(bench.submitted.is_empty());
    }
    let skip_after = |after, number| Message::Skip {
        stream: STREAM,
        number,
        after,
    };
    let skip = |number| skip_after(0, number);
    // Forwards, and again to the same place, but not back.
    let mut bench = Bench::taking(|_| {});
    bench.receive(&skip(4));
    bench.receive(&skip(4));
    bench.receive_batch(5);
    assert_eq!(bench.submitted.len(), 1);
    bench.receive(&skip(4));
    assert_eq!(bench.refusal().code, RefusalCode::OutOfOrder);
    // Only by whoever has sent what was received: else something is missing in between.
    let mut bench = Bench::taking(|_| {});
    bench.receive_batch(1);
    bench.receive(&skip_after(1, 4));
    bench.receive_batch(5);
    assert_eq!(bench.submitted.len(), 2);
    bench.receive(&skip_after(6, 8));
    assert_eq!(bench.refusal().code, RefusalCode::OutOfOrder);
    assert_eq!(bench.end(), Some(End::Refused));
}

#[test]
fn streams_beyond_the_limit_are_refused() {
    let mut bench = Bench::taking(|limits| limits.streams_max = 2);
    for stream in [STREAM, 100, 101] {
        bench.receive(&Message::Skip {
            stream,
            number: 0,
            after: 0,
        });
    }
    assert!(bench.refusal().text.contains("more than 2 streams"));
    assert_eq!(bench.end(), Some(End::Refused));
}

#[test]
fn while_there_is_no_memory_nothing_is_read_and_then_it_goes_on_in_order() {
    let mut bench = Bench::taking(|limits| limits.memory_wait = Duration::from_secs(5));
    let all = bench.budget.take(usize::MAX, &mut None).expect("all");
    bench.receive_batch(1);
    assert!(!bench.session.wants_input() && bench.session.wants_memory());
    assert!(bench.submitted.is_empty());
    assert!(bench.session.wake_at() <= Duration::from_secs(5));
    bench.now = Duration::from_secs(4);
    bench.handle(Input::Tick);
    assert!(bench.session.wants_memory());
    drop(all);
    bench.handle(Input::Tick);
    assert!(bench.session.wants_input());
    bench.receive_batch(2);
    assert_eq!(bench.submitted.len(), 2);
    assert_eq!(bench.end(), None);
}

#[test]
fn who_waits_for_memory_in_vain_is_refused_for_now() {
    let mut bench = Bench::taking(|limits| limits.memory_wait = Duration::from_secs(5));
    let _all = bench.budget.take(usize::MAX, &mut None).expect("all");
    bench.receive_batch(1);
    bench.now = Duration::from_secs(5);
    bench.handle(Input::Tick);
    let refusal = bench.refusal();
    assert_eq!((refusal.code, refusal.retryable), (RefusalCode::Busy, true));
    assert_eq!(bench.end(), Some(End::Failed));
}

#[test]
fn who_waits_for_memory_hears_that_somebody_is_there() {
    let mut bench = Bench::taking(|limits| limits.memory_wait = Duration::from_secs(9));
    let _all = bench.budget.take(usize::MAX, &mut None).expect("all");
    bench.receive_batch(1);
    let mut words = Vec::new();
    while bench.end().is_none() {
        bench.now = bench.session.wake_at();
        bench.handle(Input::Tick);
        let said = bench.said();
        if matches!(&said[..], [Message::Ping(_)]) {
            words.push(bench.now.as_secs());
        }
    }
    assert_eq!(words, [2, 4, 6, 8]);
    assert_eq!(bench.now.as_secs(), 9);
}

#[test]
fn a_driver_that_reads_on_is_told_rather_than_given_memory() {
    let mut bench = Bench::taking(|_| {});
    let _all = bench.budget.take(usize::MAX, &mut None).expect("all");
    bench.receive_batch(1);
    bench.receive_batch(2);
    assert_eq!(bench.refusal().code, RefusalCode::Internal);
    assert_eq!(bench.end(), Some(End::Refused));
}

#[test]
fn when_the_server_stops_what_was_taken_is_answered_and_nothing_more_is_taken() {
    let mut bench = Bench::taking(|_| {});
    bench.receive_batch(1);
    bench.handle(Input::Stop);
    assert!(matches!(&bench.said()[..], [Message::Goodbye(_)]));
    bench.receive_batch(2);
    assert_eq!((bench.submitted.len(), bench.end()), (1, None));
    bench.answer(stored(1), 1);
    assert_eq!(acks(&bench.said()), [1]);
    assert_eq!(bench.end(), Some(End::Stopping));
}

#[test]
fn a_batch_that_waits_for_memory_when_the_server_stops_is_kept_by_the_client() {
    let mut bench = Bench::taking(|_| {});
    let _all = bench.budget.take(usize::MAX, &mut None).expect("all");
    bench.receive_batch(1);
    bench.handle(Input::Stop);
    assert!(acks(&bench.said()).is_empty());
    assert_eq!(bench.end(), Some(End::Stopping));
    assert!(bench.submitted.is_empty());
}

#[test]
fn a_goodbye_is_answered_by_one_after_the_last_acknowledgement() {
    let mut bench = Bench::taking(|_| {});
    bench.receive_batch(1);
    bench.receive(&Message::Goodbye(Goodbye::default()));
    assert_eq!(bench.said(), []);
    bench.answer(stored(1), 1);
    let said = bench.said();
    assert!(
        matches!(&said[..], [Message::Ack(_), Message::Goodbye(_)]),
        "{said:?}"
    );
    assert_eq!(bench.end(), Some(End::Goodbye));
}

#[test]
fn silence_is_asked_about_and_then_ended_and_a_word_in_between_counts() {
    let mut bench = Bench::taking(|limits| {
        limits.ping_interval = Duration::from_secs(20);
        limits.idle_timeout = Duration::from_secs(60);
    });
    let mut asked = Vec::new();
    while bench.end().is_none() {
        bench.now = bench.session.wake_at();
        bench.handle(Input::Tick);
        let said = bench.said();
        asked.extend(said.iter().map(|message| match message {
            Message::Ping(_) => bench.now.as_secs(),
            other => panic!("{other:?}"),
        }));
        if bench.now == Duration::from_secs(40) {
            bench.receive(&Message::Pong(0));
        }
    }
    assert_eq!(asked, [20, 40, 60, 80]);
    assert_eq!((bench.now.as_secs(), bench.end()), (100, Some(End::Silent)));
}

#[test]
fn without_a_hello_it_is_over_soon() {
    let mut bench = Bench::new(|_| {});
    bench.now = bench.session.wake_at();
    assert_eq!(bench.now, IngestLimits::default().hello_timeout);
    bench.handle(Input::Tick);
    assert_eq!(bench.end(), Some(End::Silent));
    for message in [
        Message::Skip {
            stream: 1,
            number: 0,
            after: 0,
        },
        Message::Batch(batch(1)),
    ] {
        let mut bench = Bench::new(|_| {});
        bench.receive(&message);
        assert!(bench.refusal().text.contains("has to be a hello"));
    }
    for hello in [0, 1, 9] {
        let mut bench = Bench::new(|_| {});
        bench.receive(&Message::Hello(Hello {
            protocol: hello,
            ..Hello::default()
        }));
        match (hello, bench.said().pop()) {
            (0, Some(Message::Refusal(refusal))) => {
                assert_eq!(refusal.code, RefusalCode::Unsupported)
            }
            (_, Some(Message::Welcome(welcome))) => assert_eq!(welcome.protocol, 1),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn no_bytes_make_it_panic_or_take_a_batch_that_is_none() {
    let seed = std::env::var("REFLOW_TRACE_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or(20_261_125);
    println!("REFLOW_TRACE_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let good = [
        Message::Hello(Hello {
            protocol: 1,
            ..Hello::default()
        })
        .encode()
        .into_bytes(),
        Message::Skip {
            stream: STREAM,
            number: 0,
            after: 0,
        }
        .encode()
        .into_bytes(),
        batch(1).into_bytes(),
        broken(1),
        Message::Goodbye(Goodbye::default()).encode().into_bytes(),
        Message::Ping(3).encode().into_bytes(),
    ];
    for _ in 0..3000 {
        let mut bench = Bench::new(|_| {});
        for _ in 0..random.usize(1..8) {
            let mut bytes = good[random.usize(..good.len())].to_vec();
            for _ in 0..random.usize(..3) {
                let at = random.usize(..bytes.len());
                match random.u8(..3) {
                    0 => bytes[at] ^= 1 << random.u8(..8),
                    1 => bytes.truncate(at.max(1)),
                    _ => bytes.insert(at, random.u8(..)),
                }
            }
            bench.now += Duration::from_millis(random.u64(..100));
            bench.handle(Input::Message(bytes.into()));
            for submission in bench.submitted.drain(..) {
                assert_eq!(submission.admitted.frame, batch_like(&submission));
            }
        }
    }
}

/// What was taken is, byte for byte, a batch whose checksum is right.
fn batch_like(submission: &Submission) -> Frame {
    Frame::parse(
        submission.admitted.frame.bytes().clone(),
        &FrameLimits::default(),
    )
    .expect("a frame")
}
