//! Events to a server.

pub mod machine;
pub mod spool;
