//! Marks on fields that are not understood.

#![allow(dead_code, unused_variables)]

use reflow_trace::{sample};

#[sample(rate = 0.1)]
struct Reading {
    #[trace(id)]
    first: u32,
    #[trace(id)]
    second: u32,
    #[trace(atribute)]
    celsius: f64,
    #[trace]
    nothing: u8,
    #[sample(rate = 0.5)]
    wrong: u8,
    #[trace(attribute = "x")]
    valued: u8,
    #[cfg_attr(unix, trace(id))]
    conditional: u8,
}

fn main() {}
