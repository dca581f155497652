//! What steps need beyond cargo: found, installed, or named.

use std::path::Path;
use std::process::{Command, Stdio};

/// A program or component that a step cannot do without.
#[derive(Clone, Copy)]
pub(crate) struct Tool {
    /// Its name, for messages.
    pub(crate) name: &'static str,
    /// A command that succeeds when it is there.
    pub(crate) probe: &'static str,
    /// The arguments that make rustup install it.
    pub(crate) rustup: &'static str,
    /// The Debian package, where the toolchain does not come from rustup.
    pub(crate) debian: Option<&'static str>,
}

pub(crate) const RUSTFMT: Tool = Tool {
    name: "rustfmt",
    probe: "cargo fmt --version",
    rustup: "component add rustfmt",
    debian: Some("rustfmt"),
};

pub(crate) const CLIPPY: Tool = Tool {
    name: "clippy",
    probe: "cargo clippy --version",
    rustup: "component add clippy",
    debian: Some("rust-clippy"),
};

pub(crate) const MIRI: Tool = Tool {
    name: "Miri",
    probe: "rustup run nightly cargo miri --version",
    rustup: "toolchain install nightly --profile minimal --component miri --component rust-src",
    debian: None,
};

/// Whether `cargo nextest` can be used.
pub(crate) fn has_nextest() -> bool {
    succeeds("cargo nextest --version")
}

impl Tool {
    /// Makes sure that the tool is there, or says what to type.
    pub(crate) fn provide(&self) -> Result<(), String> {
        if succeeds(self.probe) {
            return Ok(());
        }
        if succeeds("rustup --version") {
            let install = format!("rustup {}", self.rustup);
            println!("{} is missing; running `{install}`", self.name);
            return self.after(&[&install]);
        }
        match self.debian {
            Some(package) if is_root_on_debian() => {
                let install = format!("apt-get install --yes {package}");
                println!("{} is missing; running `{install}`", self.name);
                self.after(&["apt-get update", &install])
            }
            Some(package) => Err(format!(
                "{} is missing: type `rustup {}`, or on Debian `sudo apt-get install {package}`",
                self.name, self.rustup
            )),
            None => Err(format!(
                "{} is missing and comes with rustup only: install rustup, then type `rustup {}`",
                self.name, self.rustup
            )),
        }
    }

    fn after(&self, installs: &[&str]) -> Result<(), String> {
        for install in installs {
            if !command(install)
                .status()
                .is_ok_and(|status| status.success())
            {
                return Err(format!(
                    "{} is missing and could not be installed: see what `{install}` says",
                    self.name
                ));
            }
        }
        if succeeds(self.probe) {
            Ok(())
        } else {
            Err(format!(
                "{} was installed, yet `{}` still fails",
                self.name, self.probe
            ))
        }
    }
}

fn is_root_on_debian() -> bool {
    Path::new("/etc/debian_version").exists() && is_root()
}

#[cfg(unix)]
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;

    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

fn command(line: &str) -> Command {
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).env_remove("CARGO");
    command
}

fn succeeds(line: &str) -> bool {
    command(line)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_is_no_success() {
        assert!(!succeeds("no-program-has-this-name --version"));
        assert!(succeeds("cargo --version"));
    }
}
