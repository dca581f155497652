//! What may stand on the command line.

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::config::{ENVIRONMENT_PREFIX, Kind, Setting, table};

const ABOUT: &str = "Stores what flowed between the actors of traced programs, durably and once, and answers \
    questions about it.";

const EXAMPLES: &str = "\
Examples:
  reflow-trace serve                          listen on 127.0.0.1:8080, store in ./reflow-trace-data
  REFLOW_TRACE=ws://localhost:8080 ./app      trace a program into it
  reflow-trace tail                           see what happens
  reflow-trace query --last 1h --type DataFlow
  reflow-trace lineage msg_12345              what led to a message, what it led to
  reflow-trace graph -o flow.svg              who sends what to whom
  reflow-trace doctor --data DIR              is all of it there and whole?

Everything but `serve`, `token` and `completions` asks the server on this machine, `--server URL`, or, with `--data DIR`, the
directory of one that is not running. `reflow-trace COMMAND --help` has examples and exit codes.";

const SERVE_EXAMPLES: &str = "\
Examples:
  reflow-trace serve --listen 127.0.0.1:0                any free port; the first line says which
  reflow-trace serve --config server.toml                settings from a file; flags still win
  reflow-trace serve --print-config > server.toml        a file with every setting, to be changed
  reflow-trace serve --listen 0.0.0.0:8443 --http-hosts trace.example.com \\
      --tls-certificate cert.pem --tls-key key.pem --auth-tokens-file tokens

A value comes from a flag, else from the environment (REFLOW_TRACE_SERVE_LISTEN for `listen`, and so on),
else from the file, else it is the default. SIGTERM or Ctrl-C ends the server in good order, a second one
at once.

Exit codes: 0 ended in order, 1 ended by the deadline, 2 wrong flags or configuration, 3 cannot listen,
4 cannot open the store, 130 second signal.";

const TOKEN_EXAMPLES: &str = "\
Examples:
  reflow-trace token new laptop                          for a program that sends batches
  reflow-trace token new prometheus --scopes query       for what reads /metrics

The token is shown once and stored nowhere. The line goes into the file of `auth.tokens_file`; it holds
only a hash, with which nobody can come in.";

/// The command line.
pub(super) fn command() -> Command {
    Command::new("reflow-trace")
        .version(env!("CARGO_PKG_VERSION"))
        .about(ABOUT)
        .after_help(EXAMPLES)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(serve())
        .subcommand(super::query::command())
        .subcommand(super::sql::command())
        .subcommand(super::lineage::command())
        .subcommand(super::graph::command())
        .subcommand(super::tail::command())
        .subcommand(super::stats::command())
        .subcommand(super::import::command())
        .subcommand(super::export::command())
        .subcommand(super::doctor::command())
        .subcommand(token())
        .subcommand(super::completions::command())
}

fn serve() -> Command {
    let config = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .help(format!(
            "A configuration file, TOML; also {ENVIRONMENT_PREFIX}CONFIG"
        ));
    let print = Arg::new("print-config")
        .long("print-config")
        .action(ArgAction::SetTrue)
        .help("Print the configuration that would be used, with the origin of each value, and end");
    Command::new("serve")
        .about("Runs the server")
        .after_help(SERVE_EXAMPLES)
        .args([config, print])
        .args(table().iter().map(flag))
}

fn token() -> Command {
    let name = Arg::new("name")
        .required(true)
        .value_name("NAME")
        .help("What the token is called in logs: letters, digits, `-`, `_`, `.`");
    let scopes = Arg::new("scopes")
        .long("scopes")
        .default_value("ingest")
        .value_name("SCOPE+SCOPE")
        .help("What it permits: ingest, query, subscribe, content, admin");
    Command::new("token")
        .about("Makes tokens")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("new")
                .about("Draws a token and prints it, with the line that the server needs")
                .after_help(TOKEN_EXAMPLES)
                .args([name, scopes]),
        )
}

fn flag(setting: &Setting) -> Arg {
    let heading = match setting.key.split_once('.') {
        Some((section, _)) => section,
        None => "Settings",
    };
    let default = setting.value(&crate::config::Config::default());
    let range = match &setting.kind {
        Kind::Text(_) | Kind::List(_) | Kind::OneOf(_) | Kind::Switch => setting.kind.to_string(),
        kind => format!("{kind}, default {default}"),
    };
    let argument = Arg::new(setting.key)
        .long(setting.flag())
        .help(format!("{} [{range}]", setting.what))
        .long_help(format!("{}\n{}\n[{range}]", setting.what, setting.why))
        .help_heading(heading);
    match setting.kind {
        Kind::Switch => argument
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_name("true|false"),
        Kind::List(_) => argument.action(ArgAction::Append).value_name("LIST"),
        Kind::Count(_) => argument.value_name("COUNT"),
        Kind::Bytes(_) => argument.value_name("SIZE"),
        Kind::Time(_) => argument.value_name("TIME"),
        Kind::Text(_) | Kind::OneOf(_) => argument.value_name("VALUE"),
    }
}

/// The settings among the flags, as keys and texts.
pub(super) fn settings(matches: &ArgMatches) -> Vec<(String, String)> {
    let given = table().iter().filter_map(|setting| {
        let values = matches.get_many::<String>(setting.key)?;
        let values: Vec<&str> = values.map(String::as_str).collect();
        Some((setting.key.to_owned(), values.join(",")))
    });
    given.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn flags_become_settings() {
        let line = [
            "reflow-trace",
            "serve",
            "--insecure-plain-http",
            "--insecure-allow-anyone=false",
            "--http-hosts",
            "a,b",
            "--http-hosts",
            "c",
            "--commit-group-wait",
            "5ms",
        ];
        let matches = command().try_get_matches_from(line).expect("is right");
        let (_, serve) = matches.subcommand().expect("serve");
        let mut given = settings(serve);
        given.sort();
        let expected = [
            ("commit.group_wait", "5ms"),
            ("http.hosts", "a,b,c"),
            ("insecure.allow_anyone", "false"),
            ("insecure.plain_http", "true"),
        ];
        assert_eq!(
            given,
            expected.map(|(key, value)| (key.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn the_help_names_every_setting_and_teaches_by_examples() {
        let help = command()
            .find_subcommand_mut("serve")
            .expect("serve")
            .render_long_help()
            .to_string();
        for setting in table() {
            assert!(
                help.contains(&format!("--{}", setting.flag())),
                "{}",
                setting.key
            );
            assert!(help.contains(setting.why), "{}", setting.key);
        }
        assert!(help.contains("Examples:") && help.contains("Exit codes:"));
    }
}
