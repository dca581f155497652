//! Async methods of traits, with and without `#[async_trait]`.

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
