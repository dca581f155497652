//! No recording.

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
