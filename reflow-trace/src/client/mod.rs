//! Events to a server, and where they wait for it.
//!
//! A [`ServerSink`] seals every batch once, numbers it, and keeps it until the server has said that it is
//! durably stored. The program notices nothing of whether there is a server.
//!
//! # The way of a batch
//!
//! ```text
//! collector ─► queue of the sink ─► sealed ─► window in memory ─► server
//!              (sink_queue_bytes_max)         (window_bytes_max)     │ acknowledges: stored
//!                                                │      ▲            ▼
//!                                                ▼      │         refuses for ever: lost
//!                                             spool on disk
//!                                             (spool_bytes_max)
//! ```
//!
//! The batches of a run are a *stream* with a random number; in it they are numbered from 1. They go to
//! the server in the order of their numbers, as many bytes of them as it gives credit for. An
//! acknowledgement names a number: everything of the stream up to it is stored. What was sent and not
//! acknowledged when a connection ends is sent again, the same bytes; the server knows by the number what
//! it has already. So every event is stored once.
//!
//! A batch leaves memory for the spool, where there is one, when half of the window is used, when it has
//! waited for two seconds (`spool_after`), or when the end is near. That does not ask for a connection: a
//! server that takes too little is as good as none. What is in the spool is older than what is in memory,
//! and goes first. What dead processes have left there is adopted and takes turns with the rest. See
//! [`spool`].
//!
//! When nothing has room any more, the newest batch is lost and counted, with the reason. (The oldest may
//! be under way: whether it arrived would not be known.)
//!
//! # The connection
//!
//! | state | begins when | ends when |
//! | --- | --- | --- |
//! | away | the connection could not be made, has ended, or was given up | a random delay is over |
//! | connecting | the delay is over | TCP, TLS and WebSocket are made; or `connect_timeout`, an error, or a refusal of whoever answers: *away* |
//! | greeting | the socket is there, and `Hello` was said | the server says `Welcome`; or the same `connect_timeout`: *away* |
//! | open | `Welcome` | the socket ends; the server says goodbye, refuses for now, or what makes no sense; 10 s of silence and no answer to a ping for 10 s more; nothing accepted for 60 s: *away* |
//!
//! | in state open | what happens |
//! | --- | --- |
//! | acknowledged up to a number | everything up to it is stored; its memory and files are given up |
//! | a batch refused for ever | its events are lost, `refused`; what follows goes on |
//! | a batch, or all, refused for now | everything is kept; the connection ends, the next comes not before the server wishes |
//! | credit used up | what waits, waits |
//! | a batch over what `Welcome` allows | refused for ever, without being sent |
//!
//! The delay is drawn evenly between 0 and a bound that doubles from `reconnect_first` to `reconnect_max`
//! (*full jitter*), so that a thousand clients do not come back at once. An acknowledgement, or 30 s of a
//! good connection, sets it back. Somebody who answers and does not want us (a wrong token, no such path)
//! is asked again after a delay from the full bound.
//!
//! # The end
//!
//! A guard that is dropped waits up to `shutdown_timeout` until everything is acknowledged. A quarter of
//! that, at most a second, is kept back for the disk: by then the rest goes to the spool, at once where no
//! server is to be expected. Without a spool it is tried until the end; what is not acknowledged by then
//! is lost, `not_acknowledged`. A program that exits without dropping its guard has a quarter of a second
//! for all of it.
//!
//! # The ledger
//!
//! `stored` means acknowledged, `pending` is in memory or in the spool, and with what is lost by reason
//! they are what the sink took. What a process leaves in the spool is pending in its last ledger and in no
//! later one: [`ServerWatch`] shows it as adopted.
//!
//! # Lessons that others paid for
//!
//! * *Giving up after a time loses data* (300 s elsewhere): it is tried for ever, and only bytes are
//!   bounded.
//! * *Two truths disagree*: data files beside a file of positions are where buffers on disk break. Here the
//!   set of files is all there is, and the server's memory of numbers is what makes a second sending
//!   harmless.
//! * *A queue that does not open after a loss of power* stops the program it was to serve: nothing that
//!   lies in a spool keeps a client from starting.
//! * *A peer that is gone and never said so*: silence is asked, and so is one that answers and accepts
//!   nothing.
//! * *A batch that always ends the connection* would be sent for ever: the server says at the beginning
//!   what it takes.
//!
//! # What is in here
//!
//! [`machine`] decides everything, without a clock, a socket or a disk; [`spool`] is the disk; a driver
//! connects both with the real world on a thread with an executor of its own. [`ask`] is the way back: questions
//! to the server, and its answers.

pub mod ask;
mod driver;
mod executor;
pub mod machine;
mod sink;
pub mod spool;

pub use ask::{AskError, Subscription, TraceEvents, TracingClient, TracingClientBuilder};
pub use driver::{Upload, UploadError};
pub use sink::{ServerSink, ServerSinkBuilder, ServerStatus, ServerWatch};
