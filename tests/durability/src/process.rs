//! The programs that are killed: the server as anybody starts it, and a client that knows nothing of tests.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use reflow_trace::TracingMetrics;

/// Longest that anything here waits for a program, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(120);

/// A server in a process of its own.
#[derive(Debug)]
pub struct ServerProcess {
    child: Child,
    address: SocketAddr,
}

/// A traced program in a process of its own.
#[derive(Debug)]
pub struct ClientProcess {
    child: Child,
    /// It sends until this is closed.
    stdin: Option<ChildStdin>,
    /// The run that its messages name.
    pub run: u64,
}

/// How a client is to work.
#[derive(Clone, Debug)]
pub struct ClientPlan {
    /// The program.
    pub program: PathBuf,
    /// Where it sends to.
    pub server: SocketAddr,
    /// Where it keeps what is not acknowledged.
    pub spool: PathBuf,
    /// The file of [`Attempts`](crate::shared::Attempts).
    pub attempts: PathBuf,
    /// Messages in a second, over all threads.
    pub rate: u32,
}

impl ServerProcess {
    /// Starts the program `server`, which is `reflow-trace`, on any free port.
    ///
    /// # Panics
    ///
    /// When it does not listen: there is nothing to test then.
    pub fn start(server: &Path, data: &Path, flags: &[&str]) -> Self {
        let mut child = Command::new(server)
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--log-level",
                "error",
                "--data",
            ])
            .arg(data)
            .args(flags)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program was built with this test");
        let stdout = child.stdout.take().expect("it is piped");
        let mut line = String::new();
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("it says where it listens");
        let address = line
            .trim()
            .rsplit("//")
            .next()
            .and_then(|address| address.parse().ok());
        let Some(address) = address else {
            let _ended = child.kill();
            let ended = child.wait();
            panic!("the server said `{line}` and ended with {ended:?}");
        };
        Self { child, address }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        kill(&mut self.child);
    }

    /// SIGTERM, and waits for its end; whether that was in good order.
    pub fn stop(mut self) -> bool {
        let id = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status();
        assert!(
            told.is_ok_and(|status| status.success()),
            "the server has ended by itself"
        );
        wait(&mut self.child).is_some_and(|status| status.success())
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It has ended, unless the test has failed.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

impl ClientPlan {
    /// Starts one.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn start(&self, run: u64) -> ClientProcess {
        let mut child = Command::new(&self.program)
            .arg(format!("ws://{}", self.server))
            .arg(&self.spool)
            .arg(&self.attempts)
            .args([run.to_string(), self.rate.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program was built with this test");
        let stdin = child.stdin.take();
        ClientProcess { child, stdin, run }
    }
}

impl ClientProcess {
    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        kill(&mut self.child);
    }

    /// Lets it end its work, deliver everything, and say what became of it.
    ///
    /// # Panics
    ///
    /// When it fails, or does not end.
    pub fn finish(mut self) -> TracingMetrics {
        drop(self.stdin.take());
        let mut said = String::new();
        let stdout = self.child.stdout.take().expect("it is piped");
        BufReader::new(stdout)
            .read_to_string(&mut said)
            .expect("it speaks");
        let status = wait(&mut self.child);
        assert!(
            status.is_some_and(|status| status.success()),
            "the client ended with {status:?}: {said}"
        );
        serde_json::from_str(said.trim()).expect("it says what became of its events")
    }
}

impl Drop for ClientProcess {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn kill(child: &mut Child) {
    // On Unix this is SIGKILL.
    child.kill().expect("it has not been waited for");
    let status = child.wait().expect("it was started");
    assert!(!status.success(), "it was killed before it ended by itself");
}

fn wait(child: &mut Child) -> Option<std::process::ExitStatus> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    None
}
