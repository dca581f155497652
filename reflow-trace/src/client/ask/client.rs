//! The client that a program holds.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::book::Command;
use super::driver::{self, Link};
use super::error::AskError;
use super::events::TraceEvents;
use super::queue::Queue;
use super::subscription::Subscription;
use crate::api::{
    Answer, DependenciesAnswer, EdgesAnswer, EventsPage, EventsQuestion, GraphAnswer,
    GraphQuestion, LineageAnswer, LineageQuestion, LineageSubject, MetricsQuestion, MissingAnswer,
    Question, ServerMetrics, SpanQuestion, SqlAnswer, SqlQuestion,
};
use crate::client::driver::Connector;
use crate::event::TraceEvent;
use crate::graph::DataFlowGraph;
use crate::lineage::FlowIndex;
use crate::protocol::QueryRequest;
use crate::query::filter::quoted;
use crate::query::{SubscriptionFilters, TraceQuery};
use crate::runtime::{InitError, ServerOptions, ServerToken, ServerUrl};

/// So many events a query returns that names no `limit`.
pub const EVENTS_DEFAULT: usize = 100_000;
/// How long an answer is waited for, unless told otherwise.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);
/// Events of one lineage among which the data flow of a message is looked for.
const FOUND_MAX: usize = 1_000;

/// Asks a server. Cloning shares the connection; see [`ask`](crate::client::ask).
///
/// # Examples
///
/// ```no_run
/// use reflow_trace::{TraceQuery, TracingClient};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let tracing_client = TracingClient::new("ws://localhost:8080")?;
/// let query = TraceQuery {
///     custom_filter: Some("message_id = 'msg_12345'"),
///     ..Default::default()
/// };
/// for event in tracing_client.query_traces(query).await? {
///     println!("{} {}", event.timestamp, event.actor_id);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TracingClient {
    commands: mpsc::UnboundedSender<Command>,
    next_id: Arc<AtomicU64>,
    timeout: Duration,
    url: Arc<str>,
}

/// How a [`TracingClient`] is to work.
#[derive(Clone, Debug)]
#[must_use = "nothing happens before `start`"]
pub struct TracingClientBuilder {
    url: String,
    options: ServerOptions,
    timeout: Duration,
}

impl TracingClientBuilder {
    /// Replaces the options of the connection: those of a [`ServerSink`](crate::ServerSink), of which `token`,
    /// `token_in_clear`, `ca_file`, `connect_timeout`, `reconnect_first` and `reconnect_max` are of use here.
    pub fn options(mut self, options: ServerOptions) -> Self {
        self.options = options;
        self
    }

    /// Sets [`ServerOptions::token`]. It needs the scopes `query` and `subscribe`, and `content` where
    /// captured content is to be seen.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.options.token = Some(ServerToken::new(token));
        self
    }

    /// Sets [`ServerOptions::ca_file`].
    pub fn ca_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.options.ca_file = Some(file.into());
        self
    }

    /// How long the answer to a question is waited for, connecting included; 30 s unless told otherwise.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Starts the thread of the connection. Whether there is a server, the first question finds out.
    ///
    /// # Errors
    ///
    /// When the address is not understood, an option is out of range, the file of certificates cannot be
    /// read, a token would go over the network in clear, or the system gives no thread.
    pub fn start(self) -> Result<TracingClient, InitError> {
        let Self {
            url,
            options,
            timeout,
        } = self;
        options.validate(&url)?;
        let address = ServerUrl::parse(&url)?.for_questions();
        let url = address.to_string().into();
        // Nothing of ours is large; what is received is bounded by the driver.
        let connector = Connector::new(address, options.token, options.ca_file.as_deref(), 0)
            .map_err(|error| InitError::Server(error.into()))?;
        let link = Link {
            connector,
            connect_timeout: options.connect_timeout,
            reconnect_first: options.reconnect_first,
            reconnect_max: options.reconnect_max,
            silence_max: driver::SILENCE_MAX,
        };
        let (commands, wanted) = mpsc::unbounded_channel();
        let seed = uuid::Uuid::new_v4().as_u128() as u64;
        driver::start(link, wanted, seed).map_err(InitError::Thread)?;
        Ok(TracingClient {
            commands,
            next_id: Arc::new(AtomicU64::new(1)),
            timeout,
            url,
        })
    }
}

/// Cancels a question whose future is dropped.
struct Asking<'a> {
    client: &'a TracingClient,
    id: u64,
    has_ended: bool,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if !self.has_ended {
            self.client.tell(Command::Cancel { id: self.id });
        }
    }
}

macro_rules! typed {
    ($answer:expr, $variant:ident, $asked:expr) => {
        match $answer {
            Answer::$variant(answer) => Ok(answer),
            _ => Err(AskError::OtherAnswer { asked: $asked }),
        }
    };
}

impl TracingClient {
    /// A client for the server at `ws://host:port` or `wss://host:port`.
    ///
    /// # Errors
    ///
    /// See [`TracingClientBuilder::start`].
    pub fn new(url: impl Into<String>) -> Result<Self, InitError> {
        Self::builder(url).start()
    }

    /// The same, with options.
    pub fn builder(url: impl Into<String>) -> TracingClientBuilder {
        TracingClientBuilder {
            url: url.into(),
            options: ServerOptions::default(),
            timeout: TIMEOUT_DEFAULT,
        }
    }

    /// Events that fit, in the order of their time: as many as the query's `limit` says, or
    /// [`EVENTS_DEFAULT`], page by page.
    ///
    /// What is stored meanwhile may be among them or not.
    ///
    /// # Errors
    ///
    /// See [`AskError`]. The answer is given whole or not at all.
    pub async fn query_traces(&self, query: TraceQuery<'_>) -> Result<TraceEvents, AskError> {
        self.pages(query, Question::QueryTraces).await
    }

    /// The same of data flows alone.
    ///
    /// # Errors
    ///
    /// See [`AskError`].
    pub async fn query_data_flows(&self, query: TraceQuery<'_>) -> Result<TraceEvents, AskError> {
        self.pages(query, Question::QueryDataFlows).await
    }

    /// Events that fit, as they are stored, from now on.
    ///
    /// # Errors
    ///
    /// See [`AskError`]; later ones are items of the stream.
    pub async fn subscribe(&self, filters: SubscriptionFilters) -> Result<Subscription, AskError> {
        self.subscribe_from(filters, None).await
    }

    /// The same from a place in the server's log on, as far as it is still there: the one that the last
    /// [`Seen`](super::Seen) named. Events of that place come again.
    ///
    /// # Errors
    ///
    /// See [`AskError`].
    pub async fn subscribe_from(
        &self,
        filters: SubscriptionFilters,
        from_offset: impl Into<Option<u64>>,
    ) -> Result<Subscription, AskError> {
        let id = self.next_id();
        let queue = Arc::new(Queue::default());
        let (begun, has_begun) = oneshot::channel();
        self.tell(Command::Subscribe {
            id,
            filters: Box::new(filters.into()),
            from_offset: from_offset.into(),
            queue: Arc::clone(&queue),
            timeout: self.timeout,
            begun,
        });
        // From here on dropping it ends it, also while it has not begun.
        let subscription = Subscription::new(id, queue, self.commands.clone());
        has_begun.await.map_err(|_| AskError::Gone)??;
        Ok(subscription)
    }

    /// Everything that led to a message, an event or a trace, and everything it led to: of the message
    /// with this id (a text or a number), of this [`EventId`](crate::EventId), or of all events of this
    /// [`TraceId`](crate::TraceId).
    ///
    /// ```no_run
    /// # async fn example(tracing_client: reflow_trace::TracingClient) -> Result<(), Box<dyn std::error::Error>> {
    /// let lineage = tracing_client.lineage("msg_12345").await?;
    /// for (event, step) in lineage.events.iter().zip(&lineage.steps) {
    ///     println!("{:?} {} {:?}", step.role, event.actor_id, step.waiting_ns);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// See [`AskError`]; the server says so where nothing is known of it.
    pub async fn lineage(&self, of: impl Into<LineageSubject>) -> Result<LineageAnswer, AskError> {
        let question = LineageQuestion {
            of: of.into(),
            limit: None,
        };
        typed!(
            self.ask(Question::Lineage(question)).await?,
            Lineage,
            "lineage"
        )
    }

    /// Messages that were sent and did not flow; the query chooses among the `MessageSent` events.
    ///
    /// # Errors
    ///
    /// See [`AskError`].
    pub async fn missing_flows(&self, query: TraceQuery<'_>) -> Result<MissingAnswer, AskError> {
        let question = Question::MissingFlows(query.into());
        typed!(self.ask(question).await?, MissingFlows, "missing_flows")
    }

    /// The data flow of a message that was sent: the earliest, when there are several; by the rule of
    /// [`FlowIndex::find_data_flow_for_message`].
    ///
    /// [`missing_flows`](Self::missing_flows) answers for many messages at once.
    ///
    /// # Errors
    ///
    /// See [`AskError`].
    pub async fn find_data_flow_for_message(
        &self,
        sent_event: &TraceEvent,
    ) -> Result<Option<TraceEvent>, AskError> {
        // By its id, which is how a data flow without a recorded cause is found.
        if let Some(id) = sent_event.message_id() {
            let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
            let condition = format!(
                "message_id = {} AND actor_id = {}",
                quoted(&id),
                quoted(&sent_event.actor_id)
            );
            let query = TraceQuery {
                custom_filter: Some(&condition),
                limit: Some(FOUND_MAX),
                ..TraceQuery::default()
            };
            let flows = self.query_data_flows(query).await?;
            let found = flow_among(sent_event, flows.iter());
            if found.is_some() {
                return Ok(found);
            }
        }
        // By its cause, which is the send.
        let question = Question::Lineage(LineageQuestion {
            of: sent_event.into(),
            limit: Some(FOUND_MAX),
        });
        match self.ask(question).await {
            Ok(answer) => {
                let lineage = typed!(answer, Lineage, "lineage")?;
                Ok(flow_among(sent_event, lineage.events.iter()))
            }
            // The send itself is not stored, so that nothing of it is known.
            Err(AskError::Refused(refusal))
                if refusal.error.code == crate::api::ErrorCode::NotFound =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// What flowed over each edge; `SpanQuestion::default()` is all of time.
    ///
    /// # Errors
    ///
    /// See [`AskError`].
    pub async fn edges(&self, span: SpanQuestion) -> Result<EdgesAnswer, AskError> {
        typed!(self.ask(Question::Edges(span)).await?, Edges, "edges")
    }

    /// Who depends on which sources.
    ///
    /// # Errors
    ///
    /// See [`AskError`].
    pub async fn dependencies(&self, span: SpanQuestion) -> Result<DependenciesAnswer, AskError> {
        let question = Question::Dependencies(span);
        typed!(self.ask(question).await?, Dependencies, "dependencies")
    }

    /// Who sends what to whom, from what the server has added up; pictures and tables are made from it here.
    ///
    /// ```no_run
    /// # async fn example(tracing_client: reflow_trace::TracingClient) -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use reflow_trace::api::SpanQuestion;
    ///
    /// let last_hour = SpanQuestion::last(Duration::from_secs(3600));
    /// tracing_client.graph(last_hour).await?.render_to_file("data_flow_diagram.svg")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// See [`AskError`].
    pub async fn graph(&self, span: SpanQuestion) -> Result<DataFlowGraph, AskError> {
        Ok(DataFlowGraph::from(&self.edges(span).await?))
    }

    /// The network as a picture or a diagram, drawn by the server.
    ///
    /// # Errors
    ///
    /// See [`AskError`].
    pub async fn render_graph(&self, question: GraphQuestion) -> Result<GraphAnswer, AskError> {
        typed!(self.ask(Question::Graph(question)).await?, Graph, "graph")
    }

    /// What a statement that reads `data_flow_events` or `edge_counters` finds.
    ///
    /// # Errors
    ///
    /// See [`AskError`]; a server may have been built without SQL.
    pub async fn sql(&self, statement: impl Into<String>) -> Result<SqlAnswer, AskError> {
        let question = SqlQuestion {
            statement: statement.into(),
            limit: None,
        };
        typed!(self.ask(Question::Sql(question)).await?, Sql, "sql")
    }

    /// How the server is doing.
    ///
    /// # Errors
    ///
    /// See [`AskError`].
    pub async fn get_performance_metrics(&self) -> Result<ServerMetrics, AskError> {
        let question = Question::Metrics(MetricsQuestion {});
        typed!(self.ask(question).await?, Metrics, "metrics")
    }

    /// Any question, as it is: one page, no default.
    ///
    /// # Errors
    ///
    /// See [`AskError`].
    pub async fn ask(&self, question: Question) -> Result<Answer, AskError> {
        let id = self.next_id();
        let (reply, answer) = oneshot::channel();
        self.tell(Command::Ask {
            id,
            question: Box::new(question),
            timeout: self.timeout,
            reply,
        });
        let mut asking = Asking {
            client: self,
            id,
            has_ended: false,
        };
        let answer = answer.await;
        asking.has_ended = true;
        answer.map_err(|_| AskError::Gone)?
    }

    async fn pages(
        &self,
        query: TraceQuery<'_>,
        question: fn(EventsQuestion) -> Question,
    ) -> Result<TraceEvents, AskError> {
        let mut left = query.limit.unwrap_or(EVENTS_DEFAULT);
        let mut asked = EventsQuestion {
            query: QueryRequest::from(query),
            ..EventsQuestion::default()
        };
        let mut events = Vec::new();
        loop {
            asked.query.limit = Some(left);
            let EventsPage {
                events: page, next, ..
            } = match self.ask(question(asked.clone())).await? {
                Answer::QueryTraces(page) | Answer::QueryDataFlows(page) => page,
                _ => {
                    return Err(AskError::OtherAnswer {
                        asked: "query_traces",
                    });
                }
            };
            // A server that gives more than was asked for is not believed in the number.
            let taken = page.len().min(left);
            left -= taken;
            events.extend(page.into_iter().take(taken));
            match next {
                Some(next) if left > 0 && asked.after != Some(next) => {
                    asked.after = Some(next);
                    // What was to be left out is behind.
                    asked.query.offset = None;
                }
                next => return Ok(TraceEvents::new(events, next.is_some())),
            }
        }
    }

    fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    fn tell(&self, command: Command) {
        // Without the thread the reply is dropped with the command, which is what the asker hears.
        let _gone = self.commands.send(command);
    }
}

impl fmt::Debug for TracingClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TracingClient")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// The data flow of a message among these events.
fn flow_among<'a>(
    sent: &'a TraceEvent,
    events: impl Iterator<Item = &'a TraceEvent>,
) -> Option<TraceEvent> {
    let others = events.filter(|event| event.event_id != sent.event_id);
    let index = FlowIndex::new(std::iter::once(sent).chain(others));
    index.find_data_flow_for_message(sent).cloned()
}
