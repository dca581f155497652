//! `#[sample]` without options.

#![allow(dead_code, unused_variables)]

use reflow_trace::{sample};

#[sample]
struct Reading;

fn main() {}
