//! A process that may begin no more threads keeps its client.
//!
//! Containers bound the processes of a user, and threads count. What needs a thread after that, names and the disk,
//! has to make do with one that is there; an executor that had let go of it would end with a panic.

#![forbid(unsafe_code)]
#![cfg(target_os = "linux")]

use std::fs::Permissions;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reflow_trace::{ENVIRONMENT_VARIABLE, TracingMetrics};
use reflow_trace_durability::proxy::{Faults, Proxy};
use reflow_trace_server::config::Config;
use reflow_trace_server::{RunningServer, Server};
use tokio::runtime::Runtime;

/// Much longer than anything here takes; it only ends a test that would never end.
const FOR_EVER: Duration = Duration::from_secs(60);

/// A user that nobody is, so that no other process counts, and of one test.
struct Nobody(String);

impl Nobody {
    /// `None` where the system does not let us say who that is, or refuses it no processes.
    fn new(test: u32) -> Option<Self> {
        let nobody = Self((60_000 + std::process::id() % 2_000 * 2 + test).to_string());
        let forks_with = |bound: &str| {
            let script = "(exit 0); (exit 0)";
            let run = nobody
                .runs(&["prlimit", bound, "sh", "-c", script])
                .output();
            run.ok().map(|output| output.status.success())
        };
        let can = forks_with("--nproc=50") == Some(true) && forks_with("--nproc=1") == Some(false);
        if !can {
            println!(
                "not asked: only root can bound the processes of another user, by `setpriv` and `prlimit`"
            );
        }
        can.then_some(nobody)
    }

    /// A program as this user.
    fn runs(&self, words: &[&str]) -> Command {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid", &self.0, "--regid", &self.0, "--clear-groups"])
            .args(words);
        command
    }
}

fn server(runtime: &Runtime, data: &Path) -> RunningServer {
    let mut config = Config::default();
    config.listen.set_port(0);
    config.data = data.to_owned();
    runtime.block_on(Server::start(config)).expect("it starts")
}

fn wait_until(what: &str, child: &mut Child, holds: impl Fn() -> bool) {
    let end = Instant::now() + FOR_EVER;
    while !holds() {
        let ended = child.try_wait().expect("it was started");
        assert_eq!(ended, None, "the client is there until {what}");
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn holds_batches(spool: &Path) -> bool {
    std::fs::read_dir(spool).is_ok_and(|files| {
        let names = files.filter_map(|file| file.ok()?.file_name().into_string().ok());
        names.into_iter().any(|name| name.ends_with(".frames"))
    })
}

#[test]
fn a_process_that_may_begin_no_thread_keeps_its_client() {
    let Some(nobody) = Nobody::new(0) else {
        return;
    };
    let data = tempfile::tempdir().expect("the directory of tests is writable");
    let own = tempfile::tempdir().expect("the directory of tests is writable");
    std::fs::set_permissions(own.path(), Permissions::from_mode(0o777)).expect("it is ours");
    let (spool, attempts) = (own.path().join("spool"), own.path().join("attempts"));
    let runtime = Runtime::new().expect("the system gives threads");
    let first = server(&runtime, data.path());
    let proxy = Proxy::start(first.addr(), Faults::default(), 1).expect("the system gives a port");
    // A name has to be looked up, for which there is no other way than to wait.
    let address = format!("ws://localhost:{}", proxy.address().port());
    let mut client = nobody
        .runs(&[env!("CARGO_BIN_EXE_durability-client"), &address])
        .args([&spool, &attempts])
        .args(["1", "2000"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("`setpriv` was there a moment ago");
    let store = first.store();
    wait_until("something is stored", &mut client, || {
        store.stats().events > 0
    });
    // As that user: not every root may bound the processes of others.
    let process = client.id().to_string();
    let bounded = nobody
        .runs(&["prlimit", "--pid", &process, "--nproc=1:1"])
        .status();
    assert!(bounded.is_ok_and(|status| status.success()));

    // From here on it may begin nothing. Its connection ends, and its memory goes to the disk.
    drop(store);
    runtime.block_on(first.shutdown(FOR_EVER));
    wait_until("the spool is used", &mut client, || holds_batches(&spool));
    let second = server(&runtime, data.path());
    let store = second.store();
    let before = store.stats().events;
    proxy.move_to(second.addr());
    wait_until("it has come back", &mut client, || {
        store.stats().events > before
    });

    drop(client.stdin.take());
    let mut said = String::new();
    let stdout = client.stdout.as_mut().expect("it is piped");
    stdout.read_to_string(&mut said).expect("it speaks");
    let status = client.wait().expect("it was started");
    assert!(status.success(), "{status}: {said}");
    let metrics: TracingMetrics = serde_json::from_str(said.trim()).expect("what became of it");
    let sink = &metrics.ledger.sinks[0];
    assert!(metrics.ledger.balances(), "{metrics}");
    assert_eq!((sink.pending, sink.lost.len()), (0, 0), "{metrics}");
    assert!(sink.stored > 0, "{metrics}");
    runtime.block_on(second.shutdown(FOR_EVER));
}

#[test]
fn a_program_that_may_begin_few_threads_does_what_it_does_without_tracing() {
    let Some(nobody) = Nobody::new(1) else {
        return;
    };
    let own = tempfile::tempdir().expect("the directory of tests is writable");
    std::fs::set_permissions(own.path(), Permissions::from_mode(0o777)).expect("it is ours");
    let mut complaints = 0;
    for threads in 1..8 {
        let bound = format!("--nproc={threads}");
        let program = env!("CARGO_BIN_EXE_durability-unaware");
        let output = nobody
            .runs(&["prlimit", &bound, program, "unaware", "return"])
            // Nobody listens there.
            .env(ENVIRONMENT_VARIABLE, "ws://localhost:9")
            .env("REFLOW_TRACE_SPOOL", own.path().join(threads.to_string()))
            .output()
            .expect("`setpriv` was there a moment ago");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{threads}: {said}");
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            "sum 55\n",
            "{threads}: {said}"
        );
        assert!(!said.contains("panicked"), "{threads}: {said}");
        assert!(said.lines().count() <= 1, "{threads}: {said}");
        complaints += usize::from(said.contains("thread"));
    }
    assert!(
        (1..7).contains(&complaints),
        "{complaints} times it had too few, and said so"
    );
}
