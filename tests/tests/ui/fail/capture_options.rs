//! Caps that are none.

#![allow(dead_code, unused_variables)]

use reflow_trace::sample;

#[sample(captur)]
struct Typo;

#[sample(capture = 0)]
struct Nothing;

#[sample(capture = 10_000_000)]
struct TooLarge;

#[sample(capture = -1)]
struct Negative;

#[sample(capture = 0.5)]
struct Fraction;

#[sample(capture = 4KiB)]
struct Unit;

#[sample(capture = "4096")]
struct Quoted;

#[sample(capture = 'x')]
struct Character;

#[sample(capture = false)]
struct Off;

#[sample(capture(4096))]
struct Listed;

#[sample(capture = )]
struct Nothing2;

#[sample(capture, capture = 7)]
struct Twice;

#[sample(rate = 0.1)]
enum Kind {
    #[sample(capture = 0)]
    Nothing,
    #[sample(capture = false)]
    Off,
}

fn main() {}
