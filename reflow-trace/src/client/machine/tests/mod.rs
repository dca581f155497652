//! The machine in a world that fails.

mod cases;
mod seeds;
mod world;
