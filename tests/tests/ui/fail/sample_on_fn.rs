//! `#[sample]` on a fn.

#![allow(dead_code, unused_variables)]

use reflow_trace::{sample};

#[sample(rate = 0.1)]
fn send() {}

fn main() {}
