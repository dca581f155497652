//! A random network of actors, and one run of it.
//!
//! Each actor has a thread and one inbox: a queue that `#[traced_connector]`s fill, or a traced channel.
//! It sends to a few others, itself among them by chance, so that there are fans, joins and loops. Actors
//! never wait for room, so that no loop can get stuck; the source does.

use std::sync::{Arc, mpsc};

use reflow_trace::channel::{crossbeam, std::mpsc as standard};
use reflow_trace::{Causes, Context, traced_actor, traced_connector};

use crate::chance::Chance;
use crate::job::{Body, Job, Kind, Ticket};
use crate::truth::{Fate, Truth};

/// What a run is made of.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// Attempts to send, all in all.
    pub(crate) messages: usize,
    /// How often each kind is chosen.
    pub(crate) kinds: Vec<(Kind, usize)>,
    /// Whether messages are refused, rooms full, and receivers leave.
    pub(crate) fails: bool,
}

/// One way between two actors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    /// The source is the last.
    pub(crate) from: usize,
    pub(crate) to: usize,
}

/// The shape of a network.
#[derive(Debug)]
pub(crate) struct Network {
    inboxes: Vec<InboxKind>,
    pub(crate) edges: Vec<Edge>,
}

#[derive(Clone, Copy, Debug)]
enum InboxKind {
    Queue,
    Standard,
    Bounded(usize),
    Crossbeam,
    CrossbeamBounded(usize),
}

const HOPS: usize = 6;

impl Network {
    /// From 5 to 30 actors.
    pub(crate) fn random(chance: &mut Chance) -> Self {
        let actors = 5 + chance.below(26);
        let inboxes = std::iter::repeat_with(|| match chance.below(8) {
            0..=2 => InboxKind::Queue,
            3 | 4 => InboxKind::Standard,
            5 => InboxKind::Crossbeam,
            6 => InboxKind::Bounded(8 << chance.below(6)),
            _ => InboxKind::CrossbeamBounded(8 << chance.below(6)),
        })
        .take(actors)
        .collect();
        let is_acyclic = chance.happens(33);
        let mut edges = Vec::new();
        for from in 0..actors {
            let mut targets: Vec<usize> = if is_acyclic {
                (from + 1..actors).collect()
            } else {
                (0..actors).collect()
            };
            for _ in 0..targets.len().min(1 + chance.below(4)) {
                let to = targets.swap_remove(chance.below(targets.len()));
                edges.push(Edge { from, to });
            }
        }
        // The source reaches all, so that all are tried.
        edges.extend((0..actors).map(|to| Edge { from: actors, to }));
        Self { inboxes, edges }
    }

    pub(crate) fn actors(&self) -> usize {
        self.inboxes.len()
    }

    pub(crate) fn name(&self, actor: usize) -> String {
        if actor == self.inboxes.len() {
            return "source".to_owned();
        }
        format!("actor {actor}")
    }

    pub(crate) fn is_channel(&self, actor: usize) -> bool {
        !matches!(self.inboxes[actor], InboxKind::Queue)
    }

    /// Runs until all messages are gone, and all actors.
    pub(crate) fn run(&self, plan: &Plan) -> Arc<Truth> {
        // Each actor is told to stop by a message more.
        let truth = Arc::new(Truth::new(
            self.edges.len(),
            plan.messages + self.inboxes.len(),
        ));
        let (entries, inboxes): (Vec<_>, Vec<_>) = (self.inboxes.iter())
            .enumerate()
            .map(|(actor, kind)| kind.open(&self.name(actor)))
            .unzip();
        let worker = |actor: usize| {
            let from = self.name(actor);
            let mut chance = Chance::of_part(plan.seed, actor);
            let edges = self.edges.iter().enumerate();
            let ours = edges.filter(|(_, edge)| edge.from == actor);
            let outs = ours
                .map(|(number, edge)| (number, entries[edge.to].way(&from, &self.name(edge.to))));
            // A bounded channel of crossbeam keeps what is inside until its last sender is gone, so that
            // nobody could wait for all messages to be gone.
            let keeps = matches!(
                self.inboxes.get(actor),
                Some(InboxKind::CrossbeamBounded(_))
            );
            let leaves = plan.fails && !keeps && chance.happens(15);
            Worker {
                outs: outs.collect(),
                joins: chance.happens(40),
                leaves_after: leaves.then(|| 50 + chance.below(500)),
                name: from,
                put_aside: None,
                plan: plan.clone(),
                truth: Arc::clone(&truth),
                chance,
            }
        };
        std::thread::scope(|scope| {
            for (actor, inbox) in inboxes.into_iter().enumerate() {
                let worker = worker(actor);
                scope.spawn(move || match inbox {
                    Inbox::Queue(queue) => Handler { worker, before: 0 }.work(&queue),
                    Inbox::Standard(inbox) => ByStandard(worker).run(inbox),
                    Inbox::Crossbeam(inbox) => ByCrossbeam(worker).run(inbox),
                });
            }
            let mut source = worker(self.inboxes.len());
            source.begin_all();
            truth.wait();
            source.stop_all();
            truth.wait();
        });
        truth
    }
}

impl InboxKind {
    fn open(self, name: &str) -> (Entry, Inbox) {
        let standard = |inbox: standard::Receiver<Job>| {
            // Named before the first message: a new name would be a new edge.
            Inbox::Standard(inbox.named(name, "in").with_policy())
        };
        let crossbeam = |inbox: crossbeam::Receiver<Job>| {
            Inbox::Crossbeam(inbox.named(name, "in").with_policy())
        };
        match self {
            Self::Queue => {
                let (sender, queue) = mpsc::channel();
                (Entry::Queue(sender), Inbox::Queue(queue))
            }
            Self::Standard => {
                let (sender, inbox) = standard::channel();
                (Entry::Standard(sender), standard(inbox))
            }
            Self::Bounded(room) => {
                let (sender, inbox) = standard::sync_channel(room);
                (Entry::Bounded(sender), standard(inbox))
            }
            Self::Crossbeam => {
                let (sender, inbox) = crossbeam::unbounded();
                (Entry::Crossbeam(sender), crossbeam(inbox))
            }
            Self::CrossbeamBounded(room) => {
                let (sender, inbox) = crossbeam::bounded(room);
                (Entry::Crossbeam(sender), crossbeam(inbox))
            }
        }
    }
}

enum Inbox {
    Queue(mpsc::Receiver<Job>),
    Standard(standard::Receiver<Job>),
    Crossbeam(crossbeam::Receiver<Job>),
}

/// A way into an inbox, without a name.
enum Entry {
    Queue(mpsc::Sender<Job>),
    Standard(standard::Sender<Job>),
    Bounded(standard::SyncSender<Job>),
    Crossbeam(crossbeam::Sender<Job>),
}

impl Entry {
    fn way(&self, from: &str, to: &str) -> Way {
        match self {
            Self::Queue(sender) => Way::Connector(Connector {
                from_actor: from.to_owned(),
                to_actor: to.to_owned(),
                queue: sender.clone(),
            }),
            Self::Standard(sender) => Way::Standard(sender.clone().named(from, "out")),
            Self::Bounded(sender) => Way::Bounded(sender.clone().named(from, "out")),
            Self::Crossbeam(sender) => Way::Crossbeam(sender.clone().named(from, "out")),
        }
    }
}

/// A way from one actor to another.
enum Way {
    Connector(Connector),
    Standard(standard::Sender<Job>),
    Bounded(standard::SyncSender<Job>),
    Crossbeam(crossbeam::Sender<Job>),
}

impl Way {
    fn is_channel(&self) -> bool {
        !matches!(self, Self::Connector(_))
    }

    /// Sends; the message comes back when that fails.
    fn send(&self, job: Job, may_wait: bool) -> Result<(), Job> {
        match self {
            Self::Connector(connector) => connector.send(job),
            Self::Standard(sender) => sender.send(job).map_err(|error| error.0),
            Self::Bounded(sender) if may_wait => sender.send(job).map_err(|error| error.0),
            Self::Bounded(sender) => sender.try_send(job).map_err(|error| match error {
                standard::TrySendError::Full(job) | standard::TrySendError::Disconnected(job) => {
                    job
                }
            }),
            Self::Crossbeam(sender) if may_wait => sender.send(job).map_err(|error| error.0),
            Self::Crossbeam(sender) => sender.try_send(job).map_err(|error| error.into_inner()),
        }
    }
}

struct Connector {
    from_actor: String,
    to_actor: String,
    queue: mpsc::Sender<Job>,
}

#[traced_connector(from_port = ("out"), to_port = ("in"))]
impl Connector {
    fn send(&self, message: Job) -> Result<(), Job> {
        if message.body().is_refused {
            return Err(message);
        }
        self.queue.send(message).map_err(|error| error.0)
    }
}

/// What every actor does with a message, however it comes.
struct Worker {
    name: String,
    outs: Vec<(usize, Way)>,
    /// Makes one message of two, now and then.
    joins: bool,
    put_aside: Option<(Context, usize)>,
    leaves_after: Option<usize>,
    plan: Plan,
    truth: Arc<Truth>,
    chance: Chance,
}

impl Worker {
    /// Takes a message up and sends what it leads to; false when the actor is to stop.
    fn take(&mut self, mut job: Job, before: u64, after: u64) -> bool {
        let is_last = job.body().left == 0;
        let (left, root) = (job.body().left, job.body().ticket.root);
        self.truth.received(job.ticket_mut(), before, after);
        if is_last {
            return false;
        }
        if left > 1 && !self.outs.is_empty() {
            self.lead_on(left - 1, root);
        }
        if let Some(more) = &mut self.leaves_after {
            *more -= 1;
            return *more > 0;
        }
        true
    }

    fn lead_on(&mut self, left: usize, root: usize) {
        if self.joins && self.chance.happens(20) {
            let here = Context::current();
            let Some((first, first_root)) = self.put_aside.take() else {
                self.put_aside = Some((here, root));
                return;
            };
            let causes = Causes::of([&first, &here]);
            causes.scope_sync(|| self.send(left, first_root, false));
            return;
        }
        for _ in 0..self.chance.below(3) {
            self.send(left, root, false);
        }
    }

    /// Sends one message by chance; false when enough were sent.
    fn send(&mut self, left: usize, root: usize, may_wait: bool) -> bool {
        let kind = self.kind();
        let out = self.chance.below(self.outs.len());
        let Some(number) = self.truth.new_message(self.plan.messages) else {
            return false;
        };
        let is_refused = self.plan.fails && self.chance.happens(4);
        self.put(out, kind, (number, root), left, is_refused, may_wait);
        true
    }

    fn kind(&mut self) -> Kind {
        let kinds = &self.plan.kinds;
        let mut chosen = self
            .chance
            .below(kinds.iter().map(|(_, often)| often).sum());
        let found = kinds.iter().find(|(_, often)| {
            let is_here = chosen < *often;
            chosen = chosen.wrapping_sub(*often);
            is_here
        });
        found.map_or(Kind::Always, |(kind, _)| *kind)
    }

    fn put(
        &mut self,
        out: usize,
        kind: Kind,
        (number, root): (usize, usize),
        left: usize,
        is_refused: bool,
        may_wait: bool,
    ) {
        let (edge, way) = &self.outs[out];
        let fate = if way.is_channel() {
            Fate::InChannel
        } else {
            Fate::Outside
        };
        let body = Body {
            ticket: Ticket {
                truth: Arc::clone(&self.truth),
                number,
                root,
                flow: Truth::flow(*edge, kind),
                fate,
            },
            left,
            size_bytes: 16 + self.chance.below(1_000),
            is_refused,
        };
        self.truth.sends(&body.ticket, body.size_bytes);
        match way.send(Job::new(kind, body), may_wait) {
            Ok(()) => self.truth.sent(number),
            Err(mut back) => self.truth.failed(back.ticket_mut()),
        }
    }

    /// The source sends first messages until enough were sent.
    fn begin_all(&mut self) {
        while self.send(HOPS, self.truth.new_root(), true) {}
    }

    /// Tells all to stop; who has left already does not hear it.
    fn stop_all(&mut self) {
        for out in 0..self.outs.len() {
            let Some(number) = self.truth.new_message(usize::MAX) else {
                continue;
            };
            let root = self.truth.new_root();
            self.put(out, Kind::Always, (number, root), 0, false, true);
        }
    }
}

/// An actor that a queue of its own feeds.
struct Handler {
    worker: Worker,
    /// When the handling was called.
    before: u64,
}

#[traced_actor(actor = "self.worker.name", port = ("in"))]
impl Handler {
    #[trace(skip)]
    fn work(mut self, queue: &mpsc::Receiver<Job>) {
        for job in queue {
            self.before = self.worker.truth.now_ns();
            if !self.handle(job) {
                return;
            }
        }
    }

    fn handle(&mut self, message: Job) -> bool {
        let now = self.worker.truth.now_ns();
        self.worker.take(message, self.before, now)
    }
}

/// An actor that lives on a channel like that of the standard library.
struct ByStandard(Worker);

#[traced_actor(actor = "self.0.name")]
impl ByStandard {
    fn run(mut self, inbox: standard::Receiver<Job>) {
        loop {
            let before = self.0.truth.now_ns();
            let Ok(job) = inbox.recv() else { return };
            let after = self.0.truth.now_ns();
            if !self.0.take(job, before, after) {
                return;
            }
        }
    }
}

/// An actor that lives on a channel like that of crossbeam.
struct ByCrossbeam(Worker);

#[traced_actor(actor = "self.0.name")]
impl ByCrossbeam {
    fn run(mut self, inbox: crossbeam::Receiver<Job>) {
        loop {
            let before = self.0.truth.now_ns();
            let Ok(job) = inbox.recv() else { return };
            let after = self.0.truth.now_ns();
            if !self.0.take(job, before, after) {
                return;
            }
        }
    }
}
