//! `#[sample]` on an union.

#![allow(dead_code, unused_variables)]

use reflow_trace::{sample};

#[sample(rate = 0.1)]
union Reading {
    a: u32,
    b: f32,
}

fn main() {}
