//! Content of types that cannot be written as JSON.

#![allow(dead_code)]

use reflow_trace::sample;
use serde::Serialize;

#[sample(capture)]
struct Reading {
    celsius: f64,
}

#[sample(rate = 0.5)]
enum Order {
    #[sample(capture = 512)]
    Placed,
    Paid,
}

#[sample(capture)]
#[derive(Serialize)]
struct Envelope<T> {
    payload: T,
}

fn main() {}
