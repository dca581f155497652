//! Marked fields of the wrong type.

#![allow(dead_code, unused_variables)]

use reflow_trace::sample;

struct Opaque;

#[sample(rate = 0.5)]
struct Context {
    #[trace(context)]
    context: String,
}

#[sample(rate = 0.5)]
struct Id {
    #[trace(id)]
    id: Opaque,
}

#[sample(rate = 0.5)]
struct Attribute {
    #[trace(attribute)]
    value: Vec<u8>,
}

fn main() {}
