//! The server of reflow-trace, as a library: a test or an example can start a whole server in its own
//! process.
//!
//! Sessions take batches in ([`ingest`]), one committer groups them ([`commit`]), a [`store`] makes them
//! durable, and only then are they acknowledged. What was acknowledged is never forgotten and never
//! stored twice, whatever dies in between.
//!
//! ```no_run
//! use std::time::Duration;
//! use reflow_trace_server::{Server, config::Config};
//!
//! # async fn example() -> Result<(), reflow_trace_server::StartError> {
//! let mut config = Config::default();
//! config.listen.set_port(0);
//! let server = Server::start(config).await?;
//! println!("REFLOW_TRACE=ws://{} ./your-program", server.addr());
//! server.shutdown(Duration::from_secs(5)).await;
//! # Ok(())
//! # }
//! ```

mod answer;
mod clock;
pub mod command;
pub mod commit;
pub mod config;
#[cfg(test)]
mod documents;
pub mod http;
pub mod ingest;
mod live;
pub mod observe;
mod panicked;
mod reflow;
mod server;
pub mod store;

pub use server::{Ending, RunningServer, Server, StartError};
