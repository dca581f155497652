//! What happens when the process ends without dropping the guard, or forks.
//!
//! `exit` runs a hook that has the collector deliver what is in the rings; it needs nothing of the
//! exiting thread, whose locals are gone by then. A program that is compiled to abort on panic gets
//! the same from the panic hook. `abort`, `_exit` and signals end the process without any of it.
//!
//! A fork has the memory of the recording and none of its threads: it records nothing until it calls
//! `init`, which makes it a producer of its own.

use std::ffi::c_int;
use std::sync::Once;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{CURRENT, OFF, Occasion, STATE, generation_of};

/// How long an exit waits.
const EXIT_TIMEOUT: Duration = Duration::from_millis(250);

unsafe extern "C" {
    // ISO C, 7.22.4.2.
    safe fn atexit(callback: extern "C" fn()) -> c_int;
    #[cfg(unix)]
    // POSIX.1-2017, XSH.
    safe fn pthread_atfork(
        prepare: Option<extern "C" fn()>,
        parent: Option<extern "C" fn()>,
        child: Option<extern "C" fn()>,
    ) -> c_int;
}

/// Installs the hooks, once in a process.
pub(super) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Without a hook, what is in the rings at exit is lost; there is nothing better to do here.
        let _no_hook = atexit(deliver);
        #[cfg(unix)]
        let _no_hook = pthread_atfork(None, None, Some(forget));
        if cfg!(panic = "abort") {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                before(panic);
                deliver();
            }));
        }
    });
}

/// Delivers what is in the rings.
extern "C" fn deliver() {
    // Whoever holds the lock is ending the recording already.
    let Ok(current) = CURRENT.try_lock() else {
        return;
    };
    let Some(runtime) = current.clone() else {
        return;
    };
    drop(current);
    if generation_of(STATE.load(Ordering::Acquire)) == runtime.generation {
        // The process ends in any case.
        let _late = runtime.command(Occasion::Exit, EXIT_TIMEOUT);
    }
}

/// In the child of a fork: no recording. Only an atomic store, as a signal handler would be allowed.
#[cfg(unix)]
extern "C" fn forget() {
    STATE.store(OFF, Ordering::Release);
}
