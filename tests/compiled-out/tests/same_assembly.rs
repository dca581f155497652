//! Without the feature `enable` an annotation costs nothing: not one instruction.
//!
//! The package `twins` is compiled plain and annotated, with everything else equal down to the
//! hashes in the symbol names, and the assembly is compared.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The functions that have to be found in the assembly, or the comparison would prove nothing.
const FUNCTIONS: [&str; 5] = ["send", "recv", "handle", "drive", "send_message"];

#[test]
fn an_annotated_connector_compiles_to_the_plain_one() {
    let plain = assembly("plain", "", &[]);
    let annotated = assembly("annotated", "annotated", &[]);
    for function in FUNCTIONS {
        assert!(
            plain.contains(function),
            "`{function}` is not in the assembly"
        );
    }
    assert!(
        plain == annotated,
        "compare `plain.s` and `annotated.s` in `{}`",
        directory().display()
    );
}

#[test]
fn a_sampled_message_type_changes_no_function_that_was_there_before() {
    let plain = functions(&assembly("plain", "", &[]));
    let sampled = functions(&assembly("sampled", "annotated,sampled", &[]));
    assert!(plain.len() >= FUNCTIONS.len(), "{:?}", plain.keys());
    for (symbol, instructions) in plain {
        assert_eq!(sampled.get(&symbol), Some(&instructions), "{symbol}");
    }
}

/// The comparison can fail: with `enable` there are more instructions.
#[test]
fn with_tracing_compiled_in_the_comparison_would_fail() {
    let plain = functions(&assembly("plain", "", &[]));
    let enabled = functions(&assembly(
        "enabled",
        "annotated",
        &["--features", "reflow-trace/enable"],
    ));
    let count =
        |functions: &BTreeMap<String, Vec<String>>| functions.values().map(Vec::len).sum::<usize>();
    assert!(
        count(&enabled) > count(&plain) + 20,
        "{} instructions with tracing, {} without",
        count(&enabled),
        count(&plain)
    );
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("assembly")
}

/// Compiles `twins` with the `cfg`s of `twin` and returns its assembly, which is kept as `name.s`.
fn assembly(name: &str, twin: &str, more: &[&str]) -> String {
    let directory = directory();
    std::fs::create_dir_all(&directory).expect("the directory can be made");
    // The twins share one target directory, so that their dependencies are built once.
    let turn = std::fs::File::create(directory.join("turn")).expect("the file can be made");
    turn.lock().expect("the file can be locked");

    let output = Command::new(env!("CARGO"))
        .args(["rustc", "--release", "--lib", "--package", "twins"])
        .args([
            "--manifest-path",
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        ])
        .args([
            "--message-format",
            "json-render-diagnostics",
            "--target-dir",
        ])
        .arg(&directory)
        .args(more)
        .args(["--", "--emit", "asm", "-C", "codegen-units=1"])
        .env("TWIN", twin)
        .output()
        .expect("cargo can be started");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");

    let messages = String::from_utf8_lossy(&output.stdout);
    let (_, hash) = messages
        .rsplit_once("libtwins-")
        .expect("cargo names the library it has built");
    let (hash, _) = hash.split_once('.').expect("the library's name ends");
    let built = directory.join(format!("release/deps/twins-{hash}.s"));
    let text = std::fs::read_to_string(built).expect("rustc was asked for assembly");
    std::fs::write(directory.join(name).with_extension("s"), &text).expect("can be written");
    text
}

/// The instructions of every function by its symbol. Local labels lose their numbers.
fn functions(assembly: &str) -> BTreeMap<String, Vec<String>> {
    let mut functions = BTreeMap::new();
    let mut current: Option<(String, Vec<String>)> = None;
    for line in assembly.lines() {
        if line.starts_with(".Lfunc_end") {
            functions.extend(current.take());
        } else if let Some(symbol) = line.strip_suffix(':').filter(|line| !line.starts_with('.')) {
            current = Some((symbol.to_owned(), Vec::new()));
        } else if let Some((_, instructions)) = &mut current {
            let line = line.trim();
            if !line.starts_with(['.', '#']) {
                instructions.push(without_label_numbers(line));
            }
        }
    }
    functions
}

fn without_label_numbers(instruction: &str) -> String {
    let is_in_word = |c: char| c.is_alphanumeric() || c == '.' || c == '_' || c == '$';
    let mut text = String::new();
    let mut rest = instruction;
    while let Some(start) = rest.find(".L") {
        text += &rest[..start + 2];
        rest = rest[start + 2..].trim_start_matches(is_in_word);
    }
    text + rest
}
