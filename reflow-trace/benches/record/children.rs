//! The processes that measure.

use std::fmt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::line::Line;
use crate::options::Child;
use crate::shared::Failure;

/// A program and what it is asked for.
pub(crate) struct Program {
    name: String,
    executable: PathBuf,
    arguments: Vec<String>,
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Program {
    /// This program, asked for one part of its rows.
    pub(crate) fn own(child: Child, rounds: u32) -> Result<Self, Failure> {
        let arguments = ["--child", child.name(), "--rounds", &rounds.to_string()];
        Ok(Self {
            name: child.name().to_owned(),
            executable: std::env::current_exe()?,
            arguments: arguments.map(str::to_owned).to_vec(),
        })
    }

    /// Runs it to its end and reads its lines.
    pub(crate) fn run(&self) -> Result<Vec<Line>, Failure> {
        let output = Command::new(&self.executable)
            .args(&self.arguments)
            // Nothing is switched on but what a row switches on.
            .env_remove(reflow_trace::ENVIRONMENT_VARIABLE)
            // hotpath would serve its figures to the network.
            .env("HOTPATH_METRICS_SERVER_OFF", "true")
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| format!("`{self}` cannot be started: {error}"))?;
        if !output.status.success() {
            return Err(format!("`{self}` has failed: {}", output.status).into());
        }
        let text = String::from_utf8(output.stdout)?;
        text.lines().map(Line::parse).collect()
    }
}

/// The connectors in a build without the feature `enable`.
pub(crate) fn compiled_out(rounds: u32) -> Result<Program, Failure> {
    Ok(Program {
        name: "compiled out".to_owned(),
        executable: build("compiled-out", "reflow-trace-bench-compiled-out")?,
        arguments: vec![rounds.to_string()],
    })
}

/// The other libraries.
pub(crate) struct Peers {
    pub(crate) rows: Program,
    pub(crate) channels: Program,
    pub(crate) stalled: Program,
}

/// Builds the other libraries.
pub(crate) fn peers(rounds: u32) -> Result<Peers, Failure> {
    let executable = build("peers", "reflow-trace-peers")?;
    Ok(Peers {
        rows: Program {
            name: "peers".to_owned(),
            executable: executable.clone(),
            arguments: vec!["rows".to_owned(), rounds.to_string()],
        },
        channels: Program {
            name: "channels of peers".to_owned(),
            executable: executable.clone(),
            arguments: vec!["channels".to_owned(), rounds.to_string()],
        },
        stalled: Program {
            name: "a peer that stalls".to_owned(),
            executable,
            arguments: vec!["stalled".to_owned()],
        },
    })
}

/// Builds a package that lies beside this one, into a target directory of its own, and says where its
/// program is.
fn build(package: &str, program: &str) -> Result<PathBuf, Failure> {
    let benches = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("benches");
    let manifest = benches.join(package).join("Cargo.toml");
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(package);
    eprintln!("building {package}");
    let output = Command::new(env!("CARGO"))
        .args([
            "build",
            "--release",
            "--message-format",
            "json-render-diagnostics",
        ])
        .arg("--manifest-path")
        .arg(manifest)
        .arg("--target-dir")
        .arg(target)
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("`{package}` cannot be built; `--without-peers` may help").into());
    }
    // Of the messages of cargo only one is wanted: `"executable":"…/program"`.
    let messages = String::from_utf8(output.stdout)?;
    messages
        .lines()
        .filter_map(|message| serde_json::from_str::<serde_json::Value>(message).ok())
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .find(|path| path.file_stem().is_some_and(|stem| stem == program))
        .ok_or_else(|| format!("cargo has built no program `{program}`").into())
}
