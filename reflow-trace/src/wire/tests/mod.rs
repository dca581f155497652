//! What goes in comes out, and what is broken is refused.

mod batches;
mod golden;
mod hostile;
mod later;
mod round;
mod stranger;
