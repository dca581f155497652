//! Options of `#[sample]` that are not understood.

#![allow(dead_code, unused_variables)]

use reflow_trace::{sample};

#[sample(rte = 0.1)]
struct Typo;

#[sample(rate = 0.1, always_actors = "a", never_actors = [b])]
struct Actors;

#[sample(rate = 0.1, name = Reading, size = "self.")]
struct Named;

#[sample(rate = 0.1, name = "Kinds")]
enum Kind {
    #[sample]
    Bare,
    #[sample(rat = 1.0)]
    Typo,
    #[sample(crate = ::reflow_trace)]
    Far,
    #[sample(never)]
    #[sample(rate = 0.5)]
    Twice,
}

#[sample(rate = 0.1)]
#[sample(never)]
struct Twice;

fn main() {}
