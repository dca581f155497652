//! Annotated items that a `macro_rules!` makes out of what it was given.

#![deny(warnings, clippy::pedantic)]
#![expect(
    clippy::missing_errors_doc,
    clippy::must_use_candidate,
    clippy::result_unit_err,
    reason = "what they ask for would stand in the user's code, and nobody reads the documentation of a test"
)]

use reflow_trace::{sample, traced_actor, traced_connector};

macro_rules! connector {
    (
        $(#[$attribute:meta])* $name:ident<$generic:ident>, $from:expr, $message:pat => $type:ty,
        $vis:vis fn $method:ident(&$this:ident) -> $result:ty $body:block
    ) => {
        $(#[$attribute])*
        pub struct $name<$generic>(pub $generic);

        #[traced_connector(from_actor = $from, from_port = "\"out\"", to_actor = ("b"), to_port = ("in"))]
        impl<$generic: Clone> $name<$generic> {
            $vis fn $method(&$this, $message: $type) -> $result $body

            $vis async fn send_async(&$this, $message: $type) -> $result $body
        }
    };
}

connector! {
    /// Documented.
    Connector<T>, concat!("a", "b"), Reading { number } => Reading,
    pub fn send(&self) -> Result<u32, ()> {
        let _ = &self.0;
        if number > 3 {
            return Err(());
        }
        Ok(number)
    }
}

macro_rules! message {
    ($name:ident { $($field:ident: $type:ty),* }, $rate:expr, $always:expr, $($never:tt)*) => {
        #[sample(rate = $rate, always = $always, never = $($never)*)]
        pub struct $name { $(#[trace(attribute)] pub $field: $type),* }
    };
}

message!(
    Reading { number: u32 },
    0.5,
    |reading| reading.number > 1,
    Self::is_old
);

impl Reading {
    fn is_old(&self) -> bool {
        self.number == 0
    }
}

macro_rules! actor {
    ($($method:item)*) => {
        pub struct Actor;
        #[traced_actor]
        impl Actor { $($method)* }
    };
}

actor! {
    pub fn handle(&self, message: Reading) -> u32 { message.number }
    pub fn run() {}
}

fn main() {
    let connector = Connector(1);
    let _ = connector.send(Reading { number: 1 });
    drop(connector.send_async(Reading { number: 1 }));
    Actor.handle(Reading { number: 1 });
    Actor::run();
}
