//! Every spelling of `self`.

use std::rc::Rc;

use super::*;

struct Connector(Wire);

#[traced_connector(from_actor = self.0.from_actor, from_port = self.0.from_port, to_actor = self.0.to_actor, to_port = self.0.to_port)]
impl Connector {
    fn send(self, message: Reading) -> Vec<u32> {
        let _ = self.0.push(message);
        self.0.sent()
    }

    fn try_send(mut self, message: Reading) -> Self {
        self.0.from_port = "changed";
        let _ = self.0.push(message);
        self
    }

    fn send_message(&mut self, message: Reading) -> &mut Wire {
        let _ = self.0.push(message);
        &mut self.0
    }

    fn send_timeout(self: Box<Self>, message: Reading) -> Self {
        let _ = self.0.push(message);
        *self
    }

    fn send_deadline(self: Rc<Self>, message: Reading) -> usize {
        let _ = self.0.push(message);
        Rc::strong_count(&self)
    }

    async fn send_async(self: Arc<Self>, message: Reading) -> usize {
        let _ = self.0.push(message);
        Arc::strong_count(&self)
    }

    fn blocking_send(self: &Arc<Self>, message: Reading) -> Arc<Self> {
        let _ = self.0.push(message);
        Arc::clone(self)
    }

    fn start_send(self: Pin<&mut Self>, item: Reading) -> bool {
        self.0.push(item).is_ok()
    }

    // It is not `Send`, because what it holds is not.
    async fn send_blocking(&self, message: Rc<Reading>) -> usize {
        let held = Rc::clone(&message);
        std::future::ready(()).await;
        let _ = self.0.push((*held).clone());
        Rc::strong_count(&message)
    }
}

#[test]
fn every_receiver_is_what_it_was() {
    let recording = Recording::start();
    assert_eq!(Connector(Wire::new()).send(Reading(1)), [1]);
    let mut connector = Connector(Wire::new()).try_send(Reading(2));
    assert_eq!(
        std::mem::replace(&mut connector.0.from_port, "out"),
        "changed"
    );
    connector.send_message(Reading(3)).from_port = "out";
    let connector = Box::new(connector).send_timeout(Reading(4));
    let connector = Rc::new(connector);
    assert_eq!(Rc::clone(&connector).send_deadline(Reading(5)), 2);
    let connector = Arc::new(Rc::into_inner(connector).expect("nobody else has it"));
    assert_eq!(block_on(Arc::clone(&connector).send_async(Reading(6))), 2);
    drop(connector.blocking_send(Reading(7)));
    let mut connector = Arc::into_inner(connector).expect("nobody else has it");
    assert!(Pin::new(&mut connector).start_send(Reading(8)));
    assert_eq!(block_on(connector.send_blocking(Rc::new(Reading(9)))), 2);
    assert_eq!(connector.0.sent(), [2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(recording.lines(), [DELIVERED; 9]);
}
