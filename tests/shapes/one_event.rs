//! Sends within sends, and sends side by side.

use super::*;

struct Connector(Wire);

#[traced_connector(from_actor = self.0.from_actor, from_port = self.0.from_port, to_actor = self.0.to_actor, to_port = self.0.to_port)]
impl Connector {
    async fn send_message(&self, message: Reading) -> Result<(), Full> {
        std::future::ready(()).await;
        for _ in 0..2 {
            if self.send(message.clone()).is_ok() {
                return Ok(());
            }
        }
        self.send(message)
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
