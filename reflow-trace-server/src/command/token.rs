//! `reflow-trace token new`.

use std::io::Write as _;

use clap::ArgMatches;

use super::{Exit, complain};
use crate::http::token::{NewToken, Scopes};

/// Makes a token. The secret goes to standard output alone, so that it can be piped.
pub(super) fn run(matches: &ArgMatches) -> Exit {
    let Some(("new", matches)) = matches.subcommand() else {
        return Exit::Usage;
    };
    let text = |name: &str| matches.get_one::<String>(name).map_or("", String::as_str);
    let drawn =
        Scopes::parse(text("scopes")).and_then(|scopes| NewToken::draw(text("name"), scopes));
    match drawn {
        Ok(token) => {
            let explained = "the token, shown once, is on standard output; the server needs this line in the file of `auth.tokens_file`:";
            let shown = writeln!(std::io::stderr(), "{explained}\n{}", token.line)
                .and_then(|()| writeln!(std::io::stdout(), "{}", token.secret));
            match shown {
                Ok(()) => Exit::Done,
                // A token that nobody has seen is of no use.
                Err(_) => Exit::Cut,
            }
        }
        Err(mistake) => {
            complain(&mistake);
            Exit::Usage
        }
    }
}
