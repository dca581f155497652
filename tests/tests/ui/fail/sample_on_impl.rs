//! `#[sample]` on an impl.

#![allow(dead_code, unused_variables)]

use reflow_trace::{sample};

struct Reading;

#[sample(rate = 0.1)]
impl Reading {}

fn main() {}
