//! SQL that reads.
