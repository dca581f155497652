//! `#[traced_connector]` on a enum.

#![allow(dead_code, unused_variables)]

use reflow_trace::{traced_connector};

#[traced_connector]
enum Connector {}

fn main() {}
