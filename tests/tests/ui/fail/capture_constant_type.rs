//! Caps that are no numbers.

#![allow(dead_code)]

use reflow_trace::sample;
use serde::Serialize;

const SHARE: f64 = 0.5;

#[sample(capture = SHARE)]
#[derive(Serialize)]
struct Share;

#[sample(capture = "LIMIT")]
#[derive(Serialize)]
struct Unknown;

fn main() {}
