//! Activation from outside, without touching the program.
//!
//! The variables are in the table at [`TracingConfig`]. What is wrong in one of them is said on stderr,
//! once: a program that would run without them runs. One that is empty, as scripts and containers make them of a
//! value that they have not, is not set; `off` says off.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Once;

use super::server::without_secrets;
use super::{CURRENT, ContentLimits, InitError, OFF, STATE, TracingConfig, UNDECIDED, builder};

/// The variable that switches recording on from outside.
pub const ENVIRONMENT_VARIABLE: &str = "REFLOW_TRACE";

/// The variable that takes away from the content of messages that is captured.
pub const CONTENT_VARIABLE: &str = "REFLOW_TRACE_CONTENT";

/// The value of a variable; `None` where it is not set, or empty.
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| is_set(value))
}

fn is_set(value: &OsStr) -> bool {
    value.to_str().is_none_or(|text| !text.trim().is_empty())
}

/// What the variable asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// Not set: the program decides.
    None,
    /// No recording, whatever the program says.
    Off,
    /// Events to a file.
    File(PathBuf),
    /// Events to a server.
    Server(String),
}

/// The variable `REFLOW_TRACE` makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "REFLOW_TRACE={0:?} is not understood: write `file:PATH`, `ws://HOST:PORT` or `off`; tracing is off"
)]
pub struct InvalidEnvironment(String);

/// Reads the variable.
pub(super) fn wish() -> Result<Wish, InvalidEnvironment> {
    match variable(ENVIRONMENT_VARIABLE) {
        None => Ok(Wish::None),
        Some(value) => match value.to_str() {
            Some(value) => parse(value),
            None => Err(InvalidEnvironment(without_secrets(
                &value.to_string_lossy(),
            ))),
        },
    }
}

fn parse(value: &str) -> Result<Wish, InvalidEnvironment> {
    match value.trim() {
        "off" | "0" | "false" => Ok(Wish::Off),
        text => match text.split_once(':') {
            Some(("file", path)) if !path.is_empty() => Ok(Wish::File(path.into())),
            // Whether the rest is right is seen where it is used, and said better there.
            Some(("ws" | "wss", rest)) if rest.starts_with("//") => {
                Ok(Wish::Server(text.to_owned()))
            }
            _ => Err(InvalidEnvironment(without_secrets(text))),
        },
    }
}

/// One of the variables about the server makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable} is not understood: write {wanted}; no events go to a server")]
pub(super) struct InvalidServerVariable {
    variable: &'static str,
    wanted: &'static str,
}

/// Takes what the variables say of the server into the configuration.
pub(super) fn heed_server_variables(
    config: &mut TracingConfig,
) -> Result<(), InvalidServerVariable> {
    heed_server(config, |variable| std::env::var_os(variable))
}

fn heed_server(
    config: &mut TracingConfig,
    read: impl Fn(&str) -> Option<OsString>,
) -> Result<(), InvalidServerVariable> {
    let read = |variable: &str| read(variable).filter(|value| is_set(value));
    let text = |variable: &'static str, wanted: &'static str| {
        read(variable)
            .map(|value| {
                let value = value.into_string();
                value.map_err(|_| InvalidServerVariable { variable, wanted })
            })
            .transpose()
    };
    let bytes = |variable: &'static str| {
        let wanted = "a number of bytes such as `1000000` or `16MiB`";
        text(variable, wanted)?
            .map(|value| parse_bytes(&value).ok_or(InvalidServerVariable { variable, wanted }))
            .transpose()
    };
    let options = &mut config.server;
    if let Some(token) = text("REFLOW_TRACE_TOKEN", "visible ASCII characters")? {
        options.token = Some(super::ServerToken::new(token.trim()));
    }
    if let Some(path) = read("REFLOW_TRACE_CA_FILE") {
        options.ca_file = Some(path.into());
    }
    if let Some(path) = read("REFLOW_TRACE_SPOOL") {
        options.spool = (path != "off").then(|| path.into());
    }
    if let Some(bytes) = bytes("REFLOW_TRACE_SPOOL_BYTES")? {
        options.spool_bytes_max = bytes;
    }
    if let Some(bytes) = bytes("REFLOW_TRACE_WINDOW_BYTES")? {
        options.window_bytes_max = usize::try_from(bytes).unwrap_or(usize::MAX);
    }
    let (variable, wanted) = ("REFLOW_TRACE_COMPRESSION", "`on` or `off`");
    match text(variable, wanted)?.as_deref().map(str::trim) {
        None => {}
        Some("on" | "1" | "true") => config.enable_compression = true,
        Some("off" | "0" | "false") => config.enable_compression = false,
        Some(_) => return Err(InvalidServerVariable { variable, wanted }),
    }
    Ok(())
}

/// `1000`, `64KiB`, `16MiB`, `2GiB`.
fn parse_bytes(value: &str) -> Option<u64> {
    let value = value.trim();
    let digits = value.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let unit = match value[digits.len()..].trim() {
        "" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

/// The variable `REFLOW_TRACE_CONTENT` makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "REFLOW_TRACE_CONTENT={0:?} is not understood: write `off`, or a list such as `256,-Login` of a number of bytes \
     and of types; no content is captured"
)]
pub(super) struct InvalidContent(String);

/// What is asked for to be left out of captured content.
pub(super) fn content_limits() -> Result<ContentLimits, InvalidContent> {
    match variable(CONTENT_VARIABLE) {
        None => Ok(ContentLimits::default()),
        Some(value) => match value.to_str() {
            Some(value) => parse_content(value),
            None => Err(InvalidContent(shortened(&value.to_string_lossy()))),
        },
    }
}

fn parse_content(value: &str) -> Result<ContentLimits, InvalidContent> {
    if matches!(value.trim(), "off" | "0" | "false") {
        return Ok(ContentLimits::off());
    }
    let mut limits = ContentLimits::default();
    for wish in value.split(',').map(str::trim) {
        match (wish.strip_prefix('-'), wish.parse::<usize>()) {
            (Some(name), _) if !name.is_empty() => limits.never_types.push(name.to_owned()),
            (None, Ok(bytes)) if bytes > 0 => limits.bytes_max = limits.bytes_max.min(bytes),
            _ => return Err(InvalidContent(shortened(value))),
        }
    }
    Ok(limits)
}

/// Says, once in a process, why there is no recording.
///
/// The only line that tracing ever writes by itself: the user asked for something from outside and
/// has no other way to learn that it does not happen.
pub(super) fn complain(error: &dyn std::error::Error) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Unlike `eprintln!` this does not panic when nobody reads.
        let _unread = writeln!(std::io::stderr(), "reflow-trace: {error}");
    });
}

fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

/// Decides, once, what nobody has decided: without a wish recording is off.
pub(super) fn decide() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let wish = wish();
        let started = match &wish {
            Ok(Wish::File(_) | Wish::Server(_)) => {
                builder().config(TracingConfig::default()).start_unguarded()
            }
            Ok(Wish::None | Wish::Off) => Err(None),
            Err(error) => Err(Some(InitError::Environment(error.clone()))),
        };
        if let Err(error) = started {
            match error {
                // `init` on another thread was faster and has taken the wish over.
                None | Some(InitError::AlreadyRunning) => {}
                Some(error) => complain(&error),
            }
            let nobody_else_has = CURRENT
                .lock()
                .map(|current| current.is_none())
                .unwrap_or(true);
            if nobody_else_has {
                let _lost_to_init = STATE.compare_exchange(
                    UNDECIDED,
                    OFF,
                    std::sync::atomic::Ordering::AcqRel,
                    std::sync::atomic::Ordering::Acquire,
                );
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_without_the_secrets_of_an_address() {
        for wrong in [
            "https://user:hunter2@trace.example.org",
            "http://trace.example.org/?token=hunter2",
            "user:hunter2@trace.example.org",
        ] {
            let error = parse(wrong).expect_err(wrong).to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn the_accepted_forms() {
        assert_eq!(
            parse("file:flow.jsonl"),
            Ok(Wish::File("flow.jsonl".into()))
        );
        assert_eq!(
            parse("file:C:\\flow.jsonl"),
            Ok(Wish::File("C:\\flow.jsonl".into()))
        );
        for server in ["ws://localhost:8080", "wss://trace.example.org"] {
            assert_eq!(parse(server), Ok(Wish::Server(server.to_owned())));
        }
        for off in ["off", " off ", "0", "false"] {
            assert_eq!(parse(off), Ok(Wish::Off));
        }
    }

    #[test]
    fn the_variables_about_the_server_go_where_the_table_says() {
        let mut config = TracingConfig::default();
        let set = |variable: &str| {
            let value = match variable {
                "REFLOW_TRACE_TOKEN" => " secret ",
                "REFLOW_TRACE_CA_FILE" => "ca.pem",
                "REFLOW_TRACE_SPOOL" => "/var/spool/x",
                "REFLOW_TRACE_SPOOL_BYTES" => "500MiB",
                "REFLOW_TRACE_WINDOW_BYTES" => "2000000",
                "REFLOW_TRACE_COMPRESSION" => "off",
                other => panic!("{other} is in no table"),
            };
            Some(value.into())
        };
        heed_server(&mut config, set).expect("all of it makes sense");
        let server = &config.server;
        assert_eq!(server.token, Some(super::super::ServerToken::new("secret")));
        assert_eq!(server.ca_file, Some("ca.pem".into()));
        assert_eq!(server.spool, Some("/var/spool/x".into()));
        assert_eq!(server.spool_bytes_max, 500 << 20);
        assert_eq!(server.window_bytes_max, 2_000_000);
        assert!(!config.enable_compression);

        let unset = |variable: &str| (variable == "REFLOW_TRACE_SPOOL").then(|| "off".into());
        heed_server(&mut config, unset).expect("makes sense");
        assert_eq!(config.server.spool, None);
    }

    #[test]
    fn a_variable_that_is_empty_is_not_set() {
        for empty in ["", " ", "\t\n"] {
            assert!(!is_set(OsStr::new(empty)), "{empty:?}");
            let mut config = TracingConfig::default();
            config.server.token = Some(super::super::ServerToken::new("of the program"));
            config.server.ca_file = Some("ca.pem".into());
            config.server.spool = Some("/var/spool/x".into());
            let before = config.clone();
            heed_server(&mut config, |_| Some(empty.into())).expect("nothing is said");
            assert_eq!(config.server, before.server, "{empty:?}");
            assert_eq!(config.enable_compression, before.enable_compression);
        }
        assert!(is_set(OsStr::new("off")));
    }

    #[test]
    fn what_is_wrong_about_the_server_is_named_without_its_value() {
        for (variable, value) in [
            ("REFLOW_TRACE_SPOOL_BYTES", "much"),
            ("REFLOW_TRACE_SPOOL_BYTES", "-1"),
            ("REFLOW_TRACE_WINDOW_BYTES", "16MB"),
            ("REFLOW_TRACE_WINDOW_BYTES", "99999999999999999999"),
            ("REFLOW_TRACE_WINDOW_BYTES", "99999999999999GiB"),
            ("REFLOW_TRACE_COMPRESSION", "zstd"),
        ] {
            let set = |asked: &str| (asked == variable).then(|| value.into());
            let error = heed_server(&mut TracingConfig::default(), set).expect_err(value);
            let error = error.to_string();
            assert!(
                error.contains(variable) && error.contains("write"),
                "{error}"
            );
        }
    }

    #[test]
    fn anything_else_names_the_accepted_forms() {
        for wrong in [
            "on",
            "1",
            "file:",
            "file",
            "flow.jsonl",
            "http://x",
            &"x".repeat(1000),
        ] {
            let error = parse(wrong).expect_err(wrong).to_string();
            assert!(
                error.contains("`file:PATH`")
                    && error.contains("`ws://")
                    && error.contains("`off`"),
                "{error}"
            );
            assert!(error.len() < 250 && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn the_accepted_forms_for_content() {
        for off in ["off", " off ", "0", "false"] {
            assert_eq!(parse_content(off), Ok(ContentLimits::off()), "{off}");
        }
        assert_eq!(
            parse_content("-Login, 256,-Token"),
            Ok(ContentLimits {
                bytes_max: 256,
                never_types: vec!["Login".into(), "Token".into()],
                ..ContentLimits::default()
            })
        );
        for wrong in ["on", "-", "Login", "1,", "-1,x", "256 bytes"] {
            let error = parse_content(wrong).expect_err(wrong).to_string();
            assert!(error.contains("`off`"), "{error}");
        }
    }
}
