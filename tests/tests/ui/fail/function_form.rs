//! What a function of the probe cannot judge, and a message that says nothing of itself.

#![allow(dead_code, unused_variables)]

use reflow_trace::Edge;

struct Unknown;

fn main() {
    let edge = Edge::new("a", "out", "b", "in");
    reflow_trace::send(&edge, 1_u32, |number| number > 3);
    reflow_trace::send(&edge, Unknown, |_| ());
}
