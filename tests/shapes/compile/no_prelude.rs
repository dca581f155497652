//! Nothing in generated code relies on what a user's names mean.

#![no_implicit_prelude]
#![forbid(unsafe_code, non_upper_case_globals)]
#![deny(warnings, clippy::pedantic)]
#![allow(non_camel_case_types, dead_code)]

mod core {}
mod std {}
mod reflow_trace {}
mod alloc {}

// The user's own idea of these names.
struct Result;
struct Ok;
struct Some;
struct None;
struct Err;
struct Option;
struct String;
struct Box;
struct Future;
trait Send {}
trait Fn {}
struct Message;
struct bool;
struct str;
struct u64;
struct usize;
struct f64;

#[::reflow_trace::sample(rate = 0.5, never = "self.empty", always_actors = ["a"])]
struct Reading {
    #[trace(id)]
    id: ::core::primitive::u64,
    #[trace(attribute)]
    name: &'static ::core::primitive::str,
    #[trace(context)]
    context: ::reflow_trace::Context,
    empty: ::core::primitive::bool,
}

#[::reflow_trace::sample(rate = 0.5)]
enum Kind {
    #[sample(always = "Self::is_some")]
    Some,
    #[sample(never)]
    None,
    #[sample(always = "*number > 1")]
    Numbered {
        #[trace(id)]
        number: ::core::primitive::u32,
    },
}

impl Kind {
    fn is_some(&self) -> ::core::primitive::bool {
        ::core::matches!(self, Self::Some)
    }
}

struct Connector {
    from_actor: &'static ::core::primitive::str,
    from_port: &'static ::core::primitive::str,
    to_actor: &'static ::core::primitive::str,
    to_port: &'static ::core::primitive::str,
    channel: ::std::vec::Vec<Reading>,
}

#[::reflow_trace::traced_connector(attributes(name = "self.from_actor"))]
impl Connector {
    fn send(&mut self, message: Reading) -> Result {
        self.channel.push(message);
        Result
    }

    async fn send_async(&mut self, message: Reading) -> ::core::result::Result<(), Err> {
        let flow = 1;
        let out = flow;
        self.channel.push(message);
        if out == 1 {
            return ::core::result::Result::Err(Err);
        }
        ::core::result::Result::Ok(())
    }

    fn try_send(
        &self,
        message: Kind,
    ) -> ::core::pin::Pin<
        ::std::boxed::Box<dyn ::core::future::Future<Output = ()> + ::core::marker::Send + '_>,
    > {
        let _ = message;
        ::std::boxed::Box::pin(async {})
    }

    fn send_timeout(&self, message: Kind) -> impl ::core::future::Future<Output = Ok> {
        let _ = message;
        async { Ok }
    }

    fn recv(&mut self) -> ::core::option::Option<Reading> {
        self.channel.pop()
    }
}

struct Actor;

#[::reflow_trace::traced_actor(actor = "\"actor\"", port = "in")]
impl Actor {
    #[expect(clippy::unused_self, reason = "a handler needs it")]
    fn handle(&mut self, message: Reading) {
        let _ = message.empty;
    }

    async fn process(&mut self, message: Kind) -> Option {
        let _ = message;
        Option
    }

    fn run(self) {}
}

fn main() {}
