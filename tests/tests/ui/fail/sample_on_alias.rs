//! `#[sample]` on an alias.

#![allow(dead_code, unused_variables)]

use reflow_trace::{sample};

#[sample(rate = 0.1)]
type Reading = u32;

fn main() {}
