//! Arguments drop as they did.

use super::*;

thread_local!(static DROPPED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) });

struct Noisy(&'static str);

impl Drop for Noisy {
    fn drop(&mut self) {
        DROPPED.with_borrow_mut(|dropped| dropped.push(self.0));
    }
}

struct Connector(Noisy);

#[traced_connector(from_actor = ("a"), from_port = ("out"), to_actor = ("b"), to_port = ("in1"))]
impl Connector {
    fn send(self, message: Noisy, _: Noisy, last: Noisy) -> u8 {
        let _local = Noisy("local");
        let _ = (&last, &message, self.0 .0);
        1
    }

    async fn send_async(self, message: Noisy, _: Noisy, last: Noisy) -> u8 {
        let _local = Noisy("local");
        let _ = (&last, &message, self.0 .0);
        1
    }
}

struct Rebound(Noisy);

#[traced_connector(from_actor = ("a"), from_port = ("out"), to_actor = ("b"), to_port = ("in1"))]
impl Rebound {
    fn send(
        mut self,
        first: Noisy,
        mut message: Noisy,
        _: Noisy,
        (pair, _): (Noisy, u8),
        last: Noisy,
    ) -> u8 {
        let _local = Noisy("local");
        self.0 .0 = "self";
        message.0 = "message";
        let _ = (&first, &pair, &last, self.0 .0.len());
        1
    }

    async fn send_async(
        mut self,
        first: Noisy,
        mut message: Noisy,
        _: Noisy,
        (pair, _): (Noisy, u8),
        last: Noisy,
    ) -> u8 {
        let _local = Noisy("local");
        self.0 .0 = "self";
        message.0 = "message";
        let _ = (&first, &pair, &last, self.0 .0.len());
        1
    }
}

#[test]
fn arguments_that_are_bound_afresh_drop_in_the_order_of_plain_functions() {
    let _recording = Recording::start();
    let order = || DROPPED.with_borrow_mut(std::mem::take);
    let expected = [
        "local", "last", "pair", "unused", "message", "first", "self",
    ];
    let noisy = || {
        (
            Noisy("first"),
            Noisy(""),
            Noisy("unused"),
            (Noisy("pair"), 1),
            Noisy("last"),
        )
    };
    let (first, message, unused, pair, last) = noisy();
    assert_eq!(
        Rebound(Noisy("")).send(first, message, unused, pair, last),
        1
    );
    assert_eq!(order(), expected);
    let (first, message, unused, pair, last) = noisy();
    assert_eq!(
        block_on(Rebound(Noisy("")).send_async(first, message, unused, pair, last)),
        1
    );
    assert_eq!(order(), expected);
}

#[test]
fn arguments_drop_in_the_order_of_plain_functions() {
    let _recording = Recording::start();
    let order = || DROPPED.with_borrow_mut(std::mem::take);
    assert_eq!(
        Connector(Noisy("self")).send(Noisy("message"), Noisy("unused"), Noisy("last")),
        1
    );
    assert_eq!(order(), ["local", "last", "unused", "message", "self"]);
    let future =
        Connector(Noisy("self")).send_async(Noisy("message"), Noisy("unused"), Noisy("last"));
    assert_eq!(block_on(future), 1);
    assert_eq!(order(), ["local", "last", "unused", "message", "self"]);
}
