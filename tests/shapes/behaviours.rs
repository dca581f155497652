//! What other attribute macros have tests for, as far as no other file here has it.

use futures::Stream;

use super::*;

struct Connector {
    wire: Wire,
    next: Option<Box<Connector>>,
}

impl Connector {
    fn new(from: &str, next: Option<Box<Connector>>) -> Self {
        let mut wire = Wire::new();
        wire.from_actor = from.into();
        Connector { wire, next }
    }

    fn name(&self) -> &str {
        &self.wire.from_actor
    }
}

const OUT: &str = "out";

#[reflow_trace::traced_connector(
    from_actor = self.name(), from_port = OUT, to_actor = self.wire.to_actor, to_port = format_args!("in{}", 1)
)]
impl Connector {
    // A send over one edge that sends over another.
    async fn send(&self, message: Reading) -> Result<(), Full> {
        if let Some(next) = &self.next {
            Box::pin(next.send(message.clone())).await?;
        }
        self.wire.push(message)
    }

    // What is returned is read after the call.
    async fn send_async(&self, message: Reading) -> impl Stream<Item = u32> + '_ {
        let _ = self.wire.push(message);
        futures::stream::iter(self.wire.sent())
    }

    fn try_send(&self, mut message: Reading, depth: u32, log: &mut Vec<u32>) -> u32 {
        log.push(message.0);
        if depth == 0 {
            return message.0;
        }
        message.0 += 1;
        self.try_send(message, depth - 1, log)
    }

    // An argument that is called like an option, and like what an option computes.
    #[trace(send, attributes(depth = "depth", edge = edge, result = "*edge + 1"), ok = "*result > i64::from(depth)")]
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "a value behind a reference is the point"
    )]
    fn post(&self, depth: u32, edge: &u32, message: Reading) -> i64 {
        let _ = &self.wire;
        i64::from(message.0) - i64::from(*edge) + i64::from(depth)
    }

    #[expect(clippy::multiple_bound_locations, reason = "both places are the point")]
    fn send_timeout<T: Into<Reading>, F>(&self, message: T, accept: F) -> Option<u32>
    where
        T: Copy + reflow_trace::Message,
        F: FnOnce(T) -> bool,
    {
        if accept(message) {
            Some(message.into().0)
        } else {
            None
        }
    }

    #[reflow_trace::trace(skip)]
    fn send_blocking(&self) -> usize {
        self.wire.sent().len()
    }

    fn blocking_send(
        &self,
        message: Reading,
    ) -> Result<Box<dyn Iterator<Item = u32> + '_>, Box<dyn std::error::Error + Send + Sync>> {
        if message.0 > 100 {
            Err("full".into())
        } else {
            Ok(Box::new(self.wire.sent().into_iter()))
        }
    }
}

#[test]
fn a_send_within_a_send_over_another_edge_is_another_event() {
    let recording = Recording::start();
    let connector = Connector::new("a", Some(Box::new(Connector::new("z", None))));
    assert_eq!(block_on(connector.send(Reading(1))), Ok(()));
    assert_eq!(block_on(connector.send(Reading(101))), Err(Full(101)));
    assert_eq!(
        recording.lines(),
        [
            "DataFlow z:out -> b:in1 Reading delivered",
            DELIVERED,
            "MessageSent z:out -> b:in1 Reading failed",
            FAILED
        ]
    );
}

#[test]
fn a_stream_that_is_returned_is_the_callers() {
    use futures::StreamExt as _;
    let recording = Recording::start();
    let connector = Connector::new("a", None);
    let sent: Vec<u32> = block_on(async { connector.send_async(Reading(4)).await.collect().await });
    assert_eq!(sent, [4]);
    assert_eq!(recording.lines(), [DELIVERED]);
}

#[test]
fn a_recursion_with_a_mutable_argument_writes_to_what_it_was_given() {
    let recording = Recording::start();
    let mut log = Vec::new();
    assert_eq!(
        Connector::new("a", None).try_send(Reading(1), 2, &mut log),
        3
    );
    assert_eq!(log, [1, 2, 3]);
    assert_eq!(recording.lines(), [DELIVERED]);
}

#[test]
fn options_and_arguments_of_one_name_do_not_clash() {
    let recording = Recording::start();
    let connector = Connector::new("a", None);
    assert_eq!(connector.post(5, &1, Reading(2)), 6);
    assert_eq!(connector.post(5, &9, Reading(2)), -2);
    assert_eq!(recording.lines(), [DELIVERED, FAILED]);
    let attributes = &recording.events()[0].data.custom_attributes;
    assert_eq!(
        (
            &attributes["depth"],
            &attributes["edge"],
            &attributes["result"]
        ),
        (&5.into(), &1.into(), &2.into())
    );
}

#[test]
fn bounds_in_both_places_and_trait_objects_stay() {
    let recording = Recording::start();
    let connector = Connector::new("a", None);
    assert_eq!(connector.send_timeout(3_u32, |number| number > 2), Some(3));
    assert_eq!(connector.send_blocking(), 0);
    assert_eq!(
        connector
            .blocking_send(Reading(1))
            .map(Iterator::count)
            .ok(),
        Some(0)
    );
    assert!(connector.blocking_send(Reading(101)).is_err());
    assert_eq!(
        recording.lines(),
        ["DataFlow a:out -> b:in1 u32 delivered", DELIVERED, FAILED]
    );
}

#[async_trait::async_trait]
trait Sends<M> {
    async fn send(&mut self, message: M) -> Result<u32, Full>
    where
        M: 'async_trait;
}

#[async_trait::async_trait]
trait Receives {
    async fn recv(&mut self) -> Option<Reading>;
}

struct Both(Wire, Vec<Reading>);

#[traced_connector(from_actor = self.0.from_actor, from_port = self.0.from_port, to_actor = self.0.to_actor, to_port = self.0.to_port)]
#[async_trait::async_trait]
impl Sends<Reading> for Both {
    async fn send(&mut self, mut message: Reading) -> Result<u32, Full> {
        message.0 += 1;
        self.1.push(message.clone());
        self.0.push(message)?;
        Ok(self.0.sent()[0])
    }
}

#[async_trait::async_trait]
#[traced_connector(from_actor = self.0.from_actor, from_port = self.0.from_port, to_actor = self.0.to_actor, to_port = self.0.to_port)]
impl Sends<&'static str> for Both {
    async fn send(&mut self, mut message: &'static str) -> Result<u32, Full> {
        if message.is_empty() {
            message = "empty";
        }
        self.0
            .push(Reading(u32::try_from(message.len()).unwrap_or(u32::MAX)))?;
        Ok(self.0.sent()[0])
    }
}

#[async_trait::async_trait]
#[traced_connector(from_actor = self.0.from_actor, from_port = self.0.from_port, to_actor = self.0.to_actor, to_port = self.0.to_port)]
impl Receives for Both {
    async fn recv(&mut self) -> Option<Reading> {
        std::future::ready(()).await;
        self.1.pop()
    }
}

#[test]
fn several_async_traits_on_one_type_in_either_order_are_recorded() {
    let recording = Recording::start();
    let mut both = Both(Wire::new(), Vec::new());
    block_on(async {
        assert_eq!(both.send(Reading(1)).await, Ok(2));
        assert_eq!(both.send("").await, Ok(2));
        assert_eq!(both.send(Reading(100)).await, Err(Full(101)));
        assert_eq!(both.recv().await, Some(Reading(101)));
        assert_eq!(both.recv().await, Some(Reading(2)));
        assert_eq!(both.recv().await, None);
    });
    let received = "MessageReceived b:in1 Reading delivered";
    assert_eq!(
        recording.lines(),
        [
            DELIVERED,
            "DataFlow a:out -> b:in1 str delivered",
            FAILED,
            received,
            received
        ]
    );
}
