//! A program that is instrumented throughout and built without the feature `enable`.
//!
//! It compiles, so that the whole public API is there; it ends with the right result, so that nothing
//! changed; and it finds that nothing was recorded.

use reflow_trace_compiled_out::{Failure, everything_is_off, sum_of_the_network};

fn main() -> Result<(), Failure> {
    everything_is_off()?;
    let sum = sum_of_the_network(&[1, 2, 3])?;
    println!("the network added up {sum}; nothing was recorded");
    Ok(())
}
