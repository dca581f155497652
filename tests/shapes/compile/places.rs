//! Where an impl may stand, and for what.

#![deny(warnings, clippy::pedantic)]
#![expect(
    clippy::missing_errors_doc,
    clippy::must_use_candidate,
    clippy::result_unit_err,
    reason = "what they ask for would stand in the user's code, and nobody reads the documentation of a test"
)]

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use reflow_trace::{sample, traced_actor, traced_connector};

#[sample(rate = 1.0)]
pub struct Reading<T>(T)
where
    T: Clone;

#[sample(never)]
pub enum Nothing {}

pub trait Sender<M> {
    fn send(&self, message: M) -> bool;
}

pub struct Wire {
    from_actor: String,
    from_port: String,
    to_actor: String,
    to_port: String,
}

// For a pointer to a type of one's own, and for a reference to it.
#[traced_connector(from_actor = self.as_ref().from_actor)]
impl Sender<u8> for Arc<Wire> {
    fn send(&self, _message: u8) -> bool {
        true
    }
}

#[traced_connector]
impl<M: Clone> Sender<Reading<M>> for &Wire {
    fn send(&self, Reading(_): Reading<M>) -> bool {
        true
    }
}

pub trait Edged {
    fn name(&self) -> &str;
}

// For everything that can be asked for its name.
#[traced_connector(from_actor = self.name(), from_port = "self.name()", to_actor = self.name(), to_port = self.name())]
impl<T: Edged + ?Sized> Sender<u16> for T {
    fn send(&self, message: u16) -> bool {
        message > 1
    }
}

// For a trait object.
#[traced_connector(from_actor = ("a"), from_port = ("b"), to_actor = ("c"), to_port = ("d"))]
impl Sender<&str> for dyn Fn(&str) -> bool {
    fn send(&self, message: &str) -> bool {
        self(message)
    }
}

pub struct Receivers(Wire);

#[traced_connector(from_actor = self.0.from_actor, from_port = self.0.from_port, to_actor = self.0.to_actor, to_port = self.0.to_port)]
impl Receivers {
    pub fn send(self: Rc<Self>, message: &mut [u8]) {
        message.fill(0);
    }

    pub fn send_async<'a>(
        self: &'a Arc<Self>,
        message: &'a str,
    ) -> impl Future<Output = &'a str> + use<'a> {
        async move { message }
    }

    pub async fn start_send(self: Pin<&mut Self>, message: Box<dyn FnOnce(&u8) -> bool>) -> bool {
        message(&1)
    }

    pub async fn send_timeout(mut self, message: Rc<u8>) -> Rc<u8> {
        self.0.from_actor = String::new();
        drop(self.0);
        message
    }

    pub fn try_send(&self, message: &dyn for<'b> Fn(&'b u8) -> &'b u8) -> u8 {
        *message(&1)
    }

    #[trace(skip)]
    pub const fn send_message(&self, message: u8) -> u8 {
        message
    }
}

pub struct Actor {
    name: &'static str,
}

#[traced_actor(actor = self.name)]
impl Actor {
    pub fn handle(&mut self, message: Option<u8>) -> Result<u8, ()> {
        message.ok_or(())
    }

    pub async fn run(mut self, mut inbox: std::vec::IntoIter<Option<u8>>) -> Result<(), ()> {
        while let Some(message) = inbox.next() {
            self.handle(message)?;
            inbox.next_back();
        }
        Ok(())
    }
}

fn main() {
    // Inside a body, where an item of ours would be a stranger.
    struct Local {
        edge: reflow_trace::Edge,
    }

    #[traced_connector(edge = "self.edge")]
    impl Local {
        fn send(&self, message: u8) -> u8 {
            message
        }
    }

    fn send(local: &Local) -> u8 {
        local.send(1)
    }

    let _ = send;
    let _ = |nothing: Nothing| match nothing {};
}
