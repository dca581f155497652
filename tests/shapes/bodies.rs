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
    async fn send(&self, message: Reading) -> Result<Box<dyn Shape>, Box<dyn std::error::Error>> {
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
        [DELIVERED, FAILED, DELIVERED, DELIVERED, DELIVERED, DELIVERED]
    );
}

#[test]
fn a_recursion_is_one_event() {
    let recording = Recording::start();
    assert_eq!(Connector(Wire::new()).broadcast(Reading(3)), [0, 1, 2, 3]);
    assert_eq!(recording.lines(), [DELIVERED]);
}
