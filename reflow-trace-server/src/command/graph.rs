//! `reflow-trace graph`: the network as a picture.

use std::io::Write as _;
use std::path::Path;

use clap::{Arg, ArgAction, ArgMatches, Command};
use reflow_trace::api::{GraphFormat, GraphQuestion};

use super::asker::{self, Asker};
use super::failure::Failure;
use super::file::NewFile;
use super::screen::{Screen, escaped, remark};
use super::{choice, show, times};

const EXAMPLES: &str = "\
Examples:
  reflow-trace graph -o flow.svg                        a picture; the format is that of the name
  reflow-trace graph --last 1h --format mermaid         for a document
  reflow-trace graph --actor reader --format dot | dot -Tpng > reader.png
  reflow-trace graph --format json | jq '.edges'        for programs

A stretch of time is widened to whole minutes, for which sums are kept.

Exit codes: 0 drawn, 2 wrong flags, 4 no store, 6 no server, 7 refused, 8 the file cannot be written.";

const FORMATS: [(&str, GraphFormat, &[&str]); 4] = [
    ("svg", GraphFormat::Svg, &["svg"]),
    ("dot", GraphFormat::Dot, &["dot", "gv"]),
    ("mermaid", GraphFormat::Mermaid, &["mermaid", "mmd"]),
    ("json", GraphFormat::Json, &["json"]),
];

pub(super) fn command() -> Command {
    Command::new("graph")
        .about("Draws who sends what to whom")
        .after_help(EXAMPLES)
        .arg(
            Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .value_parser(FORMATS.map(|(name, ..)| name))
                .help("svg, dot, mermaid or json; that of the file's name, else svg")
                .hide_possible_values(true),
        )
        .arg(
            Arg::new("output")
                .long("output")
                .short('o')
                .value_name("FILE")
                .help("Write to this file, which is replaced, instead of standard output"),
        )
        .arg(super::json_flag("The same as `--format json`").conflicts_with("format"))
        .arg(choice::actor().help("Only edges that begin or end at this actor"))
        .args(times::flags())
        .arg(
            Arg::new("explain")
                .long("explain")
                .action(ArgAction::SetTrue)
                .help("Say on standard error what answering has cost"),
        )
        .args(asker::flags())
}

pub(super) async fn run(matches: &ArgMatches, screen: &mut Screen) -> Result<(), Failure> {
    let output = matches.get_one::<String>("output").map(Path::new);
    let asked = GraphQuestion {
        time_range: times::span(matches)?,
        actor: matches.get_one::<String>("actor").cloned(),
        format: match matches.get_flag("json") {
            true => GraphFormat::Json,
            false => format(matches.get_one::<String>("format"), output)?,
        },
    };
    // What cannot be written is not worth asking for.
    let file = output.map(NewFile::create).transpose()?;
    let asker = Asker::open(matches).await?;
    let format = asked.format;
    let mut answer = asker.graph(asked).await?;
    if format == GraphFormat::Json {
        // The pictures show names made harmless; here they are as they are.
        answer.text = escaped(answer.text);
    }
    match (file, output) {
        (Some(mut file), Some(path)) => {
            file.write_all(answer.text.as_bytes())
                .map_err(|error| Failure::file("write", path, error))?;
            file.finish()?;
        }
        _ => {
            screen.text(&answer.text)?;
            if !answer.text.ends_with('\n') {
                screen.text("\n")?;
            }
        }
    }
    screen.flush()?;
    if matches.get_flag("explain") {
        remark(&show::work(&answer.work));
    }
    Ok(())
}

fn format(named: Option<&String>, output: Option<&Path>) -> Result<GraphFormat, Failure> {
    if let Some(named) = named {
        let known = FORMATS.iter().find(|(name, ..)| name == named);
        return Ok(known.map_or(GraphFormat::Svg, |&(_, format, _)| format));
    }
    let Some(path) = output else {
        return Ok(GraphFormat::Svg);
    };
    let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
    let ending = ending.to_string_lossy();
    let known = FORMATS
        .iter()
        .find(|(.., endings)| endings.contains(&&*ending));
    known.map(|&(_, format, _)| format).ok_or_else(|| {
        Failure::Usage(format!(
            "`{}` does not say which format is wanted: end it in `.svg`, `.dot`, `.gv`, `.mmd`, `.mermaid` or `.json`, or say `--format`",
            path.display()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_that_of_the_name_unless_it_is_said() {
        for (named, output, expected) in [
            (None, None, Some(GraphFormat::Svg)),
            (None, Some("x.DOT"), Some(GraphFormat::Dot)),
            (None, Some("x.mmd"), Some(GraphFormat::Mermaid)),
            (Some("json"), Some("x.svg"), Some(GraphFormat::Json)),
            (None, Some("x.png"), None),
            (None, Some("svg"), None),
        ] {
            let named = named.map(str::to_owned);
            let found = format(named.as_ref(), output.map(Path::new));
            assert_eq!(found.ok(), expected, "{named:?} {output:?}");
        }
    }
}
