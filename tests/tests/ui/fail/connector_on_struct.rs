//! `#[traced_connector]` on a struct.

#![allow(dead_code, unused_variables)]

use reflow_trace::{traced_connector};

#[traced_connector]
struct Connector;

fn main() {}
