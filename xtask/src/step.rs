//! A step: a name, a reason, and the commands that carry it out.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tools::Tool;

/// One row of a table: a check or a measurement.
pub(crate) struct Step {
    /// What is typed to run it alone.
    pub(crate) name: &'static str,
    /// Why it exists, for `--list`.
    pub(crate) why: &'static str,
    /// Run one after the other; the first that fails ends the step.
    pub(crate) commands: Vec<Action>,
    /// What it needs beyond cargo.
    pub(crate) needs: Vec<Tool>,
    /// Its commands run tests: at least one must have run, and none may be ignored.
    pub(crate) runs_tests: bool,
}

impl Step {
    /// A step whose exit code says everything.
    pub(crate) fn check(
        name: &'static str,
        why: &'static str,
        commands: impl IntoIterator<Item = Action>,
    ) -> Self {
        Self {
            name,
            why,
            commands: commands.into_iter().collect(),
            needs: Vec::new(),
            runs_tests: false,
        }
    }

    /// A step that runs tests: that none failed is not enough, some must have run.
    ///
    /// A filter that matches nothing exits with 0, and would be green for ever.
    pub(crate) fn tests(
        name: &'static str,
        why: &'static str,
        commands: impl IntoIterator<Item = Action>,
    ) -> Self {
        Self {
            runs_tests: true,
            ..Self::check(name, why, commands)
        }
    }

    /// Adds a tool that has to be there first.
    pub(crate) fn needs(mut self, tool: Tool) -> Self {
        self.needs.push(tool);
        self
    }
}

/// One command of a step, run in the root of the repository.
#[derive(Clone)]
pub(crate) struct Action {
    words: Vec<String>,
    variables: Vec<(&'static str, String)>,
}

/// `cargo` with these words; the same cargo that runs this program.
pub(crate) fn cargo(words: &str) -> Action {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    Action::new(cargo, words)
}

/// The nightly `cargo` with these words. No date and no number: the one that is installed.
pub(crate) fn nightly_cargo(words: &str) -> Action {
    Action::new("rustup".to_owned(), &format!("run nightly cargo {words}"))
}

/// Another program with these words.
pub(crate) fn program(name: &str, words: &str) -> Action {
    Action::new(name.to_owned(), words)
}

impl Action {
    fn new(program: String, words: &str) -> Self {
        let words = std::iter::once(program)
            .chain(words.split_whitespace().map(str::to_owned))
            .collect();
        Self {
            words,
            variables: Vec::new(),
        }
    }

    /// Sets an environment variable.
    pub(crate) fn set(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
    }

    /// Builds in a directory of its own, where other flags would rebuild everything each time.
    pub(crate) fn target(self, name: &str) -> Self {
        let directory = target_directory().join(name).display().to_string();
        self.set("CARGO_TARGET_DIR", &directory)
    }

    /// What a person would type.
    pub(crate) fn as_typed(&self) -> String {
        let variables = self
            .variables
            .iter()
            .map(|(name, value)| format!("{name}='{value}' "));
        let program = Path::new(&self.words[0]).file_name().map_or_else(
            || self.words[0].clone(),
            |name| name.to_string_lossy().into_owned(),
        );
        let words = std::iter::once(program).chain(self.words[1..].iter().cloned());
        variables.collect::<String>() + &words.collect::<Vec<_>>().join(" ")
    }

    /// The command, ready to start.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).current_dir(root());
        // What the cargo that started us says about *this* package is no business of the next one.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text == "CARGO"
                || text.starts_with("CARGO_PKG_")
                || text.starts_with("CARGO_MANIFEST_")
            {
                command.env_remove(&name);
            }
        }
        // A recording that the caller asked for would change what the tests see.
        command.env_remove("REFLOW_TRACE");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own)
}

/// Where cargo builds.
pub(crate) fn target_directory() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root().join("target"), |path| root().join(path))
}
