//! `#[trace]` where no annotated item is around it.

#![allow(dead_code, unused_variables)]

use reflow_trace::{trace};

struct Connector;

impl Connector {
    #[trace(send)]
    fn forward(&self, message: u32) {}
}

fn main() {}
