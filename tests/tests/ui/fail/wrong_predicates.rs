//! Conditions and rates of the wrong type.

#![allow(dead_code, unused_variables)]

use reflow_trace::sample;

fn takes_two(reading: &Reading, other: u32) -> bool {
    true
}

fn gives_number(reading: &Other) -> u32 {
    1
}

#[sample(always = "takes_two")]
struct Reading(u32);

#[sample(never = "gives_number")]
struct Other(u32);

#[sample(never = "self.0")]
struct Number(u32);

#[sample(always = self.0 + 1)]
struct Tokens(u32);

#[sample(always = "Self::missing")]
struct Missing(u32);

#[sample(rate = RATE)]
struct Rated(u32);

const RATE: &str = "0.5";

#[sample(rate = PERCENT)]
struct Percent(u32);

const PERCENT: f64 = 50.0;

#[sample(rate = 0.5, size = "self.name")]
struct Sized {
    name: String,
}

#[sample(rate = 0.5)]
enum Kind {
    #[sample(always = "missing > 3")]
    Variant { level: u32 },
}

fn main() {}
