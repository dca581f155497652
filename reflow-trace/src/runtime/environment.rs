//! Activation from outside, without touching the program.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Once;

use super::{CURRENT, ContentLimits, InitError, OFF, STATE, TracingConfig, UNDECIDED, builder};

/// The variable that switches recording on from outside.
pub const ENVIRONMENT_VARIABLE: &str = "REFLOW_TRACE";

/// The variable that takes away from the content of messages that is captured.
pub const CONTENT_VARIABLE: &str = "REFLOW_TRACE_CONTENT";

/// What the variable asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// Not set: the program decides.
    None,
    /// No recording, whatever the program says.
    Off,
    /// Events to a file.
    File(PathBuf),
}

/// The variable `REFLOW_TRACE` makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("REFLOW_TRACE={0:?} is not understood: write `file:PATH`, or `off`; tracing is off")]
pub struct InvalidEnvironment(String);

/// Reads the variable.
pub(super) fn wish() -> Result<Wish, InvalidEnvironment> {
    match std::env::var_os(ENVIRONMENT_VARIABLE) {
        None => Ok(Wish::None),
        Some(value) => match value.to_str() {
            Some(value) => parse(value),
            None => Err(InvalidEnvironment(shortened(&value.to_string_lossy()))),
        },
    }
}

fn parse(value: &str) -> Result<Wish, InvalidEnvironment> {
    match value.trim() {
        "" | "off" | "0" | "false" => Ok(Wish::Off),
        text => match text.split_once(':') {
            Some(("file", path)) if !path.is_empty() => Ok(Wish::File(path.into())),
            _ => Err(InvalidEnvironment(shortened(text))),
        },
    }
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
    match std::env::var_os(CONTENT_VARIABLE) {
        None => Ok(ContentLimits::default()),
        Some(value) => match value.to_str() {
            Some(value) => parse_content(value),
            None => Err(InvalidContent(shortened(&value.to_string_lossy()))),
        },
    }
}

fn parse_content(value: &str) -> Result<ContentLimits, InvalidContent> {
    if matches!(value.trim(), "" | "off" | "0" | "false") {
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
            Ok(Wish::File(_)) => builder().config(TracingConfig::default()).start_unguarded(),
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
    fn the_accepted_forms() {
        assert_eq!(
            parse("file:flow.jsonl"),
            Ok(Wish::File("flow.jsonl".into()))
        );
        assert_eq!(
            parse("file:C:\\flow.jsonl"),
            Ok(Wish::File("C:\\flow.jsonl".into()))
        );
        for off in ["", "off", " off ", "0", "false"] {
            assert_eq!(parse(off), Ok(Wish::Off));
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
                error.contains("`file:PATH`") && error.contains("`off`"),
                "{error}"
            );
            assert!(error.len() < 250 && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn the_accepted_forms_for_content() {
        for off in ["", "off", " off ", "0", "false"] {
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
