//! A connection that is made, lost and made again, message by message.

use std::task::{Context, Poll, Waker};

use super::*;
use crate::api::{EventsPage, MetricsQuestion, ServerMetrics};
use crate::client::ask::queue::Popped;

const TIMEOUT: Duration = Duration::from_secs(30);

struct Scene {
    book: Book,
    now: Instant,
    next_id: u64,
}

type Hears<T> = oneshot::Receiver<Result<T, AskError>>;

impl Scene {
    fn new() -> Self {
        Self {
            book: Book::default(),
            now: Instant::now(),
            next_id: 0,
        }
    }

    fn connected() -> Self {
        let mut scene = Self::new();
        scene.book.connected();
        scene
    }

    fn ask(&mut self) -> (u64, Hears<Answer>) {
        let (reply, hears) = oneshot::channel();
        self.next_id += 1;
        let id = self.next_id;
        let question = Box::new(Question::Metrics(MetricsQuestion {}));
        self.book.command(
            self.now,
            Command::Ask {
                id,
                question,
                timeout: TIMEOUT,
                reply,
            },
        );
        (id, hears)
    }

    fn subscribe(&mut self, from_offset: Option<u64>) -> (u64, Arc<Queue>, Hears<()>) {
        let (begun, hears) = oneshot::channel();
        self.next_id += 1;
        let id = self.next_id;
        let queue = Arc::new(Queue::default());
        self.book.command(
            self.now,
            Command::Subscribe {
                id,
                filters: Box::default(),
                from_offset,
                queue: Arc::clone(&queue),
                timeout: TIMEOUT,
                begun,
            },
        );
        (id, queue, hears)
    }

    /// The id of the question that is said next.
    fn asked(&mut self) -> u64 {
        match self.book.say() {
            Some(ClientMessage::Ask { id, .. }) => id,
            other => panic!("{other:?}"),
        }
    }

    /// The id of the subscription that is said next, and from where.
    fn subscribed(&mut self) -> (u64, Option<u64>) {
        match self.book.say() {
            Some(ClientMessage::Subscribe {
                id, from_offset, ..
            }) => (id, from_offset),
            other => panic!("{other:?}"),
        }
    }

    fn heard(&mut self, message: ServerMessage) {
        self.book.heard(self.now, message);
    }

    fn answer(&mut self, id: u64) {
        let answer = Box::new(Answer::Metrics(ServerMetrics::default()));
        self.heard(ServerMessage::Answer { id, answer });
    }

    fn fail(&mut self, id: u64, code: ErrorCode) {
        let (id, error) = (Some(id), ApiError::new(code, "no"));
        self.heard(ServerMessage::Failed { id, error });
    }
}

fn event(name: &str) -> TraceEvent {
    TraceEvent::actor_started(name)
}

/// What lies in the queue, as names; and whether more is asked for.
fn read(queue: &Queue) -> (Vec<String>, bool) {
    let mut context = Context::from_waker(Waker::noop());
    let mut seen = Vec::new();
    loop {
        let (popped, wants_more) = queue.poll_pop(&mut context);
        match popped {
            Poll::Ready(Popped::Item(Seen::Live { offset })) => seen.push(format!("live {offset}")),
            Poll::Ready(Popped::Item(Seen::Events { events, .. })) => {
                seen.extend(events.into_iter().map(|event| event.actor_id));
            }
            Poll::Ready(Popped::Item(Seen::Gap {
                from_offset,
                to_offset,
            })) => seen.push(format!("gap {from_offset}..{to_offset}")),
            Poll::Ready(Popped::Error(error)) => seen.push(format!("error {error}")),
            Poll::Ready(Popped::End) => seen.push("end".to_owned()),
            Poll::Pending => return (seen, wants_more),
        }
        if wants_more || seen.last().is_some_and(|last| last == "end") {
            return (seen, wants_more);
        }
    }
}

fn told<T>(mut hears: Hears<T>) -> Result<T, AskError> {
    hears.try_recv().expect("it was told")
}

#[test]
fn answers_come_in_any_order_and_to_who_asked() {
    let mut scene = Scene::connected();
    let (_, first) = scene.ask();
    let (_, second) = scene.ask();
    let (a, b) = (scene.asked(), scene.asked());
    assert_ne!(a, b);
    scene.fail(b, ErrorCode::Busy);
    scene.answer(a);
    // Nobody has asked these.
    scene.answer(a);
    scene.fail(99, ErrorCode::Store);
    assert!(told(first).is_ok());
    let error = told(second).expect_err("refused");
    assert_eq!(
        error.api_error().map(|error| error.code),
        Some(ErrorCode::Busy)
    );
    assert_eq!(scene.book.wants_connection(), (false, false));
}

#[test]
fn no_more_questions_are_with_the_server_than_it_takes_and_all_are_asked() {
    let mut scene = Scene::connected();
    let hears: Vec<_> = (0..100).map(|_| scene.ask().1).collect();
    let mut with_the_server = VecDeque::new();
    let mut asked = 0;
    loop {
        while let Some(ClientMessage::Ask { id, .. }) = scene.book.say() {
            with_the_server.push_back(id);
            asked += 1;
        }
        assert!(with_the_server.len() <= ASKED_MAX);
        let Some(id) = with_the_server.pop_front() else {
            break;
        };
        scene.answer(id);
    }
    assert_eq!(asked, 100);
    assert!(hears.into_iter().all(|hears| told(hears).is_ok()));
}

#[test]
fn a_question_that_nobody_waits_for_is_cancelled_where_it_is() {
    let mut scene = Scene::connected();
    let (sent, _hears) = scene.ask();
    let id = scene.asked();
    let (waiting, _hears) = scene.ask();
    for one in [sent, waiting] {
        scene.book.command(scene.now, Command::Cancel { id: one });
    }
    assert_eq!(scene.book.say(), Some(ClientMessage::Cancel { id }));
    assert_eq!(scene.book.say(), None);
    // The answer was under way.
    scene.answer(id);
    assert_eq!(scene.book.wants_connection(), (false, false));
}

#[test]
fn a_question_is_asked_again_once_when_the_connection_is_lost() {
    let mut scene = Scene::connected();
    let (_, hears) = scene.ask();
    scene.asked();
    scene.book.disconnected("pulled");
    assert_eq!(scene.book.wants_connection(), (true, true));
    let (_, later) = scene.ask();
    scene.book.connected();
    scene.asked();
    scene.asked();
    scene.book.disconnected("pulled again");
    let error = told(hears).expect_err("twice is enough");
    assert_eq!(
        error.to_string(),
        "pulled again; the question was asked twice"
    );
    scene.book.connected();
    let id = scene.asked();
    assert_eq!(scene.book.say(), None);
    scene.answer(id);
    assert!(told(later).is_ok());
}

#[test]
fn who_waits_hears_at_once_that_nobody_is_there() {
    let mut scene = Scene::new();
    let (_, hears) = scene.ask();
    let (_, _queue, begun) = scene.subscribe(None);
    assert_eq!(scene.book.say(), None, "there is no connection");
    let reason = "cannot connect".to_owned();
    scene.book.unreachable(&AskError::Unreachable { reason });
    assert_eq!(told(hears).expect_err("no").to_string(), "cannot connect");
    assert_eq!(told(begun).expect_err("no").to_string(), "cannot connect");
    assert_eq!(scene.book.wants_connection(), (false, false));
}

#[test]
fn a_question_is_late_at_its_time_whether_it_was_asked_or_not() {
    let mut scene = Scene::connected();
    let (_, asked) = scene.ask();
    let id = scene.asked();
    let late_at = scene.book.wake_at().expect("it has a time");
    assert_eq!(late_at, scene.now + TIMEOUT);
    let (_, _queue, begun) = scene.subscribe(None);
    scene.subscribed();
    scene.book.advance(late_at);
    let said = "no answer came within 30s; ask for less, or set a longer `timeout`";
    assert_eq!(told(asked).expect_err("late").to_string(), said);
    assert_eq!(told(begun).expect_err("late").to_string(), said);
    assert_eq!(scene.book.say(), Some(ClientMessage::Cancel { id }));
    assert!(matches!(
        scene.book.say(),
        Some(ClientMessage::Unsubscribe { .. })
    ));
    assert_eq!(scene.book.wake_at(), None);
}

#[test]
fn a_subscription_goes_on_where_it_was_without_loss_and_without_doubles() {
    let mut scene = Scene::connected();
    let (_, queue, begun) = scene.subscribe(None);
    let (id, from) = scene.subscribed();
    assert_eq!(from, None);
    scene.heard(ServerMessage::Subscribed { id, offset: 5 });
    assert!(told(begun).is_ok());
    let batch: Vec<TraceEvent> = ["a", "b", "c"].map(event).into();
    let events = |events: &[TraceEvent], id, offset| ServerMessage::Events {
        id,
        offset,
        events: events.to_vec(),
    };
    scene.heard(events(&[event("earlier")], id, 6));
    scene.heard(events(&batch[..2], id, 7));
    assert_eq!(read(&queue).0, ["live 5", "earlier", "a", "b"]);

    // Lost within a batch.
    scene.book.disconnected("pulled");
    assert_eq!(scene.book.wants_connection(), (true, false));
    scene.book.connected();
    let (again, from) = scene.subscribed();
    assert_eq!(from, Some(7));
    assert_ne!(again, id);
    scene.heard(ServerMessage::Subscribed {
        id: again,
        offset: 9,
    });
    scene.heard(events(&batch[..1], again, 7));
    scene.heard(events(&batch[1..], again, 7));
    scene.heard(events(&[event("d")], again, 8));
    // Of the connection before.
    scene.heard(events(&[event("ghost")], id, 9));
    assert_eq!(read(&queue).0, ["live 9", "c", "d"]);

    // What is no longer there is told, and it goes on behind it.
    scene.heard(ServerMessage::Gap {
        id: again,
        from_offset: 9,
        to_offset: 20,
    });
    scene.book.disconnected("pulled");
    scene.book.connected();
    let (id, from) = scene.subscribed();
    assert_eq!(from, Some(20));
    assert_eq!(read(&queue).0, ["gap 9..20"]);

    // Another server behind the same address.
    scene.heard(ServerMessage::Subscribed { id, offset: 3 });
    assert_eq!(scene.book.say(), Some(ClientMessage::Unsubscribe { id }));
    let (id, from) = scene.subscribed();
    assert_eq!(from, Some(3));
    scene.heard(ServerMessage::Subscribed { id, offset: 3 });
    scene.heard(events(&[event("new")], id, 3));
    assert_eq!(read(&queue).0, ["gap 0..3", "live 3", "new"]);
}

#[test]
fn who_reads_slowly_holds_little_and_loses_nothing() {
    let mut scene = Scene::connected();
    let (id, queue, _begun) = scene.subscribe(Some(1));
    let (mut wire_id, _) = scene.subscribed();
    scene.heard(ServerMessage::Subscribed {
        id: wire_id,
        offset: 1,
    });
    let all: Vec<TraceEvent> = (1..=5_000)
        .map(|number: u64| event(&number.to_string()))
        .collect();
    let mut given = Vec::new();
    let mut next = 1_u64;
    let mut longest = 0;
    while next <= 5_000 {
        scene.heard(ServerMessage::Events {
            id: wire_id,
            offset: next,
            events: vec![all[next as usize - 1].clone()],
        });
        next += 1;
        if let Some(ClientMessage::Unsubscribe { id: ended }) = scene.book.say() {
            assert_eq!(ended, wire_id);
            // What was under way does not count.
            scene.heard(ServerMessage::Events {
                id: wire_id,
                offset: next,
                events: vec![event("too late")],
            });
            let (seen, wants_more) = read(&queue);
            longest = longest.max(seen.len());
            given.extend(seen);
            assert!(wants_more, "the reader has emptied it");
            scene.book.command(scene.now, Command::Resume { id });
            let (again, from) = scene.subscribed();
            wire_id = again;
            scene.heard(ServerMessage::Subscribed {
                id: wire_id,
                offset: 5_001,
            });
            next = from.expect("a place");
            assert_eq!(scene.book.say(), None);
        }
    }
    given.extend(read(&queue).0);
    assert_eq!(given.remove(0), "live 1");
    let expected = all.iter().map(|event| &event.actor_id);
    assert!(
        given.iter().eq(expected),
        "{} of {}",
        given.len(),
        all.len()
    );
    assert!(longest <= 1_024, "{longest}");
}

#[test]
fn a_subscription_that_the_server_refuses_ends_and_one_that_is_only_busy_comes_back() {
    let mut scene = Scene::connected();
    let (_, queue, begun) = scene.subscribe(None);
    let (id, _) = scene.subscribed();
    scene.fail(id, ErrorCode::Forbidden);
    assert_eq!(
        told(begun)
            .expect_err("no")
            .api_error()
            .map(|error| error.code),
        Some(ErrorCode::Forbidden)
    );
    drop(queue);

    let (_, queue, _begun) = scene.subscribe(None);
    let (id, _) = scene.subscribed();
    scene.heard(ServerMessage::Subscribed { id, offset: 1 });
    for code in [ErrorCode::Stopping, ErrorCode::Busy] {
        scene.book.disconnected("pulled");
        scene.book.connected();
        let (id, _) = scene.subscribed();
        scene.fail(id, code);
        assert_eq!(scene.book.say(), None);
    }
    let rested = scene.book.wake_at().expect("after a while");
    scene.book.advance(rested);
    let (id, from) = scene.subscribed();
    assert_eq!(from, Some(1));
    scene.heard(ServerMessage::Subscribed { id, offset: 1 });
    scene.fail(id, ErrorCode::Forbidden);
    assert_eq!(read(&queue).0, ["live 1", "live 1", "error no", "end"]);
    assert_eq!(scene.book.wants_connection(), (false, false));
}

#[test]
fn at_the_end_everybody_hears_of_it() {
    let mut scene = Scene::connected();
    let (_, hears) = scene.ask();
    let (_, queue, _begun) = scene.subscribe(None);
    let (id, _) = scene.subscribed();
    scene.heard(ServerMessage::Subscribed { id, offset: 1 });
    scene.book.end();
    assert_eq!(told(hears), Err(AskError::Gone));
    assert_eq!(read(&queue).0.last().map(String::as_str), Some("end"));
}

#[test]
fn an_answer_of_another_kind_is_no_answer() {
    // Who asks looks at the kind; the book gives what comes.
    let mut scene = Scene::connected();
    let (_, hears) = scene.ask();
    let id = scene.asked();
    let answer = Box::new(Answer::QueryTraces(EventsPage::default()));
    scene.heard(ServerMessage::Answer { id, answer });
    assert!(matches!(told(hears), Ok(Answer::QueryTraces(_))));
}

#[test]
fn what_cannot_be_read_costs_its_question_or_a_gap_and_nothing_else() {
    let mut scene = Scene::connected();
    let (_, queue, _begun) = scene.subscribe(Some(3));
    let (on_the_wire, _) = scene.subscribed();
    scene.heard(ServerMessage::Subscribed {
        id: on_the_wire,
        offset: 9,
    });
    let (_, lost) = scene.ask();
    let (_, other) = scene.ask();
    let (first, second) = (scene.asked(), scene.asked());
    let error = ApiError::new(ErrorCode::InvalidQuestion, "too deep");
    let addressee = Addressee::Answer { id: first };
    scene.book.unreadable(&addressee, &error);
    let said = told(lost).expect_err("it cannot be read").to_string();
    assert!(said.contains("cannot be read: too deep"), "{said}");
    let addressee = Addressee::Events {
        id: on_the_wire,
        offset: 5,
    };
    scene.book.unreadable(&addressee, &error);
    scene.answer(second);
    assert!(told(other).is_ok());
    scene.heard(ServerMessage::Events {
        id: on_the_wire,
        offset: 6,
        events: vec![event("six")],
    });
    assert_eq!(read(&queue).0, ["live 9", "gap 5..6", "six"]);
    // Nobody it could be for is left: nothing happens.
    for addressee in [
        Addressee::Answer { id: 99 },
        Addressee::Events { id: 99, offset: 1 },
    ] {
        scene.book.unreadable(&addressee, &error);
    }
}

#[test]
fn an_end_that_cannot_be_read_ends_the_subscription() {
    let mut scene = Scene::connected();
    let (_, queue, _begun) = scene.subscribe(None);
    let (id, _) = scene.subscribed();
    scene.heard(ServerMessage::Subscribed { id, offset: 1 });
    let error = ApiError::new(ErrorCode::InvalidQuestion, "of later");
    scene.book.unreadable(&Addressee::Answer { id }, &error);
    let seen = read(&queue).0;
    assert_eq!(seen.len(), 3, "{seen:?}");
    assert!(seen[1].contains("cannot be read: of later"), "{seen:?}");
    assert_eq!(scene.book.wants_connection(), (false, false));
}
