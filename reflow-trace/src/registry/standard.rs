//! The messages of the standard library that have no lifetimes.

use super::reach::{Reach, reaches};

macro_rules! standard {
    ($($type:ty)*) => {
        pub(super) fn standard_reaches(all: &mut Vec<Reach>) {
            $(reaches::<$type>(all);)*
        }
    };
}

standard!(String Vec<u8> u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64 bool char);
