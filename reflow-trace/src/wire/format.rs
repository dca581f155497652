//! The format of batches.
