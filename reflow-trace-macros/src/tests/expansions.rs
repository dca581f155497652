//! `tests/expansions/*.rs` hold an annotated item each; `*.expanded.rs` beside them hold what becomes of it.
//!
//! `BLESS=1 cargo test -p reflow-trace-macros` writes the expected files anew. A person reads the difference.

use std::fs;
use std::path::{Path, PathBuf};

use super::expand;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expansions")
}

fn sources() -> Vec<PathBuf> {
    let files = fs::read_dir(folder()).expect("the folder of the expansions");
    let mut sources: Vec<PathBuf> = files
        .map(|file| file.expect("an entry of the folder").path())
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .filter(|path| !path.to_string_lossy().ends_with(".expanded.rs"))
        .collect();
    sources.sort();
    sources
}

#[test]
fn expansions_are_as_written_down() {
    let mut different = Vec::new();
    let sources = sources();
    assert!(
        sources.len() >= 10,
        "the folder of the expansions is nearly empty"
    );
    for path in sources {
        let source = fs::read_to_string(&path).expect("a readable source");
        let expanded = expand(&source, true);
        let file = syn::parse2::<syn::File>(expanded.clone())
            .unwrap_or_else(|error| panic!("{}: {error}\n{expanded}", path.display()));
        let found = prettyplease::unparse(&file);
        let expected_path = path.with_extension("expanded.rs");
        if std::env::var_os("BLESS").is_some() {
            fs::write(&expected_path, &found).expect("a writable folder");
        } else if fs::read_to_string(&expected_path).unwrap_or_default() != found {
            different.push(format!("{}:\n{found}", expected_path.display()));
        }
    }
    assert!(
        different.is_empty(),
        "BLESS=1 accepts:\n{}",
        different.join("\n")
    );
}

#[test]
fn without_recording_the_users_code_is_all_there_is() {
    for path in sources() {
        let source = fs::read_to_string(&path).expect("a readable source");
        if source.contains("#[sample") {
            continue;
        }
        let plain = expand(&source, false).to_string();
        assert!(
            !plain.contains("reflow_trace") && !plain.contains("trace ("),
            "{}: {plain}",
            path.display()
        );
        let words = |text: &str| {
            text.split_whitespace()
                .map(str::to_owned)
                .collect::<String>()
        };
        let bodies = |text: &str| words(text).matches("fn").count();
        assert_eq!(
            bodies(&plain),
            bodies(
                &source
                    .parse::<proc_macro2::TokenStream>()
                    .expect("tokens")
                    .to_string()
            )
        );
    }
}
