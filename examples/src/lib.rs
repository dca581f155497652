//! What the examples share: printing.
