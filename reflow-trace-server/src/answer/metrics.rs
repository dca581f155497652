//! How the server is doing.
