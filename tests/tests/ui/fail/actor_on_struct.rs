//! `#[traced_actor]` on a struct.

#![allow(dead_code, unused_variables)]

use reflow_trace::{traced_actor};

#[traced_actor]
struct Actor;

fn main() {}
