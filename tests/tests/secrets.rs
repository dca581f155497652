//! No output of a traced program shows what its messages keep to themselves.

use std::path::Path;
use std::process::Command;

use reflow_trace::{CONTENT_VARIABLE, ENVIRONMENT_VARIABLE};

const SECRET: &str = "correct-horse-battery";
const KEY: &str = "a key of more than sixteen bytes";

/// Everything that the program puts out, by where it is found.
fn outputs(test: &str, content: Option<&str>) -> [(&'static str, String); 3] {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("secrets");
    std::fs::create_dir_all(&directory).expect("the directory of tests is writable");
    let file = directory.join(format!("{test}.jsonl"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_secretive"));
    command
        .arg(&file)
        .envs([("SECRET", SECRET), ("KEY", KEY)])
        .env_remove(ENVIRONMENT_VARIABLE)
        .env_remove(CONTENT_VARIABLE);
    if let Some(content) = content {
        command.env(CONTENT_VARIABLE, content);
    }
    let output = command
        .output()
        .expect("the program was built with this test");
    assert!(output.status.success(), "{output:?}");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("all of it is text");
    [
        ("stdout", text(output.stdout)),
        ("stderr", text(output.stderr)),
        ("file", text(std::fs::read(&file).expect("it was written"))),
    ]
}

/// The forms in which bytes come out: as they are, and as JSON and `Debug` write numbers.
fn forms(text: &str) -> Vec<String> {
    let joined = |between: &str| {
        let numbers: Vec<String> = text.bytes().map(|byte| byte.to_string()).collect();
        numbers.join(between)
    };
    let hexadecimal: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let spread: String = joined(",\n").replace('\n', "");
    vec![
        text.to_owned(),
        text.to_uppercase(),
        text.chars().rev().collect(),
        joined(","),
        joined(", "),
        spread,
        hexadecimal,
    ]
}

/// Without the white space with which `{:#?}` spreads numbers over lines.
fn shows(output: &str, text: &str) -> bool {
    let dense: String = output.split_whitespace().collect();
    forms(text)
        .iter()
        .any(|form| output.contains(form.as_str()) || dense.contains(form.as_str()))
}

#[test]
fn a_redacted_secret_is_in_no_output() {
    for (place, output) in outputs("secret", None) {
        assert!(
            !shows(&output, SECRET),
            "the secret is in {place}: {output}"
        );
        assert!(!shows(&output, KEY), "the key is in {place}: {output}");
    }
}

#[test]
fn what_is_not_redacted_is_found_by_the_same_search() {
    let [(_, stdout), (_, stderr), (_, file)] = outputs("shown", None);
    let shown = r#"{"user":"ada","passWord":"[redacted]","token":"[redacted]","hops":1}"#;
    assert!(shows(&stdout, shown), "{stdout}");
    assert!(shows(&file, shown), "{file}");
    assert_eq!(stderr, "");
    // A search that finds nothing would find no secret either.
    for word in [
        "hmac-sha256:",
        "serialize_failed",
        "Login",
        "content truncated 0, failed 4",
    ] {
        assert!(stdout.contains(word), "{word} is not in {stdout}");
    }
}

#[test]
fn content_is_switched_off_from_outside() {
    let [(_, stdout), (_, stderr), (_, file)] = outputs("off", Some("off"));
    for output in [&stdout, &file] {
        assert!(
            !output.contains("[redacted]") && !output.contains("sha256:"),
            "{output}"
        );
        // Nothing was asked to serialise itself, so that nothing failed.
        assert!(!output.contains("serialize_failed"), "{output}");
    }
    assert_eq!(stderr, "");
}

#[test]
fn one_type_is_left_out_from_outside() {
    let [(_, stdout), ..] = outputs("type", Some("-Login,-Failing"));
    assert!(!stdout.contains("serialize_failed"), "{stdout}");
    // Of the commands, which are captured still.
    assert!(stdout.contains("[redacted]"), "{stdout}");
}

#[test]
fn a_wish_that_is_not_understood_captures_nothing_and_says_so() {
    let [(_, stdout), (_, stderr), _] = outputs("wrong", Some("of"));
    assert!(!stdout.contains("[redacted]"), "{stdout}");
    assert!(
        stderr.contains("`off`") && stderr.lines().count() == 1,
        "{stderr}"
    );
}
