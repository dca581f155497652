//! Keywords before `fn`, attributes on it, and what never returns.

use super::*;

struct Connector(Wire);

#[traced_connector(from_actor = self.0.from_actor, from_port = self.0.from_port, to_actor = self.0.to_actor, to_port = self.0.to_port)]
impl Connector {
    #![allow(clippy::needless_pass_by_value)]

    extern "C" fn send(&self, message: u32) -> bool {
        self.0.push(Reading(message)).is_ok()
    }

    /// Documented, then inlined, then looked after.
    #[inline]
    #[must_use = "it says whether there was room"]
    pub(crate) fn try_send(&self, message: Reading) -> bool {
        #![expect(unused_variables)]
        let nothing = 1;
        self.0.push(message).is_ok()
    }

    pub(self) async fn send_async(&self, message: Reading) -> Result<(), Full> {
        #![expect(unused_variables)]
        let nothing = 1;
        self.0.push(message)
    }

    /// Neither selected nor touched.
    const fn capacity(&self) -> u32 {
        let _ = self;
        100
    }

    #[track_caller]
    fn send_message(&self, message: Reading) -> Result<u32, Full> {
        self.0.push(message)?;
        Ok(std::panic::Location::caller().line())
    }

    #[cfg_attr(all(), track_caller)]
    fn send_timeout(&self, mut message: Reading) -> u32 {
        message.0 += 1;
        let _ = self.0.push(message);
        std::panic::Location::caller().line()
    }

    #[track_caller]
    fn send_deadline(&self, message: Reading) -> ! {
        let _ = self.0.push(message);
        panic!("{}", std::panic::Location::caller().line())
    }

    #[cfg_attr(any(), track_caller)]
    #[cold]
    fn blocking_send(&self, message: Reading) {
        drop(self.0.push(message));
    }
}

#[test]
fn keywords_and_attributes_stay() {
    let recording = Recording::start();
    let connector = Connector(Wire::new());
    assert!(connector.send(1));
    assert!(!connector.try_send(Reading(connector.capacity() + 1)));
    assert_eq!(block_on(connector.send_async(Reading(101))), Err(Full(101)));
    connector.blocking_send(Reading(2));
    assert_eq!(connector.0.sent(), [1, 2]);
    assert_eq!(
        recording.lines(),
        [
            "DataFlow a:out -> b:in1 u32 delivered",
            DELIVERED,
            FAILED,
            DELIVERED
        ]
    );
}

#[test]
fn who_asks_for_its_caller_finds_it_and_is_delivered_or_panicked() {
    let recording = Recording::start();
    let connector = Connector(Wire::new());
    assert_eq!(connector.send_message(Reading(1)), Ok(line!()));
    assert_eq!(connector.send_timeout(Reading(1)), line!());
    assert_eq!(connector.send_message(Reading(101)), Err(Full(101)));
    let line = line!() + 2;
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        connector.send_deadline(Reading(1));
    }));
    let payload = panicked.expect_err("it panics");
    assert_eq!(payload.downcast_ref::<String>(), Some(&line.to_string()));
    let panicked = "MessageSent a:out -> b:in1 Reading panicked";
    assert_eq!(
        recording.lines(),
        [DELIVERED, DELIVERED, DELIVERED, panicked]
    );
}
