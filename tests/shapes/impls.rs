//! What an impl may be for, and where it may stand.

use std::rc::Rc;

use super::*;

trait Sender<M> {
    fn send(&self, message: M) -> bool;
}

#[traced_connector(from_actor = self.from_actor, from_port = self.from_port, to_actor = self.to_actor, to_port = self.to_port)]
impl Sender<Reading> for Arc<Wire> {
    fn send(&self, message: Reading) -> bool {
        self.push(message).is_ok()
    }
}

#[traced_connector]
impl Sender<Reading> for &Wire {
    fn send(&self, message: Reading) -> bool {
        self.push(message).is_ok()
    }
}

trait Edged {
    fn ends(&self) -> [&str; 4];
    fn wire(&self) -> &Wire;
}

impl Edged for Wire {
    fn ends(&self) -> [&str; 4] {
        ["a", "out", "b", "in1"]
    }

    fn wire(&self) -> &Wire {
        self
    }
}

trait SendsNumbers {
    fn try_send(&self, number: u32) -> bool;
}

// For everything that has ends.
#[traced_connector(from_actor = self.ends()[0], from_port = self.ends()[1], to_actor = self.ends()[2], to_port = self.ends()[3])]
impl<T: Edged + ?Sized> SendsNumbers for T {
    fn try_send(&self, number: u32) -> bool {
        self.wire().push(Reading(number)).is_ok()
    }
}

// For a trait object.
#[traced_connector(from_actor = "\"a\"", from_port = ("out"), to_actor = ("b"), to_port = PORT)]
impl Sender<&str> for dyn Fn(&str) -> bool {
    fn send(&self, message: &str) -> bool {
        self(message)
    }
}

const PORT: &str = "in1";

// A trait and an impl of the language's own crates.
#[traced_connector(
    from_actor = self.0.from_actor, from_port = self.0.from_port, to_actor = self.0.to_actor, to_port = self.0.to_port,
    send(write), skip(flush), message = buffer
)]
impl std::io::Write for Stream {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        for &byte in buffer {
            self.0
                .push(Reading(byte.into()))
                .map_err(|full| std::io::Error::other(full.0.to_string()))?;
        }
        Ok(buffer.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct Stream(Wire);

// Several impl blocks of one type, and one that is generic over its messages.
struct Generic<M>(Wire, std::marker::PhantomData<M>);

#[traced_connector(from_actor = self.0.from_actor, from_port = self.0.from_port, to_actor = self.0.to_actor, to_port = self.0.to_port)]
impl<M: Into<Reading> + reflow_trace::Message> Generic<M> {
    fn send(&self, message: M) -> bool {
        self.0.push(message.into()).is_ok()
    }
}

#[traced_connector(from_actor = self.0.from_actor, from_port = self.0.from_port, to_actor = self.0.to_actor, to_port = self.0.to_port)]
impl Generic<u32> {
    const LIMIT: u32 = 10;

    fn try_send(&self, message: u32) -> bool {
        message < Self::LIMIT && self.send(message)
    }
}

#[test]
fn an_impl_for_a_pointer_a_reference_everything_or_a_trait_object_is_recorded() {
    let recording = Recording::start();
    let shared = Arc::new(Wire::new());
    assert!(Sender::send(&shared, Reading(1)));
    assert!(Sender::send(&&*shared, Reading(2)));
    assert!(shared.try_send(3));
    assert_eq!(shared.sent(), [1, 2, 3]);
    let object: &dyn Fn(&str) -> bool = &str::is_empty;
    assert!(!Sender::send(object, "text"));
    let number = "DataFlow a:out -> b:in1 u32 delivered";
    let text = "DataFlow a:out -> b:in1 str delivered";
    assert_eq!(recording.lines(), [DELIVERED, DELIVERED, number, text]);
}

#[test]
fn a_foreign_trait_is_recorded() {
    use std::io::Write as _;
    let recording = Recording::start();
    let mut stream = Stream(Wire::new());
    stream.write_all(b"abc").expect("there is room");
    stream
        .write_all(b"z")
        .expect_err("there is no room for 122");
    stream.flush().expect("there is nothing to do");
    assert_eq!(
        recording.lines(),
        [
            "DataFlow a:out -> b:in1 [u8] delivered",
            "MessageSent a:out -> b:in1 [u8] failed"
        ]
    );
}

#[test]
fn several_blocks_of_one_type_are_one_connector() {
    let recording = Recording::start();
    let connector = Generic(Wire::new(), std::marker::PhantomData);
    assert!(connector.try_send(1));
    assert!(!connector.try_send(11));
    assert_eq!(connector.0.sent(), [1]);
    assert_eq!(
        recording.lines(),
        ["DataFlow a:out -> b:in1 u32 delivered"; 2]
    );
}

#[test]
fn an_impl_inside_a_function_is_recorded() {
    struct Local {
        edge: Edge,
        sent: Rc<RefCell<Vec<u32>>>,
    }

    #[traced_connector(edge = "self.edge")]
    impl Local {
        fn send(&self, message: Reading) {
            self.sent.borrow_mut().push(message.0);
        }
    }

    let recording = Recording::start();
    let sent = Rc::default();
    let local = Local {
        edge: Edge::new("a", "out", "b", "in1"),
        sent: Rc::clone(&sent),
    };
    local.send(Reading(1));
    assert_eq!(*sent.borrow(), [1]);
    assert_eq!(recording.lines(), [DELIVERED]);
}

/// Who re-exports the crate under another name.
mod deep {
    pub(crate) use ::reflow_trace as inner;
}

// Under another name at the root, as `Cargo.toml` may give it.
extern crate reflow_trace as tracer;

#[test]
fn a_renamed_crate_is_named_by_its_path() {
    struct Renamed(Wire);

    #[deep::inner::sample(rate = 1.0, crate = crate::impls::deep::inner)]
    struct Note(u32);

    #[deep::inner::traced_connector(
        crate = crate::impls::deep::inner,
        from_actor = self.0.from_actor, from_port = self.0.from_port, to_actor = self.0.to_actor, to_port = self.0.to_port
    )]
    impl Renamed {
        async fn send(&self, message: Note) -> bool {
            self.0.push(Reading(message.0)).is_ok()
        }

        #[crate::impls::deep::inner::trace(batch)]
        fn all(&self, messages: &[Note]) -> usize {
            let _ = &self.0;
            messages.len()
        }
    }

    struct Root(Wire);

    #[tracer::traced_connector(
        crate = ::reflow_trace, from_actor = self.0.from_actor, from_port = self.0.from_port, to_actor = self.0.to_actor, to_port = self.0.to_port
    )]
    impl Root {
        #[::reflow_trace::trace(send)]
        fn post(&self, message: Note) -> bool {
            self.0.push(Reading(message.0)).is_ok()
        }
    }

    let recording = Recording::start();
    assert!(Root(Wire::new()).post(Note(1)));
    let renamed = Renamed(Wire::new());
    assert!(block_on(renamed.send(Note(1))));
    assert_eq!(renamed.all(&[Note(2)]), 1);
    assert_eq!(
        recording.lines(),
        ["DataFlow a:out -> b:in1 Note delivered"; 3]
    );
}
