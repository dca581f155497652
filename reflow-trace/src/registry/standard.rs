//! The messages of the standard library that have no lifetimes.

use super::reach::{Reach, reach_itself, reaches};

macro_rules! numbers {
    ($all:ident: $($type:ty)*) => { $(reach_itself::<$type>($all);)* };
}

/// What owns more than itself is often behind a pointer; a number is not.
pub(super) fn standard_reaches(all: &mut Vec<Reach>) {
    reaches::<String>(all);
    reaches::<Vec<u8>>(all);
    numbers!(all: u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64 bool char);
}
