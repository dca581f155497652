//! A send that returns a `Result`.

use super::*;

struct Connector(Wire);

impl std::ops::Deref for Connector {
    type Target = Wire;
    fn deref(&self) -> &Wire {
        &self.0
    }
}

#[traced_connector]
impl Connector {
    fn send(&self, message: Reading) -> Result<(), Full> {
        if message.0 == 7 {
            return Err(Full(7));
        }
        self.push(message)?;
        Ok(())
    }
}

#[test]
fn ok_is_delivered_and_err_is_failed_however_it_was_returned() {
    let recording = Recording::start();
    let connector = Connector(Wire::new());
    assert_eq!(connector.send(Reading(1)), Ok(()));
    assert_eq!(connector.send(Reading(7)), Err(Full(7)));
    assert_eq!(connector.send(Reading(101)), Err(Full(101)));
    assert_eq!(connector.sent(), [1]);
    assert_eq!(recording.lines(), [DELIVERED, FAILED, FAILED]);
}
