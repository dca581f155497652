//! Questions.
pub mod filter;
