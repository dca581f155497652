//! What an annotated item looks like, found without opening a body.
//!
//! Items are cut by token trees: an impl is a header and a brace group, a method is a signature and a brace group.
//! The braces of a body are never entered, so syntax that no parser of ours knows, half-written code and the invisible
//! groups of `macro_rules!` come through untouched (re-emitting a parsed `2 * $cap` would turn it into `2 * 1 + 1`).

pub(crate) mod argument;
pub(crate) mod attribute;
pub(crate) mod data;
pub(crate) mod implementation;
pub(crate) mod method;
pub(crate) mod redaction;
pub(crate) mod returned;
pub(crate) mod serialize;
pub(crate) mod tokens;
