//! `reflow-trace sql`: statements that read.

use std::io::{IsTerminal as _, Read as _};
use std::path::Path;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use reflow_trace::api::{SqlAnswer, SqlQuestion};
use reflow_trace::terminal::{Column, Table, harmless};
use serde_json::{Map, Value};

use super::asker::{self, Asker};
use super::failure::Failure;
use super::screen::{Screen, remark};
use super::{json_flag, show};

const EXAMPLES: &str = "\
Examples:
  reflow-trace sql \"SELECT source_actor, COUNT(*) FROM data_flow_events GROUP BY 1\"
  reflow-trace sql \"SELECT * FROM edge_counters\" --csv > edges.csv
  reflow-trace sql --file report.sql --json | jq .
  echo \"SELECT AVG(execution_time_ns) FROM data_flow_events\" | reflow-trace sql

The views are data_flow_events (one row a stored event, with the weight of its sample) and edge_counters (the
exact numbers of all messages). Nothing can be written.

--json prints one object a line, the columns by name; where two columns have one name, the later has its place
behind it (`name:2`). --csv is RFC 4180 with a head.

Exit codes: 0 answered, 2 wrong flags, 4 no store, 6 no server, 7 a wrong statement, or it was refused, 8 the file
cannot be read.";

/// More than any server takes.
const STATEMENT_BYTES_MAX: u64 = 1 << 20;

pub(super) fn command() -> Command {
    Command::new("sql")
        .about("Asks in SQL")
        .after_help(EXAMPLES)
        .arg(
            Arg::new("statement")
                .value_name("SELECT …")
                .conflicts_with("file")
                .help("The statement, in quotes; from standard input when it is left out"),
        )
        .arg(
            Arg::new("file")
                .long("file")
                .short('f')
                .value_name("FILE")
                .help("A file with the statement"),
        )
        .arg(
            Arg::new("limit")
                .long("limit")
                .value_name("COUNT")
                .value_parser(value_parser!(u64).range(1..))
                .help("At most so many rows; what the server allows unless said otherwise"),
        )
        .arg(
            Arg::new("csv")
                .long("csv")
                .action(ArgAction::SetTrue)
                .conflicts_with("json")
                .help("Comma-separated values with a head"),
        )
        .arg(
            Arg::new("explain")
                .long("explain")
                .action(ArgAction::SetTrue)
                .help("Say on standard error what answering has cost"),
        )
        .arg(json_flag("One object a line, the columns by name"))
        .args(asker::flags())
}

pub(super) async fn run(matches: &ArgMatches, screen: &mut Screen) -> Result<(), Failure> {
    let statement = statement(matches)?;
    let limit = matches.get_one::<u64>("limit");
    let limit = limit.map(|&limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let asker = Asker::open(matches).await?;
    let asked = SqlQuestion {
        statement: statement.clone(),
        limit,
    };
    let answer = asker.sql(asked).await;
    let answer = answer.map_err(|why| why.in_texts(&[("statement", &statement)]))?;
    if matches.get_flag("json") {
        let names = distinct_names(&answer);
        for row in &answer.rows {
            let pairs = names.iter().cloned().zip(row.iter().cloned());
            screen.json(&pairs.collect::<Map<_, _>>())?;
        }
    } else if matches.get_flag("csv") {
        screen.text(&csv(&answer, screen.is_terminal()))?;
    } else if !answer.columns.is_empty() {
        screen.table(&table(&answer))?;
    }
    screen.flush()?;
    if answer.is_cut {
        remark("there are more rows than are shown: say --limit, or ask for fewer");
    }
    if matches.get_flag("explain") {
        remark(&show::work(&answer.work));
    }
    Ok(())
}

fn statement(matches: &ArgMatches) -> Result<String, Failure> {
    let text = |name: &str| matches.get_one::<String>(name);
    if let Some(statement) = text("statement") {
        return Ok(statement.clone());
    }
    let (path, read) = match text("file") {
        Some(file) => {
            let path = Path::new(file);
            (path, std::fs::File::open(path).and_then(read))
        }
        None if std::io::stdin().is_terminal() => {
            return Err(Failure::Usage(
                "there is no statement: write it in quotes, name a `--file`, or pipe it in"
                    .to_owned(),
            ));
        }
        None => (Path::new("standard input"), read(std::io::stdin())),
    };
    read.map_err(|error| Failure::file("read", path, error))
}

fn read(from: impl std::io::Read) -> std::io::Result<String> {
    let mut statement = String::new();
    from.take(STATEMENT_BYTES_MAX)
        .read_to_string(&mut statement)?;
    Ok(statement)
}

fn table(answer: &SqlAnswer) -> Table {
    let columns = answer.columns.iter().enumerate().map(|(at, column)| {
        // Whatever SQL calls its numbers: what is printed decides.
        let mut cells = answer.rows.iter().filter_map(|row| row.get(at));
        let is_number = cells.all(|cell| cell.is_number() || cell.is_null());
        match is_number && !answer.rows.is_empty() {
            true => Column::number(&column.name),
            false => Column::text(&column.name),
        }
    });
    let mut table = Table::new(columns);
    for row in &answer.rows {
        table.push(row.iter().map(|cell| match cell {
            Value::Null => "–".to_owned(),
            cell => plain(cell),
        }));
    }
    table
}

/// A text without its quotes, anything else as JSON; null is nothing.
fn plain(cell: &Value) -> String {
    match cell {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// To a file as it is; on a terminal nothing of it has a say.
fn csv(answer: &SqlAnswer, is_terminal: bool) -> String {
    let line = |cells: &mut dyn Iterator<Item = String>| {
        let shown = cells.map(|cell| match is_terminal && !cell.is_empty() {
            true => harmless(&cell),
            false => cell,
        });
        let quoted: Vec<String> = shown.map(|cell| csv_cell(&cell)).collect();
        quoted.join(",") + "\r\n"
    };
    let mut text = line(&mut answer.columns.iter().map(|column| column.name.clone()));
    for row in &answer.rows {
        text += &line(&mut row.iter().map(plain));
    }
    text
}

fn csv_cell(cell: &str) -> String {
    if cell.contains(['"', ',', '\r', '\n']) {
        return format!("\"{}\"", cell.replace('"', "\"\""));
    }
    cell.to_owned()
}

/// A JSON object has no two members of one name.
fn distinct_names(answer: &SqlAnswer) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(answer.columns.len());
    for (at, column) in answer.columns.iter().enumerate() {
        let mut name = column.name.clone();
        while names.contains(&name) {
            name = format!("{}:{}", column.name, at + 1);
            if names.contains(&name) {
                name += "'";
            }
        }
        names.push(name);
    }
    names
}

#[cfg(test)]
mod tests {
    use reflow_trace::api::SqlColumn;
    use serde_json::json;

    use super::*;

    fn answer(names: &[&str], rows: Value) -> SqlAnswer {
        let column = |name: &&str| SqlColumn {
            name: (*name).to_owned(),
            kind: "Utf8".to_owned(),
        };
        SqlAnswer {
            columns: names.iter().map(column).collect(),
            rows: serde_json::from_value(rows).expect("rows"),
            ..SqlAnswer::default()
        }
    }

    #[test]
    fn numbers_stand_at_the_right_and_null_is_not_an_empty_text() {
        let answer = answer(&["actor", "count"], json!([["reader", 12], ["", null]]));
        assert_eq!(
            table(&answer).to_string(),
            "actor   count\nreader     12\n            –\n"
        );
    }

    #[test]
    fn csv_quotes_what_has_to_be_quoted() {
        let answer = answer(&["a", "b,c"], json!([["x\"y", null], ["line\nend", true]]));
        assert_eq!(
            csv(&answer, false),
            "a,\"b,c\"\r\n\"x\"\"y\",\r\n\"line\nend\",true\r\n"
        );
    }

    #[test]
    fn no_column_is_lost_because_another_has_its_name() {
        let answer = answer(&["a", "a", "a:2", "a"], json!([]));
        let names = distinct_names(&answer);
        let distinct: std::collections::HashSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), 4, "{names:?}");
        assert_eq!(names[..2], ["a", "a:2"]);
    }
}
