//! Policies that contradict themselves or have no effect.

#![allow(dead_code, unused_variables)]

use reflow_trace::{sample};

#[sample(always, never)]
struct Both;

#[sample(rate = 1.0, always = "self.0")]
struct AlwaysAnyway(bool);

#[sample(rate = 0.0, never = "self.0")]
struct NeverAnyway(bool);

#[sample(always, rate = 0.5)]
struct Flat;

#[sample(rate = 0.5, always_actors = ["a", "b"], never_actors = ["b"])]
struct Actors;

#[sample(rate = 0.5)]
enum Kind {
    #[sample(never, always = true)]
    Variant,
    #[sample(never = false)]
    Other,
}

fn main() {}
