//! Lineage through the real macros, against a count that does not come from the events.

#![deny(warnings)]
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use reflow_trace::lineage::{Completeness, Doubt, FlowIndex, Role};
use reflow_trace::{Context, MemorySink, TraceEvent, sample, traced_actor, traced_connector};
use reflow_trace_tests::{Recording, Silence};

const ACTORS: [&str; 4] = ["north", "east", "south", "west"];
const ROOTS: u64 = 150;

/// What the actors send each other; `root` says which first message it stems from.
#[sample(rate = 0.6)]
enum Job {
    #[sample(always)]
    Always(#[trace(attribute)] u64, u64, #[trace(context)] Context),
    Often(#[trace(attribute)] u64, u64, #[trace(context)] Context),
    #[sample(rate = 0.3)]
    Rarely(#[trace(attribute)] u64, u64, #[trace(context)] Context),
    #[sample(never)]
    Never(#[trace(attribute)] u64, u64, #[trace(context)] Context),
    #[sample(always)]
    Bare(#[trace(attribute)] u64, u64),
}

impl Job {
    fn new(kind: u64, root: u64, left: u64) -> Self {
        match kind {
            0 => Self::Always(root, left, Context::NONE),
            1 => Self::Often(root, left, Context::NONE),
            2 => Self::Rarely(root, left, Context::NONE),
            3 => Self::Never(root, left, Context::NONE),
            _ => Self::Bare(root, left),
        }
    }

    fn parts(&self) -> (u64, u64) {
        match self {
            Self::Always(root, left, _)
            | Self::Often(root, left, _)
            | Self::Rarely(root, left, _)
            | Self::Never(root, left, _)
            | Self::Bare(root, left) => (*root, *left),
        }
    }
}

/// A generator for the choices of a test; splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}

/// What really happened, counted beside the tracing: sends and handlings by first message.
#[derive(Default)]
struct Truth {
    events: Mutex<HashMap<u64, u64>>,
    under_way: AtomicUsize,
}

impl Truth {
    fn count(&self, root: u64) {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        *events.entry(root).or_default() += 1;
    }
}

struct Connector {
    from_actor: &'static str,
    to_actor: &'static str,
    channel: mpsc::Sender<Option<Job>>,
    truth: Arc<Truth>,
}

#[traced_connector(from_port = ("out"), to_port = ("in"))]
impl Connector {
    fn send(&self, message: Job) -> Result<(), mpsc::SendError<Option<Job>>> {
        self.truth.count(message.parts().0);
        self.truth.under_way.fetch_add(1, Ordering::SeqCst);
        self.channel.send(Some(message))
    }
}

struct Worker {
    name: &'static str,
    outs: Vec<Connector>,
    kinds: &'static [u64],
    random: Random,
    truth: Arc<Truth>,
}

#[traced_actor(actor = "self.name", port = "in")]
impl Worker {
    fn handle(&mut self, message: Job) {
        let (root, left) = message.parts();
        self.truth.count(root);
        let children = self.random.below(3).min(left);
        for _ in 0..children {
            let kind = self.kinds[self.random.below(self.kinds.len() as u64) as usize];
            let out = self.random.below(self.outs.len() as u64) as usize;
            let job = Job::new(kind, root, left - 1);
            self.outs[out].send(job).expect("everybody listens");
        }
    }
}

/// What a run left behind.
struct Run {
    events: Vec<TraceEvent>,
    truth: HashMap<u64, u64>,
}

/// A network of four threads in which everybody sends to everybody.
fn run(seed: u64, kinds: &'static [u64], ring_capacity: usize) -> Run {
    let _alone = Silence::start();
    let memory = MemorySink::with_capacity(1_000_000);
    let guard = reflow_trace::builder()
        .sink(memory.clone())
        .ring_capacity(ring_capacity)
        .start()
        .expect("nobody else is recording");
    let truth = Arc::new(Truth::default());
    let (senders, inboxes): (Vec<_>, Vec<_>) = ACTORS.iter().map(|_| mpsc::channel()).unzip();
    let outs = |from_actor| {
        let to = ACTORS.iter().zip(&senders);
        let one = |(&to_actor, channel): (&&'static str, &mpsc::Sender<_>)| Connector {
            from_actor,
            to_actor,
            channel: channel.clone(),
            truth: Arc::clone(&truth),
        };
        to.map(one).collect::<Vec<_>>()
    };
    std::thread::scope(|scope| {
        for (number, (&name, inbox)) in ACTORS.iter().zip(inboxes).enumerate() {
            let mut worker = Worker {
                name,
                outs: outs(name),
                kinds,
                random: Random(seed.wrapping_mul(31) + number as u64),
                truth: Arc::clone(&truth),
            };
            let everybody = senders.clone();
            scope.spawn(move || {
                for job in inbox {
                    let Some(job) = job else { break };
                    worker.handle(job);
                    if worker.truth.under_way.fetch_sub(1, Ordering::SeqCst) == 1 {
                        for sender in &everybody {
                            // Who has stopped already needs no word.
                            let _stopped = sender.send(None);
                        }
                    }
                }
            });
        }
        // Holds the end off until all have begun.
        truth.under_way.fetch_add(1, Ordering::SeqCst);
        let mut random = Random(seed);
        let first = outs("source");
        for root in 0..ROOTS {
            let kind = kinds[random.below(kinds.len() as u64) as usize];
            let out = &first[random.below(first.len() as u64) as usize];
            out.send(Job::new(kind, root, 6))
                .expect("everybody listens");
        }
        if truth.under_way.fetch_sub(1, Ordering::SeqCst) == 1 {
            for sender in &senders {
                let _stopped = sender.send(None);
            }
        }
    });
    guard
        .flush(Duration::from_secs(10))
        .expect("a memory sink does not stall");
    let events = memory.events();
    drop(guard);
    let truth = truth.events.lock().unwrap_or_else(PoisonError::into_inner);
    Run {
        events,
        truth: truth.clone(),
    }
}

/// How many traces are of which completeness; every complete one is compared with the truth.
fn judged(seed: u64, run: &Run) -> BTreeMap<String, usize> {
    let index = FlowIndex::new(&run.events);
    let mut verdicts = BTreeMap::new();
    for trace in index.traces() {
        let verdict = index.completeness(trace);
        let events = index.trace(trace);
        let root = |event: &TraceEvent| event.data.custom_attributes["0"].as_u64();
        let roots: Vec<_> = events.iter().map(|event| root(event)).collect();
        let root = roots[0].expect("every message names its root");
        assert!(
            roots.iter().all(|it| *it == Some(root)),
            "seed {seed}: traces are mixed"
        );
        if verdict == Completeness::Complete {
            let truth = run.truth[&root];
            assert_eq!(
                events.len() as u64,
                truth,
                "seed {seed}, {trace} is not complete"
            );
        }
        *verdicts.entry(verdict.to_string()).or_default() += 1;
    }
    println!("seed {seed}: {verdicts:?}");
    verdicts
}

#[test]
fn a_trace_called_complete_is_complete() {
    let complete = Completeness::Complete.to_string();
    for seed in 0..12 {
        // Everything is recorded and nothing lost: all are complete.
        let verdicts = judged(seed, &run(seed, &[0], 1 << 16));
        assert_eq!(
            verdicts.get(&complete),
            Some(&(ROOTS as usize)),
            "seed {seed}"
        );

        // At two rates: those whose R reaches the larger threshold, and no other.
        let of_rates = run(seed, &[0, 1, 2], 1 << 16);
        let verdicts = judged(seed, &of_rates);
        // Ten standard deviations around 30 % of 150.
        let share = verdicts.get(&complete).copied().unwrap_or(0);
        assert!((1..=101).contains(&share), "seed {seed}: {share}");

        // Something is under never, or without context: nothing is said that is not so.
        let verdicts = judged(seed, &run(seed, &[0, 1, 3], 1 << 16));
        assert_eq!(verdicts.get(&complete), None, "seed {seed}");
        judged(seed, &run(seed, &[0, 4], 1 << 16));

        // Rings that overflow.
        judged(seed, &run(seed, &[0, 1], 64));
    }
}

#[test]
fn without_a_leaf_that_leaves_no_mark_no_trace_is_complete() {
    let run = run(99, &[0], 1 << 16);
    let index = FlowIndex::new(&run.events);
    // A message that led to nothing: neither it nor its handling is named by anything that stays.
    let leads_to_nothing = |event: &&TraceEvent| {
        let is_handling = !event.is_data_flow() && event.trace_id.is_some();
        is_handling && index.effects(event.event_id).is_empty()
    };
    for taken in run.events.iter().filter(leads_to_nothing).step_by(17) {
        let gone = [Some(taken.event_id), taken.causality.parent_event_id];
        let is_left = |event: &&TraceEvent| !gone.contains(&Some(event.event_id));
        let left = FlowIndex::new(run.events.iter().filter(is_left));
        let trace = taken.trace_id.expect("a handling is in a trace");
        assert_eq!(index.completeness(trace), Completeness::Complete);
        assert_ne!(
            left.completeness(trace),
            Completeness::Complete,
            "{taken:?}"
        );
    }
}

#[sample(never)]
struct Order {
    parts: u64,
}

#[sample(rate = 1.0)]
#[derive(Default)]
struct Part {
    number: u64,
    #[trace(attribute)]
    made_from: Vec<Context>,
    #[trace(context)]
    context: Context,
}

struct Belt {
    from_actor: &'static str,
    to_actor: &'static str,
    channel: mpsc::Sender<Part>,
}

#[traced_connector(from_port = ("out"), to_port = ("in"))]
impl Belt {
    fn send(&self, message: Part) -> Result<(), mpsc::SendError<Part>> {
        self.channel.send(message)
    }
}

struct Shop {
    belt: Belt,
}

#[traced_actor(actor = ("shop"), port = "in")]
impl Shop {
    fn handle(&mut self, message: Order) {
        for number in 0..message.parts {
            let part = Part {
                number,
                ..Part::default()
            };
            self.belt.send(part).expect("the belt runs");
        }
    }
}

#[test]
fn what_an_unrecorded_handler_sends_does_not_claim_to_be_the_root() {
    let recording = Recording::start();
    let (channel, _parts) = mpsc::channel();
    let (from_actor, to_actor) = ("shop", "store");
    let mut shop = Shop {
        belt: Belt {
            from_actor,
            to_actor,
            channel,
        },
    };
    shop.handle(Order { parts: 2 });
    shop.belt.send(Part::default()).expect("the belt runs");
    let events = recording.events();
    let [first, second, alone] = events.as_slice() else {
        panic!("three parts were sent: {events:#?}");
    };
    assert_eq!(first.trace_id, second.trace_id);
    assert_eq!(first.causality.root_cause_event_id, None);
    assert_eq!(second.causality.root_cause_event_id, None);
    assert_eq!(alone.causality.root_cause_event_id, Some(alone.event_id));
    let index = FlowIndex::new(&events);
    let trace = first.trace_id.expect("in a trace");
    assert!(matches!(
        index.completeness(trace),
        Completeness::Partial(_)
    ));
}

/// Makes one of every two parts, and sends it round until its number is 0.
struct Joiner {
    belt: Belt,
    put_aside: Vec<Context>,
}

#[traced_actor(actor = ("joiner"), port = "in")]
impl Joiner {
    fn handle(&mut self, message: Part) {
        if self.put_aside.is_empty() {
            self.put_aside.push(Context::current());
            return;
        }
        let whole = Part {
            number: message.number,
            made_from: std::mem::take(&mut self.put_aside),
            ..Part::default()
        };
        self.belt.send(whole).expect("the belt runs");
    }
}

#[test]
fn what_was_made_from_several_keeps_every_cause() {
    let recording = Recording::start();
    let (channel, parts) = mpsc::channel();
    let (out, wholes) = mpsc::channel();
    let belt = |from_actor, to_actor, channel| Belt {
        from_actor,
        to_actor,
        channel,
    };
    let sources = ["left", "right"].map(|from| belt(from, "joiner", channel.clone()));
    for source in sources {
        source.send(Part::default()).expect("the belt runs");
    }
    let mut joiner = Joiner {
        belt: belt("joiner", "store", out),
        put_aside: Vec::new(),
    };
    for part in parts.try_iter() {
        joiner.handle(part);
    }
    let whole = wholes.try_recv().expect("two parts make a whole");
    let events = recording.events();
    let index = FlowIndex::new(&events);
    let id = whole.context.event_id().expect("it was recorded");
    let lineage = index.lineage(id).expect("it is among the events");
    let sent = lineage.causes().filter(|event| event.is_data_flow());
    let mut from: Vec<&str> = sent.map(|event| event.actor_id.as_str()).collect();
    from.sort_unstable();
    assert_eq!(from, ["left", "right"], "{lineage}");
    assert_eq!(
        index
            .event(id)
            .map(|it| it.causality.joined_event_ids.len()),
        Some(1)
    );
    assert_eq!(lineage.traces().len(), 2);
}

struct Round {
    belt: Belt,
}

#[traced_actor(actor = ("round"), port = "in")]
impl Round {
    fn handle(&mut self, message: Part) {
        if let Some(number) = message.number.checked_sub(1) {
            let part = Part {
                number,
                ..Part::default()
            };
            self.belt.send(part).expect("the belt runs");
        }
    }
}

#[test]
fn the_lineage_of_a_loop_goes_on_over_the_cut_of_its_traces() {
    const HOPS: u64 = 1_000;
    let recording = Recording::start();
    let (channel, parts) = mpsc::channel();
    let (from_actor, to_actor) = ("round", "round");
    let mut round = Round {
        belt: Belt {
            from_actor,
            to_actor,
            channel,
        },
    };
    let first = Part {
        number: HOPS,
        ..Part::default()
    };
    round.belt.send(first).expect("the belt runs");
    while let Ok(part) = parts.try_recv() {
        round.handle(part);
    }
    let events = recording.events();
    let index = FlowIndex::new(&events);
    let last = events.iter().rfind(|event| !event.is_data_flow());
    let last = last.expect("the last part was taken up");
    let lineage = index.lineage(last).expect("it is among the events");
    assert_eq!(lineage.steps().len() as u64, 2 * (HOPS + 1));
    assert!(lineage.steps().iter().all(|step| step.role != Role::Effect));
    assert_eq!(lineage.traces().len(), 5, "1 001 hops, cut after every 250");
    let root = index.root_cause(last.event_id);
    assert_eq!(last.causality.root_cause_event_id, root);
    assert_eq!(root, events.iter().map(|event| event.event_id).min());
    let path = lineage.critical_path();
    assert_eq!(path.parts().len(), lineage.steps().len());
    // The notices are not among these events.
    let no_coverage = Completeness::Unknown(Doubt::NoCoverage);
    let whole = lineage
        .traces()
        .iter()
        .filter(|&&(_, it)| it == no_coverage);
    assert_eq!(whole.count(), 5, "{lineage}");
    let text = lineage.to_string();
    assert!(text.contains("▶") && text.contains(" more\n"), "{text}");
}
