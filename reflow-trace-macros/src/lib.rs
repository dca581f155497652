//! The attribute macros of reflow-trace.
