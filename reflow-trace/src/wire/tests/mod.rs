//! What goes in comes out, and what is broken is refused.

mod batches;
mod round;
