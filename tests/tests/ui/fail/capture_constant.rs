//! Caps that are known only to the compiler.

#![allow(dead_code)]

use reflow_trace::sample;
use serde::Serialize;

const MEGABYTE: usize = 1 << 20;

#[sample(capture = MEGABYTE)]
#[derive(Serialize)]
struct TooLarge;

fn main() {}
