//! Signatures that are seldom seen.

use super::*;

struct Connector<'a, const N: usize>([&'a str; N], RefCell<String>);

#[traced_connector(
    from_actor = "\"a\"", from_port = ("out"), to_actor = self.0[0], to_port = r#""in1""#,
    skip(recv)
)]
impl<'a, const N: usize> Connector<'a, { N }>
where
    [(); N]: Sized,
{
    /// A `mut` argument that is bound to a local of the body.
    fn send(self: Box<Self>, message: Reading, mut topic: &str) -> usize {
        let local = format!("{topic}!{}", message.0);
        topic = &local;
        topic.len()
    }

    #[track_caller]
    fn try_send(&self, message: Reading) -> u32 {
        std::panic::Location::caller().line() + message.0
    }

    #[cfg(any())]
    fn send_timeout(&self, nothing: There) {}

    fn send_async(
        &self,
        #[cfg(any())] nothing: There,
        message: impl Into<Reading>,
    ) -> Result<impl Iterator<Item = u32>, Full> {
        Ok(std::iter::once(message.into().0))
    }

    async fn send_deadline<'b>(
        self: &'b Connector<'a, N>,
        (message, suffix): (Reading, &'b str),
    ) -> &'b str {
        self.1.borrow_mut().push_str(suffix);
        if message.0 > 1 {
            return suffix;
        }
        self.0[0]
    }

    async fn blocking_send(&self, message: Reading) -> ! {
        panic!("{}", message.0)
    }

    fn send_blocking(&self, message: Reading) -> ! {
        panic!("{}", message.0)
    }

    fn recv(&self) -> usize {
        self.0.len()
    }
}

#[test]
fn a_mut_argument_may_point_at_a_local() {
    let recording = Recording::start();
    let connector = Box::new(Connector(["b"], RefCell::default()));
    assert_eq!(connector.send(Reading(1), "topic"), 7);
    assert_eq!(recording.lines(), [DELIVERED]);
}

#[test]
fn track_caller_sees_the_caller() {
    let recording = Recording::start();
    let connector = Connector(["b"], RefCell::default());
    assert_eq!(connector.try_send(Reading(0)), line!());
    assert_eq!(recording.lines(), [DELIVERED]);
}

#[test]
fn opaque_parts_patterns_and_lifetimes_are_no_obstacle() {
    let recording = Recording::start();
    let connector = Connector(["b"], RefCell::default());
    let sent: Vec<u32> = connector
        .send_async(Reading(4))
        .expect("it is sent")
        .collect();
    assert_eq!(sent, [4]);
    assert_eq!(
        block_on(connector.send_deadline((Reading(2), "suffix"))),
        "suffix"
    );
    assert_eq!(recording.lines().len(), 2);
    assert_eq!(connector.recv(), 1);
}

#[test]
fn what_never_returns_panics_with_its_own_payload() {
    let recording = Recording::start();
    let connector = Connector(["b"], RefCell::default());
    let connector = std::panic::AssertUnwindSafe(&connector);
    let one = std::panic::catch_unwind(|| connector.send_blocking(Reading(1)));
    let two = std::panic::catch_unwind(|| block_on(connector.blocking_send(Reading(2))));
    for (payload, number) in [(one.map(drop), "1"), (two.map(drop), "2")] {
        assert_eq!(
            payload
                .expect_err("it panics")
                .downcast_ref::<String>()
                .map(String::as_str),
            Some(number)
        );
    }
    assert_eq!(
        recording.lines(),
        ["MessageSent a:out -> b:in1 Reading panicked"; 2]
    );
}
