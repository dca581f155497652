//! Every statement that `docs/SQL.md` shows is one that runs.

use super::*;

const PAGE: &str = include_str!("../../../../../docs/SQL.md");

#[test]
fn every_statement_of_the_page_runs() {
    let view = holding(&flows(300, 0));
    let mut statements = Vec::new();
    for block in PAGE.split("```sql\n").skip(1) {
        let block = block.split("```").next().unwrap_or_default();
        statements.extend(
            block
                .split_inclusive(";\n")
                .map(str::trim)
                .filter(|text| !text.is_empty()),
        );
    }
    assert!(statements.len() >= 8, "{}", statements.len());
    for statement in statements {
        ask(&*view, statement);
    }
}

#[test]
fn the_page_names_every_column_function_and_limit() {
    let view = holding(&[]);
    for table in crate::answer::sql::table::NAMES {
        let columns = ask(&*view, &format!("SELECT * FROM {table}")).columns;
        for column in columns {
            let name = format!("`{}`", column.name);
            assert!(PAGE.contains(&name), "{table}.{name}");
        }
    }
    use crate::answer::sql::functions::{AGGREGATE, SCALAR, WINDOW};
    for name in SCALAR.iter().chain(AGGREGATE).chain(WINDOW) {
        assert!(PAGE.contains(&format!("`{name}`")), "{name}");
    }
}
