//! Holds `docs/SERVER.md` against the code: tables that are made from the code, between two marks.
//!
//! With `REFLOW_TRACE_UPDATE_DOCS=1` the tables are written instead of compared.

use std::path::PathBuf;

fn is_up_to_date(name: &str, table: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/SERVER.md");
    let text = std::fs::read_to_string(&path).expect("docs/SERVER.md");
    let begin = format!("<!-- {name}: made from the code -->\n");
    let end = format!("<!-- end of {name} -->");
    let (before, rest) = text
        .split_once(&begin)
        .expect("the mark where the table begins");
    let (there, after) = rest.split_once(&end).expect("the mark where it ends");
    if std::env::var_os("REFLOW_TRACE_UPDATE_DOCS").is_some() {
        let text = format!("{before}{begin}{table}{end}{after}");
        std::fs::write(&path, text).expect("written");
    } else {
        assert!(
            there == table,
            "the table of {name} in docs/SERVER.md is not that of the code; \
             REFLOW_TRACE_UPDATE_DOCS=1 cargo test -p reflow-trace-server --lib documents -- --test-threads 1"
        );
    }
}

#[test]
fn the_settings_in_the_documentation_are_those_of_the_code() {
    is_up_to_date("settings", &crate::config::markdown());
}

#[test]
fn the_metrics_in_the_documentation_are_those_of_the_code() {
    is_up_to_date("metrics", &crate::observe::metrics::markdown());
}

#[test]
fn the_parameters_in_the_documentation_are_those_of_the_code() {
    is_up_to_date("parameters", &crate::http::api::markdown());
}
