//! The messages of the standard library that have no lifetimes.

use super::reach::Reaches;

macro_rules! numbers {
    ($reaches:ident: $($type:ty)*) => { $($reaches.add::<$type>();)* };
}

/// What owns more than itself is often behind a pointer; a number is not.
pub(super) fn add_standard(reaches: &mut Reaches) {
    reaches.add_with_pointers::<String>();
    reaches.add_with_pointers::<Vec<u8>>();
    numbers!(reaches: u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64 bool char);
}
