//! Functions that return a future.

use super::*;

struct Connector(Wire);

type Sending<'a> = Pin<Box<dyn Future<Output = Result<(), Full>> + Send + 'a>>;

#[traced_connector(from_actor = self.0.from_actor, from_port = self.0.from_port, to_actor = self.0.to_actor, to_port = self.0.to_port)]
impl Connector {
    fn send(&self, message: Reading) -> impl Future<Output = Result<(), Full>> + Send + '_ {
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
