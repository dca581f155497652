//! The program itself: what it prints, how it ends.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reflow-trace"));
    command.env_clear();
    command
}

fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

struct Serving {
    child: Child,
    addr: SocketAddr,
}

impl Serving {
    fn start(data: &Path, more: &[&str]) -> Self {
        let mut child = program()
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let addr = line.trim().strip_prefix("listening on http://");
        let addr = addr.unwrap_or_else(|| panic!("{line:?}")).parse().unwrap();
        Self { child, addr }
    }

    #[cfg(unix)]
    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", signal, &id])
                .status()
                .unwrap()
                .success()
        );
    }

    /// The exit code, and what it has written to its log.
    fn end(mut self) -> (Option<i32>, String) {
        let mut log = String::new();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut log)
            .unwrap();
        (self.child.wait().unwrap().code(), log)
    }
}

#[cfg(unix)]
#[test]
fn it_says_where_it_listens_and_ends_in_order_on_a_signal() {
    for signal in ["TERM", "INT"] {
        let data = tempfile::tempdir().unwrap();
        let serving = Serving::start(data.path(), &["--log-format", "json"]);
        TcpStream::connect(serving.addr).unwrap();
        serving.signal(signal);
        let (code, log) = serving.end();
        assert_eq!(code, Some(0), "{log}");
        let lines: Vec<&str> = log.lines().collect();
        assert!(
            lines
                .iter()
                .all(|line| line.starts_with('{') && line.ends_with('}')),
            "{log}"
        );
        assert!(
            lines
                .iter()
                .any(|line| line.contains("\"message\":\"listening\"")),
            "{log}"
        );
        assert!(
            lines
                .iter()
                .any(|line| line.contains("\"ending\":\"InOrder\"")),
            "{log}"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_second_signal_ends_it_at_once() {
    let data = tempfile::tempdir().unwrap();
    let serving = Serving::start(data.path(), &["--shutdown-deadline", "1h"]);
    // A request that is not whole keeps its connection until its time is over.
    let mut half = TcpStream::connect(serving.addr).unwrap();
    std::io::Write::write_all(&mut half, b"GET /health HTTP/1.1\r\n").unwrap();
    // Connections are accepted in their order: when the next one has its answer, the server has this one.
    let mut whole = TcpStream::connect(serving.addr).unwrap();
    let request = b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    std::io::Write::write_all(&mut whole, request).unwrap();
    std::io::Read::read_to_end(&mut whole, &mut Vec::new()).unwrap();
    // The second within half a second is taken for the first; one after that ends it.
    let mut serving = serving;
    while serving.child.try_wait().unwrap().is_none() {
        serving.signal("TERM");
        std::thread::yield_now();
    }
    assert_eq!(serving.end().0, Some(130));
}

#[cfg(unix)]
#[test]
fn a_signal_that_comes_twice_at_once_is_one() {
    let data = tempfile::tempdir().unwrap();
    let serving = Serving::start(data.path(), &[]);
    serving.signal("TERM");
    // It may have ended already.
    let id = serving.child.id().to_string();
    let _again = Command::new("kill")
        .args(["-s", "TERM", &id])
        .stderr(Stdio::null())
        .status();
    assert_eq!(serving.end().0, Some(0));
}

#[test]
fn wrong_flags_and_wrong_settings_end_with_2_and_say_what_is_wrong() {
    for (arguments, said) in [
        (
            &["serve", "--ingest-frame-byte-max", "1"][..],
            "--ingest-frame-bytes-max",
        ),
        (
            &["serve", "--ingest-events-max", "0"],
            "`ingest.events_max`: `0` is out of its range",
        ),
        (
            &["serve", "--listen", "0.0.0.0:0"],
            "`--insecure-allow-anyone`",
        ),
        (
            &["serve", "--config", "no/such.toml"],
            "`no/such.toml` cannot be read",
        ),
        (
            &[
                "serve",
                "--tls-certificate",
                "no/such.pem",
                "--tls-key",
                "no/such.pem",
            ],
            "`no/such.pem` cannot be read",
        ),
        (
            &["serve", "--auth-tokens", "secret"],
            "`reflow-trace token new`",
        ),
        (&["surve"], "serve"),
        (&["token", "new", "a:b"], "is no name for a token"),
        (
            &["token", "new", "a", "--scopes", "all"],
            "`all` is no scope",
        ),
    ] {
        let data = tempfile::tempdir().unwrap();
        let output = program()
            .current_dir(data.path())
            .args(arguments)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let stderr = text(&output.stderr);
        assert!(stderr.contains(said), "{said:?} in {stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
    }
    let wrong_variable = program()
        .arg("serve")
        .env("REFLOW_TRACE_SERVE_LISTN", "x")
        .output()
        .unwrap();
    assert_eq!(wrong_variable.status.code(), Some(2));
}

#[test]
fn an_address_in_use_ends_with_3_and_a_directory_that_is_none_with_4() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let data = tempfile::tempdir().unwrap();
    let output = program()
        .args(["serve", "--listen", &addr, "--data"])
        .arg(data.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("another program listens there"));

    let file = data.path().join("file");
    std::fs::write(&file, "").unwrap();
    let output = program()
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(&file)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
}

#[test]
fn help_and_version_end_with_0() {
    for (arguments, said) in [
        (&["--help"][..], "reflow-trace serve"),
        (&["serve", "--help"], "--ingest-frame-bytes-max"),
        (&["token", "new", "--help"], "Examples:"),
        (&["completions", "--help"], "bash-completion"),
        (&["--version"], env!("CARGO_PKG_VERSION")),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(text(&output.stdout).contains(said), "{arguments:?}");
    }
}

#[test]
fn every_shell_gets_a_script_that_knows_commands_and_flags() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = run(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0), "{shell}");
        let script = text(&output.stdout);
        for word in ["lineage", "ingest-frame-bytes-max", "after"] {
            assert!(script.contains(word), "{shell} has no {word}");
        }
    }
    let output = run(&["completions", "tcsh"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("possible values: bash"));
}

#[test]
fn a_flag_wins_over_the_environment_which_wins_over_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("server.toml");
    std::fs::write(
        &file,
        "[ingest]\nsessions_max = 1\nstreams_max = 1\nevents_max = 1\n",
    )
    .unwrap();
    let output = program()
        .args(["serve", "--print-config", "--ingest-events-max", "3"])
        .env("REFLOW_TRACE_SERVE_CONFIG", &file)
        .env("REFLOW_TRACE_SERVE_INGEST_STREAMS_MAX", "2")
        .env("REFLOW_TRACE_SERVE_INGEST_EVENTS_MAX", "2")
        .output()
        .unwrap();
    let printed = text(&output.stdout);
    for line in [
        "sessions_max = 1  # ",
        "streams_max = 2  # variable REFLOW_TRACE_SERVE_INGEST_STREAMS_MAX",
        "events_max = 3  # flag --ingest-events-max",
        "ratio_max = 256  # default",
    ] {
        assert!(printed.contains(line), "{line:?} in {printed}");
    }
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[test]
fn a_new_token_lets_its_bearer_in_and_nobody_else() {
    let output = run(&["token", "new", "prometheus", "--scopes", "query"]);
    let (secret, said) = (text(&output.stdout), text(&output.stderr));
    let line = said
        .lines()
        .find(|line| line.starts_with("prometheus:query:sha256:"))
        .unwrap();
    assert!(!line.contains(secret.trim()));
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("tokens");
    std::fs::write(&file, format!("{line}\n")).unwrap();
    let serving = Serving::start(
        directory.path().join("data").as_path(),
        &["--auth-tokens-file", file.to_str().unwrap()],
    );
    let status = |header: &str| {
        let mut stream = TcpStream::connect(serving.addr).unwrap();
        let request = format!(
            "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}\r\n"
        );
        std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!(
        status(&format!("Authorization: Bearer {}\r\n", secret.trim())),
        "200"
    );
    assert_eq!(status(""), "401");
    let mut serving = serving;
    serving.child.kill().unwrap();
    serving.child.wait().unwrap();
}

/// A device that takes nothing.
#[test]
#[cfg(target_os = "linux")]
fn a_script_that_cannot_be_written_is_told() {
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = program()
        .args(["completions", "bash"])
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(8), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("cannot write to `standard output`"));
}
