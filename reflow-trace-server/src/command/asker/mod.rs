//! Who answers: a server, or the store of a server that is not running.
//!
//! Every command asks through [`Asker`], so that all of them work with both and nobody can tell the answers
//! apart. A store that is opened here gets the same [`Engine`](crate::answer::Engine) that a server has.

mod server;
mod store;

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches};
use reflow_trace::api::{
    Answer, ApiError, EdgesAnswer, EventsPage, EventsQuestion, GraphAnswer, GraphQuestion,
    LineageAnswer, LineageQuestion, MetricsQuestion, MissingAnswer, Question, ServerMetrics,
    SpanQuestion, SqlAnswer, SqlQuestion,
};

pub(super) use server::{Address, ServerAsker};
pub(super) use store::{StoreAsker, there_is_a_store};

use super::failure::Failure;

/// Whoever answers.
pub(super) enum Asker {
    Server(ServerAsker),
    Store(StoreAsker),
}

/// Why there is no answer.
pub(super) enum Unanswered {
    /// Whoever was asked says why.
    Refused(ApiError),
    /// Nobody was there to say anything.
    Failed(Failure),
}

impl Unanswered {
    /// The same, with the texts of the question by their fields, so that a mistake is shown at its place.
    pub(super) fn in_texts(self, texts: &[(&str, &str)]) -> Failure {
        match self {
            Self::Refused(error) => Failure::refused(&error, texts),
            Self::Failed(failure) => failure,
        }
    }
}

impl From<Unanswered> for Failure {
    fn from(unanswered: Unanswered) -> Self {
        unanswered.in_texts(&[])
    }
}

/// The flags that say who is asked.
pub(super) fn flags() -> [Arg; 5] {
    let [server, token, in_clear, authorities] = server_flags();
    [server, token, in_clear, authorities, data()]
}

/// The flags that say which server, and how it knows us.
pub(super) fn server_flags() -> [Arg; 4] {
    const HEADING: &str = "Whom to ask";
    [
        Arg::new("server")
            .long("server")
            .value_name("URL")
            .help_heading(HEADING)
            .help(format!(
                "A running server, {} unless said otherwise; also {}",
                server::DEFAULT_URL,
                server::URL_VARIABLE
            )),
        Arg::new("token-file")
            .long("token-file")
            .value_name("FILE")
            .help_heading(HEADING)
            .help(format!(
                "A file with the token that the server wants; or the token itself in {}",
                server::TOKEN_VARIABLE
            )),
        Arg::new("token-in-clear")
            .long("token-in-clear")
            .action(ArgAction::SetTrue)
            .help_heading(HEADING)
            .help("Send the token also where everybody on the way can read it: by ws:// to another machine"),
        Arg::new("ca-file")
            .long("ca-file")
            .value_name("FILE")
            .help_heading(HEADING)
            .help(format!(
                "Trust whoever these certificates have signed, PEM, for wss://; also {}",
                server::CA_VARIABLE
            )),
    ]
}

fn data() -> Arg {
    Arg::new("data")
        .long("data")
        .value_name("DIR")
        .conflicts_with_all(["server", "token-file", "token-in-clear", "ca-file"])
        .help_heading("Whom to ask")
        .help("The directory of a server that is not running, instead of a server")
}

/// The directory that was named instead of a server.
pub(super) fn directory(matches: &ArgMatches) -> Option<PathBuf> {
    let named = matches.try_get_one::<String>("data").ok().flatten();
    named.map(PathBuf::from)
}

macro_rules! typed {
    ($($(#[$doc:meta])* $name:ident: $question:ty => $variant:ident($answer:ty);)*) => {
        $($(#[$doc])*
        pub(super) async fn $name(&self, asked: $question) -> Result<$answer, Unanswered> {
            match self.ask(Question::$variant(asked)).await? {
                Answer::$variant(answer) => Ok(answer),
                other => Err(another_answer(&other)),
            }
        })*
    };
}

impl Asker {
    /// Connects to the server that the flags name, or opens the store.
    pub(super) async fn open(matches: &ArgMatches) -> Result<Self, Failure> {
        match directory(matches) {
            Some(directory) => StoreAsker::open(directory).await.map(Self::Store),
            None => {
                let address = Address::of(matches)?;
                ServerAsker::new(&address).map(Self::Server)
            }
        }
    }

    async fn ask(&self, question: Question) -> Result<Answer, Unanswered> {
        match self {
            Self::Server(server) => server.ask(question).await,
            Self::Store(store) => store.ask(question).await,
        }
    }

    typed! {
        /// Events, a page of them.
        events: EventsQuestion => QueryTraces(EventsPage);
        /// What led to something and what it led to.
        lineage: LineageQuestion => Lineage(LineageAnswer);
        /// What was sent and did not flow.
        missing: EventsQuestion => MissingFlows(MissingAnswer);
        /// What flowed over each edge.
        edges: SpanQuestion => Edges(EdgesAnswer);
        /// The network as a picture.
        graph: GraphQuestion => Graph(GraphAnswer);
        /// What a statement finds.
        sql: SqlQuestion => Sql(SqlAnswer);
        /// How the server is doing.
        metrics: MetricsQuestion => Metrics(ServerMetrics);
    }
}

fn another_answer(answer: &Answer) -> Unanswered {
    let kind = match answer {
        Answer::QueryTraces(_) | Answer::QueryDataFlows(_) => "events",
        Answer::Lineage(_) => "a lineage",
        Answer::MissingFlows(_) => "missing flows",
        Answer::Edges(_) => "edges",
        Answer::Dependencies(_) => "dependencies",
        Answer::Graph(_) => "a graph",
        Answer::Sql(_) => "rows",
        Answer::Metrics(_) => "figures",
        _ => "something unknown",
    };
    Unanswered::Failed(Failure::Unreachable(format!(
        "the server answered {kind}, which was not the question: its version may be another one"
    )))
}
