//! `#[traced_connector]` on a mod.

#![allow(dead_code, unused_variables)]

use reflow_trace::{traced_connector};

#[traced_connector]
mod connector {}

fn main() {}
