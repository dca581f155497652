//! Futures that do not end.

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
        block_on(connector.try_send(Reading(9)));
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
