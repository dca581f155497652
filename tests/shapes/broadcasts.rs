//! Broadcasts: one event per call, with the number of receivers.

use super::*;

struct Connector {
    from_actor: &'static str,
    from_port: &'static str,
    to_actor: &'static str,
    to_port: &'static str,
    channel: tokio::sync::broadcast::Sender<Reading>,
}

#[traced_connector]
impl Connector {
    fn broadcast(
        &self,
        message: Reading,
    ) -> Result<usize, tokio::sync::broadcast::error::SendError<Reading>> {
        self.channel.send(message)
    }

    #[trace(broadcast, fan_out = "self.channel.receiver_count()")]
    async fn publish(&self, message: Reading) -> bool {
        self.channel.send(message).is_ok()
    }

    // What it returns may mean anything.
    #[trace(broadcast)]
    fn announce(&self, message: Reading) -> u16 {
        self.channel.send(message).map_or(404, |_| 200)
    }

    #[trace(broadcast)]
    fn shout(&self, message: Reading) -> impl Future<Output = Option<usize>> + '_ {
        async move { self.channel.send(message).ok() }
    }
}

#[test]
fn a_broadcast_is_one_event_that_says_how_many_it_reached() {
    let recording = Recording::start();
    let (channel, one) = tokio::sync::broadcast::channel(8);
    let two = channel.subscribe();
    let connector = Connector {
        from_actor: "a",
        from_port: "out",
        to_actor: "b",
        to_port: "in1",
        channel,
    };
    assert_eq!(connector.broadcast(Reading(1)).ok(), Some(2));
    assert!(block_on(connector.publish(Reading(2))));
    assert_eq!(connector.announce(Reading(3)), 200);
    assert_eq!(block_on(connector.shout(Reading(4))), Some(2));
    drop((one, two));
    assert!(connector.broadcast(Reading(5)).is_err());
    assert_eq!(
        recording.lines(),
        [DELIVERED, DELIVERED, DELIVERED, DELIVERED, FAILED]
    );
    let events = recording.events();
    let fan_out: Vec<_> = events
        .iter()
        .map(|event| {
            event
                .data
                .custom_attributes
                .get("fan_out")
                .and_then(serde_json::Value::as_u64)
        })
        .collect();
    assert_eq!(fan_out, [Some(2), Some(2), None, Some(2), None]);
    // The channel tells how many messages are waiting: none, one, two, …
    let depths: Vec<_> = events
        .iter()
        .map(|event| event.data.performance_metrics.queue_depth)
        .collect();
    assert_eq!(depths[..3], [Some(0), Some(1), Some(2)]);
}
