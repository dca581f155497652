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

use reflow_trace::TracingMetrics;
use reflow_trace_durability::proxy::{Faults, Proxy};
use reflow_trace_server::config::Config;
use reflow_trace_server::{RunningServer, Server};
use tokio::runtime::Runtime;

/// Much longer than anything here takes; it only ends a test that would never end.
const FOR_EVER: Duration = Duration::from_secs(60);

/// A user that nobody is, so that no other process counts.
const NOBODY: &str = "61234";

/// A program as this user.
fn as_nobody(words: &[&str]) -> Command {
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"])
        .args(words);
    command
}

/// Whether the system refuses processes to whoever has no more, and lets us say who that is.
fn can_be_asked() -> bool {
    let forks_with = |bound: &str| {
        let script = "(exit 0); (exit 0)";
        let run = as_nobody(&["prlimit", bound, "sh", "-c", script]).output();
        run.ok().map(|output| output.status.success())
    };
    forks_with("--nproc=50") == Some(true) && forks_with("--nproc=1") == Some(false)
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
    if !can_be_asked() {
        println!(
            "not asked: only root can bound the processes of another user, by `setpriv` and `prlimit`"
        );
        return;
    }
    let data = tempfile::tempdir().expect("the directory of tests is writable");
    let own = tempfile::tempdir().expect("the directory of tests is writable");
    std::fs::set_permissions(own.path(), Permissions::from_mode(0o777)).expect("it is ours");
    let (spool, attempts) = (own.path().join("spool"), own.path().join("attempts"));
    let runtime = Runtime::new().expect("the system gives threads");
    let first = server(&runtime, data.path());
    let proxy = Proxy::start(first.addr(), Faults::default(), 1).expect("the system gives a port");
    // A name has to be looked up, for which there is no other way than to wait.
    let address = format!("ws://localhost:{}", proxy.address().port());
    let mut client = as_nobody(&[env!("CARGO_BIN_EXE_durability-client"), &address])
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
    let bounded = as_nobody(&["prlimit", "--pid", &process, "--nproc=1:1"]).status();
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
