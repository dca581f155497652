//! Sends that return something else.

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
