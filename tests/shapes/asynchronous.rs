//! `async fn`, generic over its messages.

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
