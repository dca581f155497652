//! The program, its server, and what they say.

use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// How a run has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// It has ended with this code; otherwise everything that it has said is shown.
    #[track_caller]
    pub(crate) fn with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert!(!self.err.contains("panicked"), "{self:#?}");
        self
    }

    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(
            self.out.contains(text) || self.err.contains(text),
            "{text:?} in {self:#?}"
        );
        self
    }

    /// Each line of the answer as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Vec<serde_json::Value> {
        let lines = self.out.lines();
        lines
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
            })
            .collect()
    }
}

/// The program, in an empty environment.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reflow-trace"));
    command.env_clear().stdin(Stdio::null());
    command
}

pub(crate) fn ended(command: &mut Command) -> Ended {
    let output = command.output().unwrap();
    Ended {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs it, the arguments divided at blanks; `{}` stands for the next of `places`.
pub(crate) fn run(line: &str, places: &[&Path]) -> Ended {
    ended(program().args(arguments(line, places)))
}

/// The same with a terminal of so many columns.
pub(crate) fn run_within(columns: usize, line: &str, places: &[&Path]) -> Ended {
    let mut command = program();
    command.env("COLUMNS", columns.to_string());
    ended(command.args(arguments(line, places)))
}

pub(crate) fn arguments(line: &str, places: &[&Path]) -> Vec<String> {
    let mut places = places.iter();
    let place = |word: &str| match word {
        "{}" => places.next().unwrap().to_str().unwrap().to_owned(),
        // A blank inside of an argument.
        word => word.replace('~', " "),
    };
    line.split(' ').map(place).collect()
}

/// A server of its own process, killed when it is dropped.
pub(crate) struct Serving {
    child: Child,
    pub(crate) url: String,
    data: Option<TempDir>,
}

impl Serving {
    pub(crate) fn start(more: &[&str]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut serving = Self::at(data.path(), "127.0.0.1:0", more);
        serving.data = Some(data);
        serving
    }

    pub(crate) fn at(data: &Path, listen: &str, more: &[&str]) -> Self {
        let mut child = program()
            .args([
                "serve",
                "--listen",
                listen,
                "--log-level",
                "error",
                "--data",
            ])
            .arg(data)
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let url = line.trim().strip_prefix("listening on ");
        let url = url.unwrap_or_else(|| panic!("{line:?}")).to_owned();
        Self {
            child,
            url,
            data: None,
        }
    }

    pub(crate) fn url(&self) -> &Path {
        Path::new(&self.url)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.data.as_ref().unwrap().path().to_owned()
    }

    /// As a power failure would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// A program under way, whose lines are read one by one.
pub(crate) struct Running {
    pub(crate) child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Running {
    pub(crate) fn start(line: &str, places: &[&Path]) -> Self {
        let mut child = program()
            .args(arguments(line, places))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    pub(crate) fn line(&mut self) -> String {
        self.lines.next().unwrap().unwrap()
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &id]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits for its end; what is left of its answer is not read.
    pub(crate) fn end(self) -> Ended {
        let Self { mut child, lines } = self;
        drop(lines);
        let mut err = String::new();
        let mut stderr = child.stderr.take().unwrap();
        stderr.read_to_string(&mut err).unwrap();
        Ended {
            code: child.wait().unwrap().code(),
            out: String::new(),
            err,
        }
    }
}
