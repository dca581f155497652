//! What is generated for content relies on no name of the user's either. The primitive types are as they are, because
//! the derived `Serialize` needs them.

#![no_implicit_prelude]
#![forbid(unsafe_code)]
#![deny(warnings)]
#![allow(dead_code)]

mod core {}
mod std {}
mod reflow_trace {}
mod serde {}

struct Result;
struct Ok;
struct Some;
struct Option;
struct Sized;
struct Content;
struct Serializer;
struct Message;

/// Not `Serialize`, and serialised by a function of its own.
struct Target;

#[::reflow_trace::sample(capture = 100)]
#[derive(::serde::Serialize)]
struct Captured<Value: ::serde::Serialize> {
    #[trace(redact)]
    value: ::core::option::Option<Value>,
    #[trace(redact)]
    #[serde(serialize_with = "nothing")]
    target: Target,
}

fn nothing<S: ::serde::Serializer>(
    _: &Target,
    serializer: S,
) -> ::core::result::Result<S::Ok, S::Error> {
    serializer.serialize_unit()
}

fn main() {}
