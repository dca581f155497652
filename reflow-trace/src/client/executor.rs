//! A thread with an executor of its own, and a helper thread for what may wait for long: names to resolve, a disk.
//!
//! The system may refuse a process more threads, at the start and later. Tokio panics where work for a helper
//! thread is given out, there is none, and it may not begin one; so one is begun at the start and kept. And it
//! panics where an executor is dropped within another one; so it is made, and ends, on the thread that it is for.
//!
//! What cannot happen: a panic, in the program or on the thread, because a thread is refused.

use std::io;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

/// How long a helper thread waits for work: for as long as the process lives. Where there is one, work waits for
/// it when the system refuses another.
const KEPT: Duration = Duration::from_secs(u32::MAX as u64);

/// What the threads are called, and how many may help.
pub(super) struct Names {
    pub(super) thread: &'static str,
    pub(super) helper: &'static str,
    pub(super) helpers_max: usize,
}

/// Does `work` on a thread of its own, once it has its executor and a helper thread.
///
/// # Errors
///
/// When the system refuses a thread, or what an executor needs.
pub(super) fn start(
    names: Names,
    work: impl FnOnce(&Runtime) + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let (told, heard) = mpsc::channel();
    let thread = thread::Builder::new()
        .name(names.thread.to_owned())
        .spawn(move || {
            let (runtime, told_of) = match made(&names) {
                Ok(runtime) => (Some(runtime), Ok(())),
                Err(error) => (None, Err(error)),
            };
            // Who has started us waits for it.
            drop(told.send(told_of));
            if let Some(runtime) = runtime {
                work(&runtime);
                // A name that is still being resolved, or a disk that hangs, holds nobody up.
                runtime.shutdown_background();
            }
        })?;
    let begun = heard.recv();
    begun.unwrap_or_else(|gone| Err(io::Error::other(gone)))?;
    Ok(thread)
}

fn made(names: &Names) -> io::Result<Runtime> {
    let runtime = Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .max_blocking_threads(names.helpers_max)
        .thread_name(names.helper)
        .thread_keep_alive(KEPT)
        .build()?;
    // Whether the system gives one is found out without a panic by asking for another one before.
    let tried = thread::Builder::new().spawn(|| ())?;
    tried
        .join()
        .map_err(|_panicked| io::Error::other("a thread that does nothing has failed"))?;
    drop(runtime.spawn_blocking(|| ()));
    Ok(runtime)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_done_with_a_helper_at_hand() {
        let (told, heard) = mpsc::channel();
        let names = Names {
            thread: "works",
            helper: "helps",
            helpers_max: 1,
        };
        let thread = start(names, move |runtime| {
            let helper = runtime.spawn_blocking(|| thread::current().name().map(str::to_owned));
            let helped = runtime.block_on(helper).ok().flatten();
            drop(told.send((thread::current().name().map(str::to_owned), helped)));
        });
        thread
            .expect("the system gives threads")
            .join()
            .expect("it does not panic");
        let (own, helper) = heard.recv().expect("it was told");
        assert_eq!(own.as_deref(), Some("works"));
        assert_eq!(helper.as_deref(), Some("helps"));
    }
}
