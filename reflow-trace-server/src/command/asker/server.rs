//! A running server, asked over its WebSocket.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ArgMatches;
use reflow_trace::api::{Answer, Question};
use reflow_trace::client::ask::Seen;
use reflow_trace::client::{AskError, Subscription, TracingClient};
use reflow_trace::protocol::SubscriptionRequest;
use reflow_trace::{ServerOptions, ServerToken};

use super::Unanswered;
use crate::command::failure::Failure;

/// Where `serve` listens unless it is told otherwise.
pub(super) const DEFAULT_URL: &str = "ws://127.0.0.1:8080";
pub(super) const URL_VARIABLE: &str = "REFLOW_TRACE_SERVER_URL";
pub(super) const TOKEN_VARIABLE: &str = "REFLOW_TRACE_TOKEN";
pub(super) const CA_VARIABLE: &str = "REFLOW_TRACE_CA_FILE";

/// How long a server may take is its own setting (`query.timeout`, at most an hour); this is for one that has
/// forgotten us.
const TIMEOUT: Duration = Duration::from_secs(3_700);

/// Where a server is, and how it knows us.
#[derive(Clone)]
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
                token_in_clear: matches.get_flag("token-in-clear"),
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
            "\n`--server URL` names another server, `--data DIR` the directory of one that is not running"
        } else {
            ""
        };
        Failure::Unreachable(format!("{why}{advice}"))
    }

    /// Somebody is there and does not let us in: what to do about it.
    pub(in crate::command) fn denied(&self, why: &str) -> Failure {
        Failure::Refused(format!(
            "{why}\nname the file of a token by `--token-file`, or set {TOKEN_VARIABLE}; `reflow-trace token new` makes one with the scopes that are needed"
        ))
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
pub(in crate::command) struct ServerAsker {
    client: TracingClient,
    address: Address,
}

/// What happens, as it is stored.
pub(in crate::command) struct Live {
    subscription: Subscription,
    address: Address,
}

impl ServerAsker {
    /// Whether somebody is there, the first question finds out.
    pub(in crate::command) fn new(address: &Address) -> Result<Self, Failure> {
        let client = TracingClient::builder(address.url.as_str())
            .options(address.options.clone())
            .timeout(TIMEOUT)
            .start()
            .map_err(|error| Failure::Usage(error.to_string()))?;
        Ok(Self {
            client,
            address: address.clone(),
        })
    }

    pub(super) async fn ask(&self, question: Question) -> Result<Answer, Unanswered> {
        let answer = self.client.ask(question).await;
        answer.map_err(|error| unanswered(error, &self.address))
    }

    pub(in crate::command) async fn subscribe(
        self,
        filters: SubscriptionRequest,
        from_offset: Option<u64>,
    ) -> Result<Live, Failure> {
        let filters = filters.filters();
        let subscription = self.client.subscribe_from(filters, from_offset).await;
        Ok(Live {
            subscription: subscription.map_err(|error| unanswered(error, &self.address))?,
            address: self.address,
        })
    }
}

impl Live {
    /// What comes next; a connection that is lost is made again.
    pub(in crate::command) async fn next(&mut self) -> Result<Seen, Failure> {
        match self.subscription.next().await {
            Some(Ok(seen)) => Ok(seen),
            Some(Err(error)) => Err(unanswered(error, &self.address).into()),
            None => Err(Failure::Unreachable(
                "the server goes on no more".to_owned(),
            )),
        }
    }
}

fn unanswered(error: AskError, address: &Address) -> Unanswered {
    match error {
        AskError::Refused(refusal) => Unanswered::Refused(refusal.error),
        AskError::Denied { reason } => Unanswered::Failed(address.denied(&reason)),
        AskError::Unreachable { reason } => Unanswered::Failed(address.unreachable(&reason)),
        error => Unanswered::Failed(Failure::Unreachable(error.to_string())),
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
