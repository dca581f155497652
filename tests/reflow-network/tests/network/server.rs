//! The server: the program as people run it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

pub struct Serving {
    child: Child,
    address: String,
    data: PathBuf,
}

impl Serving {
    pub fn start(data: &Path) -> Self {
        let program = std::env::var_os("REFLOW_TRACE_SERVER").map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/debug/reflow-trace"),
            PathBuf::from,
        );
        let mut child = Command::new(&program)
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!(
                    "`{}` cannot be started: {error}; build it with `cargo build -p reflow-trace-server`",
                    program.display()
                )
            });
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://");
        Self {
            address: address.unwrap_or_else(|| panic!("{line:?}")).to_owned(),
            child,
            data: data.to_owned(),
        }
    }

    /// Killed, so that only what was stored is there, and started again.
    pub fn restart(mut self) -> Self {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        Self::start(&self.data)
    }

    pub fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// The body of the answer.
    pub fn post(&self, path: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
        body.to_owned()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have been killed already.
        let _gone = self.child.kill();
        let _waited = self.child.wait();
    }
}
