//! `#[traced_connector]` on a fn.

#![allow(dead_code, unused_variables)]

use reflow_trace::{traced_connector};

#[traced_connector]
fn send(message: u32) {}

fn main() {}
