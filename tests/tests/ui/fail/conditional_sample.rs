//! `#[sample]` and `#[trace]` under conditions.

#![allow(dead_code, unused_variables)]

use reflow_trace::sample;

#[sample(rate = 0.5)]
enum Kind {
    #[cfg_attr(unix, sample(always))]
    Variant,
    Other {
        #[cfg_attr(unix, trace(id))]
        id: u32,
    },
}

#[sample(rate = 0.5)]
#[cfg_attr(unix, sample(always))]
struct Reading;

fn main() {}
