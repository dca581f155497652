//! `#[traced_connector]` on a trait.

#![allow(dead_code, unused_variables)]

use reflow_trace::{traced_connector};

#[traced_connector]
trait Connector {
    fn send(&self, message: u32);
}

fn main() {}
