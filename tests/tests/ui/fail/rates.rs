//! Rates that are no share.

#![allow(dead_code, unused_variables)]

use reflow_trace::{sample};

#[sample(rate = 10)]
struct Ten;

#[sample(rate = -0.5)]
struct Negative;

#[sample(rate = 1000.0)]
struct Thousand;

#[sample(rate = "0.1")]
struct Quoted;

#[sample(rate = f64::NAN)]
struct NotANumber;

#[sample(rate)]
struct Bare;

fn main() {}
