//! The shapes of methods that real connectors have: each does what it did, and records what happened.

#![deny(warnings)]
#![forbid(unsafe_code)]

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use futures::executor::block_on;
use reflow_trace::{sample, traced_connector};
use reflow_trace_tests::{Recording, Silence};

#[sample(rate = 1.0)]
#[derive(Clone, Debug, PartialEq)]
struct Reading(u32);

#[derive(Debug, PartialEq)]
struct Full(u32);

/// The fields that every connector here has.
struct Wire {
    from_actor: String,
    from_port: &'static str,
    to_actor: Arc<str>,
    to_port: Port,
    sent: Mutex<Vec<u32>>,
}

/// A port that can only be shown.
struct Port(u8);

impl std::fmt::Display for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "in{}", self.0)
    }
}

impl Wire {
    fn new() -> Self {
        Wire {
            from_actor: "a".into(),
            from_port: "out",
            to_actor: "b".into(),
            to_port: Port(1),
            sent: Mutex::default(),
        }
    }

    fn push(&self, reading: Reading) -> Result<(), Full> {
        let mut sent = self.sent.lock().expect("nobody panics here");
        if reading.0 > 100 {
            return Err(Full(reading.0));
        }
        sent.push(reading.0);
        Ok(())
    }

    fn sent(&self) -> Vec<u32> {
        self.sent.lock().expect("nobody panics here").clone()
    }
}

const DELIVERED: &str = "DataFlow a:out -> b:in1 Reading delivered";
const FAILED: &str = "MessageSent a:out -> b:in1 Reading failed";

mod synchronous {
    use super::*;

    struct Connector(Wire);

    impl std::ops::Deref for Connector {
        type Target = Wire;
        fn deref(&self) -> &Wire {
            &self.0
        }
    }

    #[traced_connector]
    impl Connector {
        fn send(&self, message: Reading) -> Result<(), Full> {
            if message.0 == 7 {
                return Err(Full(7));
            }
            self.push(message)?;
            Ok(())
        }
    }

    #[test]
    fn ok_is_delivered_and_err_is_failed_however_it_was_returned() {
        let recording = Recording::start();
        let connector = Connector(Wire::new());
        assert_eq!(connector.send(Reading(1)), Ok(()));
        assert_eq!(connector.send(Reading(7)), Err(Full(7)));
        assert_eq!(connector.send(Reading(101)), Err(Full(101)));
        assert_eq!(connector.sent(), [1]);
        assert_eq!(recording.lines(), [DELIVERED, FAILED, FAILED]);
    }
}

mod values {
    use super::*;

    struct Connector {
        from_actor: &'static str,
        from_port: &'static str,
        to_actor: &'static str,
        to_port: &'static str,
        last: Reading,
    }

    #[traced_connector]
    impl Connector {
        fn send(&mut self, message: Reading) -> &mut Reading {
            self.last = message;
            &mut self.last
        }

        fn try_send(&mut self, Reading(number): Reading) -> bool {
            number < 100
        }

        fn broadcast(&self, message: &Reading) {
            let _ = message;
        }
    }

    #[test]
    fn what_is_no_result_is_delivered() {
        let recording = Recording::start();
        let mut connector = Connector {
            from_actor: "a",
            from_port: "out",
            to_actor: "b",
            to_port: "in1",
            last: Reading(0),
        };
        connector.send(Reading(2)).0 += 1;
        assert_eq!(connector.last, Reading(3));
        assert!(!connector.try_send(Reading(100)));
        connector.broadcast(&Reading(5));
        assert_eq!(recording.lines(), [DELIVERED; 3]);
    }
}

mod asynchronous {
    use super::*;

    struct Connector<M> {
        from_actor: String,
        from_port: String,
        to_actor: String,
        to_port: String,
        channel: RefCell<Vec<M>>,
    }

    #[traced_connector(depth = "self.channel.borrow().len()")]
    impl<M: Clone + reflow_trace::Message> Connector<M> {
        async fn send_message(&self, message: M) -> Result<(), Box<dyn std::error::Error>> {
            if self.channel.borrow().len() > 1 {
                Err("full")?;
            }
            std::future::ready(()).await;
            self.channel.borrow_mut().push(message);
            Ok(())
        }

        async fn send_async(&self, mut message: M) {
            message = message.clone();
            self.channel.borrow_mut().push(message);
        }
    }

    #[test]
    fn an_async_send_that_is_generic_over_its_messages_records_their_names_and_the_depth() {
        let recording = Recording::start();
        let connector = Connector {
            from_actor: "a".into(),
            from_port: "out".into(),
            to_actor: "b".into(),
            to_port: "in1".into(),
            channel: RefCell::default(),
        };
        block_on(async {
            connector
                .send_message(Reading(1))
                .await
                .expect("there is room");
            connector.send_async(Reading(2)).await;
            let full = connector
                .send_message(Reading(3))
                .await
                .expect_err("there is no room");
            assert_eq!(full.to_string(), "full");
        });
        assert_eq!(*connector.channel.borrow(), [Reading(1), Reading(2)]);
        assert_eq!(recording.lines(), [DELIVERED, DELIVERED, FAILED]);
        let depths: Vec<_> = recording
            .events()
            .iter()
            .map(|e| e.data.performance_metrics.queue_depth)
            .collect();
        assert_eq!(depths, [Some(0), Some(1), Some(2)]);
    }

    #[test]
    fn a_future_that_is_never_polled_records_nothing() {
        let recording = Recording::start();
        let connector = Connector {
            from_actor: String::new(),
            from_port: String::new(),
            to_actor: String::new(),
            to_port: String::new(),
            channel: RefCell::new(vec![Reading(0)]),
        };
        drop(connector.send_message(Reading(1)));
        assert_eq!(recording.lines(), [""; 0]);
    }
}

mod cancelled {
    use super::*;

    struct Connector(Wire);

    #[traced_connector(
        from_actor = self.0.from_actor, from_port = self.0.from_port, to_actor = self.0.to_actor, to_port = self.0.to_port
    )]
    impl Connector {
        async fn send(&self, message: Reading) -> Result<(), Full> {
            std::future::pending::<()>().await;
            self.0.push(message)
        }

        async fn try_send(&self, message: Reading) {
            panic!("{}", message.0);
        }
    }

    #[test]
    fn a_send_dropped_half_way_is_cancelled_and_a_panic_is_panicked() {
        let recording = Recording::start();
        let connector = Connector(Wire::new());
        let mut send = Box::pin(connector.send(Reading(1)));
        let polled = block_on(futures::future::poll_immediate(&mut send));
        assert_eq!(polled, None);
        drop(send);
        let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            block_on(connector.try_send(Reading(9)))
        }));
        assert_eq!(
            payload
                .expect_err("it panics")
                .downcast_ref::<String>()
                .map(String::as_str),
            Some("9")
        );
        assert_eq!(
            recording.lines(),
            [
                "MessageSent a:out -> b:in1 Reading cancelled",
                "MessageSent a:out -> b:in1 Reading panicked"
            ]
        );
    }
}

mod traits {
    use super::*;

    trait Sender<M> {
        fn send(&self, message: M) -> impl Future<Output = Result<(), Full>> + Send;
        async fn send_async(&self, message: M) -> Result<(), Full>;
    }

    #[async_trait::async_trait]
    trait BoxedSender {
        async fn send(&self, message: Reading) -> Result<(), Full>;
    }

    struct Plain(Wire);
    struct Above(Wire);
    struct Below(Wire);

    #[traced_connector(from_actor = self.0.from_actor, from_port = self.0.from_port, to_actor = self.0.to_actor, to_port = self.0.to_port)]
    impl Sender<Reading> for Plain {
        async fn send(&self, message: Reading) -> Result<(), Full> {
            self.0.push(message)
        }

        async fn send_async(&self, message: Reading) -> Result<(), Full> {
            self.0.push(message)
        }
    }

    #[async_trait::async_trait]
    #[traced_connector(from_actor = self.0.from_actor, from_port = self.0.from_port, to_actor = self.0.to_actor, to_port = self.0.to_port)]
    impl BoxedSender for Above {
        async fn send(&self, message: Reading) -> Result<(), Full> {
            std::future::ready(()).await;
            self.0.push(message)
        }
    }

    #[traced_connector(from_actor = self.0.from_actor, from_port = self.0.from_port, to_actor = self.0.to_actor, to_port = self.0.to_port)]
    #[async_trait::async_trait]
    impl BoxedSender for Below {
        async fn send(&self, message: Reading) -> Result<(), Full> {
            std::future::ready(()).await;
            self.0.push(message)
        }
    }

    fn assert_send<T: Send>(value: T) -> T {
        value
    }

    #[test]
    fn async_methods_of_traits_are_recorded() {
        let recording = Recording::start();
        let sender = Plain(Wire::new());
        block_on(async {
            assert_eq!(assert_send(sender.send(Reading(1))).await, Ok(()));
            assert_eq!(sender.send_async(Reading(101)).await, Err(Full(101)));
        });
        assert_eq!(sender.0.sent(), [1]);
        assert_eq!(recording.lines(), [DELIVERED, FAILED]);
    }

    #[test]
    fn async_trait_above_or_below_gives_equal_events() {
        for sender in [
            Box::new(Above(Wire::new())) as Box<dyn BoxedSender>,
            Box::new(Below(Wire::new())),
        ] {
            let recording = Recording::start();
            block_on(async {
                assert_eq!(sender.send(Reading(1)).await, Ok(()));
                drop(sender.send(Reading(2)));
                assert_eq!(sender.send(Reading(101)).await, Err(Full(101)));
            });
            assert_eq!(recording.lines(), [DELIVERED, FAILED]);
        }
    }
}

mod returned_futures {
    use super::*;

    struct Connector(Wire);

    type Sending<'a> = Pin<Box<dyn Future<Output = Result<(), Full>> + Send + 'a>>;

    #[traced_connector(from_actor = self.0.from_actor, from_port = self.0.from_port, to_actor = self.0.to_actor, to_port = self.0.to_port)]
    impl Connector {
        fn send(&self, message: Reading) -> impl Future<Output = Result<(), Full>> + Send {
            if message.0 == 0 {
                return futures::future::Either::Left(std::future::ready(Err(Full(0))));
            }
            futures::future::Either::Right(async move { self.0.push(message) })
        }

        fn send_async(
            &self,
            message: Reading,
        ) -> Pin<Box<dyn Future<Output = Result<(), Full>> + Send + '_>> {
            let doubled = Reading(message.0 * 2);
            Box::pin(async move { self.0.push(doubled) })
        }

        #[trace(returns = "future")]
        fn try_send(&self, message: Reading) -> Sending<'_> {
            Box::pin(async move { self.0.push(message) })
        }
    }

    #[test]
    fn the_value_is_wrapped_whatever_the_body_looks_like() {
        let recording = Recording::start();
        let connector = Connector(Wire::new());
        block_on(async {
            assert_eq!(connector.send(Reading(1)).await, Ok(()));
            assert_eq!(connector.send(Reading(0)).await, Err(Full(0)));
            drop(connector.send(Reading(2)));
            assert_eq!(connector.send_async(Reading(60)).await, Err(Full(120)));
            drop(connector.send_async(Reading(2)));
            assert_eq!(connector.try_send(Reading(3)).await, Ok(()));
        });
        assert_eq!(connector.0.sent(), [1, 3]);
        assert_eq!(recording.lines(), [DELIVERED, FAILED, FAILED, DELIVERED]);
    }
}

mod receives {
    use super::*;

    struct Connector {
        from_actor: &'static str,
        from_port: &'static str,
        to_actor: &'static str,
        to_port: &'static str,
        waiting: Vec<Reading>,
    }

    #[traced_connector(depth = false)]
    impl Connector {
        async fn recv(&mut self) -> Option<Reading> {
            self.waiting.pop()
        }

        fn try_recv(&mut self) -> Result<Reading, &'static str> {
            self.waiting.pop().ok_or("empty")
        }
    }

    #[test]
    fn a_receive_is_recorded_where_a_message_came() {
        let recording = Recording::start();
        let waiting = vec![Reading(1), Reading(2)];
        let mut connector = Connector {
            from_actor: "a",
            from_port: "out",
            to_actor: "b",
            to_port: "in1",
            waiting,
        };
        assert_eq!(block_on(connector.recv()), Some(Reading(2)));
        assert_eq!(connector.try_recv(), Ok(Reading(1)));
        assert_eq!(connector.try_recv(), Err("empty"));
        assert_eq!(block_on(connector.recv()), None);
        assert_eq!(
            recording.lines(),
            ["MessageReceived b:in1 Reading delivered"; 2]
        );
    }
}

mod options {
    use super::*;

    struct End {
        actor: &'static str,
        port: &'static str,
    }

    struct Connector {
        from: End,
        to: End,
    }

    #[derive(Debug, PartialEq)]
    enum Answer {
        Accepted,
        Refused,
    }

    #[traced_connector(
        from = "self.from",
        to = self.to,
        protocol = "tcp",
        compression = "zstd",
        attributes(number = "message.0", r#type = "self.kind()", "dotted.key" = "\"v\""),
        skip(send)
    )]
    impl Connector {
        fn kind(&self) -> &'static str {
            "kind"
        }

        fn send(&self, message: Reading) -> Answer {
            self.forward("b", message)
        }

        #[trace(send, ok = "*result == Answer::Accepted", to_actor = "target")]
        fn forward(&self, target: &str, message: Reading) -> Answer {
            let _ = target;
            if message.0 > 100 {
                Answer::Refused
            } else {
                Answer::Accepted
            }
        }
    }

    #[test]
    fn options_say_where_and_what_and_whether_it_went_well() {
        let recording = Recording::start();
        let connector = Connector {
            from: End {
                actor: "a",
                port: "out",
            },
            to: End {
                actor: "x",
                port: "in1",
            },
        };
        assert_eq!(connector.send(Reading(1)), Answer::Accepted);
        assert_eq!(connector.send(Reading(101)), Answer::Refused);
        assert_eq!(recording.lines(), [DELIVERED, FAILED]);
        let attributes = &recording.events()[0].data.custom_attributes;
        for (key, value) in [
            ("protocol", "tcp"),
            ("compression", "zstd"),
            ("type", "kind"),
            ("dotted.key", "v"),
        ] {
            assert_eq!(attributes[key], value, "{key}");
        }
        assert_eq!(attributes["number"], 1);
    }
}

mod unusual {
    use super::*;

    struct Connector<'a, const N: usize>([&'a str; N], RefCell<String>);

    #[traced_connector(
        from_actor = "\"a\"", from_port = ("out"), to_actor = self.0[0], to_port = r#""in1""#,
        skip(recv)
    )]
    impl<'a, const N: usize> Connector<'a, { N }>
    where
        [(); N]: Sized,
    {
        /// A `mut` argument that is bound to a local of the body.
        fn send(self: Box<Self>, message: Reading, mut topic: &str) -> usize {
            let local = format!("{topic}!{}", message.0);
            topic = &local;
            topic.len()
        }

        #[track_caller]
        fn try_send(&self, message: Reading) -> u32 {
            std::panic::Location::caller().line() + message.0
        }

        #[cfg(any())]
        fn send_timeout(&self, nothing: There) {}

        fn send_async(
            &self,
            #[cfg(any())] nothing: There,
            message: impl Into<Reading>,
        ) -> Result<impl Iterator<Item = u32>, Full> {
            Ok(std::iter::once(message.into().0))
        }

        async fn send_deadline<'b>(
            self: &'b Connector<'a, N>,
            (message, suffix): (Reading, &'b str),
        ) -> &'b str {
            self.1.borrow_mut().push_str(suffix);
            if message.0 > 1 {
                return suffix;
            }
            self.0[0]
        }

        async fn blocking_send(&self, message: Reading) -> ! {
            panic!("{}", message.0)
        }

        fn send_blocking(&self, message: Reading) -> ! {
            panic!("{}", message.0)
        }

        fn recv(&self) {}
    }

    #[test]
    fn a_mut_argument_may_point_at_a_local() {
        let recording = Recording::start();
        let connector = Box::new(Connector(["b"], RefCell::default()));
        assert_eq!(connector.send(Reading(1), "topic"), 7);
        assert_eq!(recording.lines(), [DELIVERED]);
    }

    #[test]
    fn track_caller_sees_the_caller() {
        let recording = Recording::start();
        let connector = Connector(["b"], RefCell::default());
        assert_eq!(connector.try_send(Reading(0)), line!());
        assert_eq!(recording.lines(), [DELIVERED]);
    }

    #[test]
    fn opaque_parts_patterns_and_lifetimes_are_no_obstacle() {
        let recording = Recording::start();
        let connector = Connector(["b"], RefCell::default());
        let sent: Vec<u32> = connector
            .send_async(Reading(4))
            .expect("it is sent")
            .collect();
        assert_eq!(sent, [4]);
        assert_eq!(
            block_on(connector.send_deadline((Reading(2), "suffix"))),
            "suffix"
        );
        assert_eq!(recording.lines().len(), 2);
        connector.recv();
    }

    #[test]
    fn what_never_returns_panics_with_its_own_payload() {
        let recording = Recording::start();
        let connector = Connector(["b"], RefCell::default());
        let connector = std::panic::AssertUnwindSafe(&connector);
        let one = std::panic::catch_unwind(|| connector.send_blocking(Reading(1)));
        let two = std::panic::catch_unwind(|| block_on(connector.blocking_send(Reading(2))));
        for (payload, number) in [(one.map(|_| ()), "1"), (two.map(|_| ()), "2")] {
            assert_eq!(
                payload
                    .expect_err("it panics")
                    .downcast_ref::<String>()
                    .map(String::as_str),
                Some(number)
            );
        }
        assert_eq!(
            recording.lines(),
            ["MessageSent a:out -> b:in1 Reading panicked"; 2]
        );
    }
}

mod made_by_macros {
    use super::*;

    struct Connector(Wire);

    macro_rules! connector {
        ($name:ident, $message:ident: $type:ty, $cap:expr, $($rest:tt)*) => {
            #[traced_connector(from_actor = "self.0.from_actor", from_port = "self.0.from_port", to_actor = self.0.to_actor, to_port = self.0.to_port)]
            impl $name {
                fn send(&self, $message: $type) -> Result<u32, Full> {
                    self.0.push($message)?;
                    Ok(2 * $cap)
                }

                $($rest)*
            }
        };
    }

    connector!(Connector, message: Reading, 1 + 1, fn try_send(&self, message: Reading) -> u32 { message.0 });

    #[test]
    fn an_expression_that_a_macro_passes_in_stays_one_operand() {
        let recording = Recording::start();
        let connector = Connector(Wire::new());
        assert_eq!(connector.send(Reading(1)), Ok(4));
        assert_eq!(connector.try_send(Reading(1)), 1);
        assert_eq!(recording.lines(), [DELIVERED, DELIVERED]);
    }
}

mod drop_order {
    use super::*;

    thread_local!(static DROPPED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) });

    struct Noisy(&'static str);

    impl Drop for Noisy {
        fn drop(&mut self) {
            DROPPED.with_borrow_mut(|dropped| dropped.push(self.0));
        }
    }

    struct Connector(Noisy);

    #[traced_connector(from_actor = ("a"), from_port = ("out"), to_actor = ("b"), to_port = ("in1"))]
    impl Connector {
        fn send(self, message: Noisy, _: Noisy, last: Noisy) -> u8 {
            let _local = Noisy("local");
            let _ = (&last, &message, self.0.0);
            1
        }

        async fn send_async(self, message: Noisy, _: Noisy, last: Noisy) -> u8 {
            let _local = Noisy("local");
            let _ = (&last, &message, self.0.0);
            1
        }
    }

    #[test]
    fn arguments_drop_in_the_order_of_plain_functions() {
        let _recording = Recording::start();
        let order = || DROPPED.with_borrow_mut(std::mem::take);
        assert_eq!(
            Connector(Noisy("self")).send(Noisy("message"), Noisy("unused"), Noisy("last")),
            1
        );
        assert_eq!(order(), ["local", "last", "unused", "message", "self"]);
        let future =
            Connector(Noisy("self")).send_async(Noisy("message"), Noisy("unused"), Noisy("last"));
        assert_eq!(block_on(future), 1);
        assert_eq!(order(), ["local", "last", "unused", "message", "self"]);
    }
}

mod one_event {
    use super::*;

    struct Connector(Wire);

    #[traced_connector(from_actor = self.0.from_actor, from_port = self.0.from_port, to_actor = self.0.to_actor, to_port = self.0.to_port)]
    impl Connector {
        async fn send_message(&self, message: Reading) -> Result<(), Full> {
            std::future::ready(()).await;
            for attempt in 0.. {
                match self.send(message.clone()) {
                    Err(_) if attempt < 2 => continue,
                    result => return result,
                }
            }
            Ok(())
        }

        fn send(&self, message: Reading) -> Result<(), Full> {
            self.try_send(message)
        }

        fn try_send(&self, message: Reading) -> Result<(), Full> {
            self.0.push(message)
        }
    }

    #[test]
    fn a_send_that_sends_through_others_is_one_event() {
        let recording = Recording::start();
        let connector = Connector(Wire::new());
        assert_eq!(block_on(connector.send_message(Reading(1))), Ok(()));
        assert_eq!(
            block_on(connector.send_message(Reading(101))),
            Err(Full(101))
        );
        assert_eq!(recording.lines(), [DELIVERED, FAILED]);
    }

    #[test]
    fn a_hundred_sends_interleaved_on_one_thread_are_a_hundred_events() {
        let recording = Recording::start();
        let connector = Connector(Wire::new());
        let sends = (0..100).map(|number| connector.send_message(Reading(number)));
        let sent = block_on(futures::future::join_all(sends));
        assert!(sent.iter().all(Result::is_ok));
        assert_eq!(recording.lines(), [DELIVERED; 100]);
    }
}

mod silent {
    use super::*;

    #[test]
    fn without_a_recording_nothing_happens_and_nothing_panics() {
        struct Connector(Wire);

        #[traced_connector(from_actor = self.0.from_actor, from_port = self.0.from_port, to_actor = self.0.to_actor, to_port = self.0.to_port)]
        impl Connector {
            fn send(&self, message: Reading) -> Result<(), Full> {
                self.0.push(message)
            }

            async fn send_async(&self, message: Reading) -> Result<(), Full> {
                self.0.push(message)
            }

            fn try_send(
                &self,
                message: Reading,
            ) -> Pin<Box<dyn Future<Output = Result<(), Full>> + '_>> {
                Box::pin(async { self.0.push(message) })
            }
        }

        let _silence = Silence::start();
        let connector = Connector(Wire::new());
        assert_eq!(connector.send(Reading(1)), Ok(()));
        assert_eq!(block_on(connector.send_async(Reading(101))), Err(Full(101)));
        assert_eq!(block_on(connector.try_send(Reading(2))), Ok(()));
        assert_eq!(connector.0.sent(), [1, 2]);
    }
}

mod bodies {
    //! Bodies that other attribute macros have trouble with.

    use super::*;

    struct Connector(Wire);

    trait Shape {
        fn area(&self) -> u32;
    }

    impl Shape for u32 {
        fn area(&self) -> u32 {
            *self
        }
    }

    macro_rules! refuse {
        ($error:expr) => {
            return Err($error)
        };
    }

    #[traced_connector(from_actor = self.0.from_actor, from_port = self.0.from_port, to_actor = self.0.to_actor, to_port = self.0.to_port)]
    impl Connector {
        // The types of the tails are known from the signature alone.
        async fn send(
            &self,
            message: Reading,
        ) -> Result<Box<dyn Shape>, Box<dyn std::error::Error>> {
            if message.0 > 100 {
                refuse!("full".into());
            }
            Ok(Box::new(message.0))
        }

        async fn send_async(&self, message: Reading) -> Option<Box<dyn Shape>> {
            if message.0 > 1 {
                Some(Box::new(message.0))
            } else {
                None
            }
        }

        fn try_send(&self, message: Reading) -> Box<dyn Shape> {
            let (flow, out, future) = (message.0, 1, 1);
            macro_rules! product {
                ($($factor:expr),*) => { 1 $(* $factor)* };
            }
            Box::new('found: {
                if flow == 1 {
                    break 'found product!(flow, out + 1, future);
                }
                flow
            })
        }

        async fn send_timeout(&self, _message: Reading) {}

        async fn send_message(&self, _message: Reading) {
            // Nothing but a comment.
        }

        fn broadcast(&self, message: Reading) -> Vec<u32> {
            if message.0 == 0 {
                return vec![0];
            }
            let mut rest = self.broadcast(Reading(message.0 - 1));
            rest.push(message.0);
            rest
        }
    }

    #[test]
    fn bodies_mean_what_they_meant() {
        let recording = Recording::start();
        let connector = Connector(Wire::new());
        block_on(async {
            assert_eq!(
                connector
                    .send(Reading(1))
                    .await
                    .map(|shape| shape.area())
                    .ok(),
                Some(1)
            );
            assert_eq!(
                connector
                    .send(Reading(101))
                    .await
                    .err()
                    .map(|error| error.to_string())
                    .as_deref(),
                Some("full")
            );
            assert_eq!(
                connector
                    .send_async(Reading(2))
                    .await
                    .map(|shape| shape.area()),
                Some(2)
            );
            assert_eq!(connector.try_send(Reading(1)).area(), 2);
            connector.send_timeout(Reading(1)).await;
            connector.send_message(Reading(1)).await;
        });
        assert_eq!(
            recording.lines(),
            [
                DELIVERED, FAILED, DELIVERED, DELIVERED, DELIVERED, DELIVERED
            ]
        );
    }

    #[test]
    fn a_recursion_is_one_event() {
        let recording = Recording::start();
        assert_eq!(Connector(Wire::new()).broadcast(Reading(3)), [0, 1, 2, 3]);
        assert_eq!(recording.lines(), [DELIVERED]);
    }
}
