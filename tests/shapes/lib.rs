//! The shapes of real connectors, as tests.
//!
//! Two packages compile the sources beside this file, one in edition 2021 and one in edition 2024: what a macro emits
//! means what the edition of its call site says. `main.rs` is the test, `compile/` holds what only has to compile. Both
//! stand under `deny(warnings)` and the pedantic lints of clippy.
