//! Where committed batches live.
