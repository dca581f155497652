//! The generated packages, and cargo at work on one of them.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::cpu;
use crate::source::{self, Variant};

/// What cargo is asked to do.
#[derive(Clone, Copy)]
pub(crate) enum Work {
    /// From nothing, as continuous integration does.
    Check,
    /// The same, with code for a debug build.
    Build,
    /// One method was edited and everything else is remembered, as under the hands of whoever types.
    CheckAgain,
}

/// How long that took.
#[derive(Clone, Copy)]
pub(crate) struct Took {
    pub(crate) cpu: Duration,
    pub(crate) wall: Duration,
}

/// The directory with one package per variant.
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Work {
    pub(crate) const ALL: [Work; 3] = [Work::Check, Work::Build, Work::CheckAgain];

    pub(crate) fn describe(self) -> &'static str {
        match self {
            Work::Check => "cargo check, not incremental",
            Work::Build => "cargo build (dev), not incremental",
            Work::CheckAgain => "cargo check after one method was edited, incremental",
        }
    }

    fn command(self) -> &'static str {
        match self {
            Work::Check | Work::CheckAgain => "check",
            Work::Build => "build",
        }
    }

    fn is_incremental(self) -> bool {
        matches!(self, Work::CheckAgain)
    }
}

impl Workspace {
    /// Writes the packages anew.
    pub(crate) fn write() -> io::Result<Self> {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .ok_or_else(|| io::Error::other("xtask stands in no repository"))?;
        let target = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| repository.join("target"), |path| repository.join(path));
        let root = target.join("build-cost");
        std::fs::create_dir_all(&root)?;
        // The dependencies we are tested with; the peers are added to it.
        std::fs::copy(repository.join("Cargo.lock"), root.join("Cargo.lock"))?;
        std::fs::write(root.join("Cargo.toml"), source::workspace_manifest())?;
        let workspace = Self { root };
        for variant in Variant::ALL {
            let package = workspace.package(variant);
            std::fs::create_dir_all(package.join("src/bin"))?;
            std::fs::write(
                package.join("Cargo.toml"),
                source::manifest(variant, repository),
            )?;
            std::fs::write(package.join("src/lib.rs"), source::library(variant, 1))?;
            std::fs::write(package.join("src/bin/sizes.rs"), source::sizes(variant))?;
        }
        Ok(workspace)
    }

    /// Compiles the library of one package; its dependencies only the first time.
    pub(crate) fn compile(&self, variant: Variant, work: Work) -> io::Result<Took> {
        let edition = match work {
            Work::CheckAgain => self.next_edition(),
            Work::Check | Work::Build => 1,
        };
        // Written in any case: a file that is newer than what was made of it is compiled again.
        let library = self.package(variant).join("src/lib.rs");
        std::fs::write(library, source::library(variant, edition))?;
        let mut command = self.cargo(work.command(), variant);
        command.arg("--lib");
        command.env(
            "CARGO_INCREMENTAL",
            if work.is_incremental() { "1" } else { "0" },
        );
        // Each its own, so that one does not make the other compile what it has done already.
        command.env(
            "CARGO_TARGET_DIR",
            self.root.join(if work.is_incremental() {
                "again"
            } else {
                "target"
            }),
        );
        let (before, begun) = (cpu::of_children()?, Instant::now());
        finish(&mut command)?;
        Ok(Took {
            wall: begun.elapsed(),
            cpu: cpu::of_children()?.saturating_sub(before),
        })
    }

    /// Name and size of each future, as the package itself finds them.
    pub(crate) fn sizes(&self, variant: Variant) -> io::Result<Vec<(String, usize)>> {
        let mut command = self.cargo("run", variant);
        command.env("CARGO_TARGET_DIR", self.root.join("target"));
        let printed = finish(command.args(["--bin", "sizes"]))?;
        printed
            .lines()
            .map(|line| {
                let (size, name) = line.split_once(' ')?;
                Some((name.to_owned(), size.parse().ok()?))
            })
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| io::Error::other(format!("these are no sizes: {printed}")))
    }

    /// The compiler and its version.
    pub(crate) fn compiler(&self) -> io::Result<String> {
        let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
        finish(Command::new(rustc).arg("--version").current_dir(&self.root))
            .map(|text| text.trim().to_owned())
    }

    fn cargo(&self, command: &str, variant: Variant) -> Command {
        let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let mut cargo = Command::new(program);
        cargo.args([command, "--quiet", "--package", variant.package()]);
        cargo.current_dir(&self.root);
        // Flags of whoever measures would end up in the figures.
        for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER"] {
            cargo.env_remove(name);
        }
        cargo
    }

    fn package(&self, variant: Variant) -> PathBuf {
        self.root.join(variant.package())
    }

    /// A number that no earlier file has.
    fn next_edition(&self) -> u64 {
        let since = std::time::UNIX_EPOCH.elapsed();
        since.map_or(2, |since| u64::try_from(since.as_micros()).unwrap_or(2))
    }
}

/// Runs to the end and gives what was printed; what went wrong becomes the error.
fn finish(command: &mut Command) -> io::Result<String> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("`{command:?}` failed:\n{said}")))
}
