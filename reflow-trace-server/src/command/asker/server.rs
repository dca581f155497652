//! A running server, asked over its WebSocket.

use std::path::{Path, PathBuf};

use clap::ArgMatches;
use reflow_trace::api::{Answer, Question};
use reflow_trace::protocol::SubscriptionRequest;
use reflow_trace::{ServerOptions, ServerToken, TraceEvent};

use super::Unanswered;
use crate::command::failure::Failure;

/// Where `serve` listens unless it is told otherwise.
pub(super) const DEFAULT_URL: &str = "ws://127.0.0.1:8080";
pub(super) const URL_VARIABLE: &str = "REFLOW_TRACE_SERVER_URL";
pub(super) const TOKEN_VARIABLE: &str = "REFLOW_TRACE_TOKEN";
pub(super) const CA_VARIABLE: &str = "REFLOW_TRACE_CA_FILE";

/// Where a server is, and how it knows us.
pub(in crate::command) struct Address {
    url: String,
    options: ServerOptions,
    /// Nobody has named it.
    is_default: bool,
}

impl Address {
    /// What flags and environment say.
    pub(in crate::command) fn of(matches: &ArgMatches) -> Result<Self, Failure> {
        let flag = |name: &str| matches.get_one::<String>(name).cloned();
        let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
        let named = flag("server").or_else(|| variable(URL_VARIABLE));
        let token = match flag("token-file") {
            Some(file) => Some(token_in(Path::new(&file))?),
            None => variable(TOKEN_VARIABLE).map(|token| token.trim().to_owned()),
        };
        let authorities = flag("ca-file").or_else(|| variable(CA_VARIABLE));
        Ok(Self {
            is_default: named.is_none(),
            url: named.map_or_else(|| DEFAULT_URL.to_owned(), |url| as_socket(&url)),
            options: ServerOptions {
                token: token.map(ServerToken::new),
                ca_file: authorities.map(PathBuf::from),
                ..ServerOptions::default()
            },
        })
    }

    pub(in crate::command) fn url(&self) -> &str {
        &self.url
    }

    pub(in crate::command) fn options(&self) -> &ServerOptions {
        &self.options
    }

    /// Nobody answers there: what to do about it.
    pub(in crate::command) fn unreachable(&self, why: &str) -> Failure {
        let advice = if self.is_default {
            "is a server running? `reflow-trace serve` starts one; `--server URL` names another, and `--data DIR` reads the directory of one that is not running"
        } else {
            "is the server running, and is this its address?"
        };
        Failure::Unreachable(format!("{why}\n{advice}"))
    }
}

/// People copy what `serve` prints, which is the address for a browser.
fn as_socket(url: &str) -> String {
    for (http, ws) in [("http://", "ws://"), ("https://", "wss://")] {
        if let Some(rest) = url.strip_prefix(http) {
            return format!("{ws}{rest}");
        }
    }
    url.to_owned()
}

fn token_in(file: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::file("read", file, error))?;
    let token = text.trim();
    if token.is_empty() {
        return Err(Failure::content(file, " holds no token"));
    }
    Ok(token.to_owned())
}

/// A server that answers.
pub(in crate::command) struct ServerAsker {}

/// What is seen of what happens.
pub(in crate::command) enum Seen {
    /// From this place in the log on it is live.
    Live { offset: u64 },
    /// Events of one batch.
    Events {
        offset: u64,
        events: Vec<TraceEvent>,
    },
    /// Of these places, the last not included, something is left out.
    Gap { from_offset: u64, to_offset: u64 },
}

/// What happens, as it is stored.
pub(in crate::command) struct Live {}

impl ServerAsker {
    pub(in crate::command) async fn connect(address: &Address) -> Result<Self, Failure> {
        Err(address.unreachable("the client is on its way"))
    }

    pub(super) async fn ask(&self, _question: Question) -> Result<Answer, Unanswered> {
        Err(Unanswered::Failed(Failure::Unreachable(
            "the client is on its way".to_owned(),
        )))
    }

    pub(in crate::command) async fn subscribe(
        self,
        _filters: SubscriptionRequest,
        _from_offset: Option<u64>,
    ) -> Result<Live, Failure> {
        Err(Failure::Unreachable("the client is on its way".to_owned()))
    }
}

impl Live {
    pub(in crate::command) async fn next(&mut self) -> Result<Seen, Failure> {
        Err(Failure::Unreachable("the client is on its way".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_that_serve_prints_is_understood() {
        assert_eq!(as_socket("http://127.0.0.1:8080"), "ws://127.0.0.1:8080");
        assert_eq!(as_socket("https://a.example"), "wss://a.example");
        assert_eq!(as_socket("ws://a"), "ws://a");
    }
}
