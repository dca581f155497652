//! Receives.

use super::*;

struct Connector {
    from_actor: &'static str,
    from_port: &'static str,
    to_actor: &'static str,
    to_port: &'static str,
    waiting: Vec<Reading>,
}

#[traced_connector(depth = false)]
impl Connector {
    async fn recv(&mut self) -> Option<Reading> {
        self.waiting.pop()
    }

    fn try_recv(&mut self) -> Result<Reading, &'static str> {
        self.waiting.pop().ok_or("empty")
    }
}

#[test]
fn a_receive_is_recorded_where_a_message_came() {
    let recording = Recording::start();
    let waiting = vec![Reading(1), Reading(2)];
    let mut connector = Connector {
        from_actor: "a",
        from_port: "out",
        to_actor: "b",
        to_port: "in1",
        waiting,
    };
    assert_eq!(block_on(connector.recv()), Some(Reading(2)));
    assert_eq!(connector.try_recv(), Ok(Reading(1)));
    assert_eq!(connector.try_recv(), Err("empty"));
    assert_eq!(block_on(connector.recv()), None);
    assert_eq!(
        recording.lines(),
        ["MessageReceived b:in1 Reading delivered"; 2]
    );
}
