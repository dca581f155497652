//! A chain of five hops at a tenth: a tenth of the lineages is whole, and nothing of any other is there.

use std::sync::mpsc;
use std::time::Duration;

use reflow_trace::channel::{crossbeam, std::mpsc as standard};
use reflow_trace::lineage::{Completeness, FlowIndex};
use reflow_trace::{
    Context, MemorySink, Overflow, TracingConfig, global_tracing, sample, traced_actor,
    traced_connector,
};
use reflow_trace_tests::Silence;

use crate::bound::expected;

const HOPS: usize = 5;

#[sample(rate = 0.1)]
struct Letter {
    #[trace(context)]
    context: Context,
}

/// A hop over a queue that nobody traces but the connector.
struct Post {
    from_actor: &'static str,
    to_actor: &'static str,
    queue: mpsc::Sender<Letter>,
}

#[traced_connector(from_port = ("out"), to_port = ("in"))]
impl Post {
    fn send(&self, message: Letter) -> Result<(), mpsc::SendError<Letter>> {
        self.queue.send(message)
    }
}

fn letter() -> Letter {
    Letter {
        context: Context::NONE,
    }
}

/// Takes from a channel and posts.
struct Clerk(Post);

#[traced_actor(actor = "self.0.from_actor")]
impl Clerk {
    fn run(self, inbox: standard::Receiver<Letter>) {
        for _ in inbox {
            self.0.send(letter()).expect("the next one listens");
        }
    }
}

/// Takes from the post and puts into a channel.
struct Porter {
    name: &'static str,
    out: Out,
}

enum Out {
    Standard(standard::Sender<Letter>),
    Crossbeam(crossbeam::Sender<Letter>),
}

#[traced_actor(actor = "self.name", port = ("in"))]
impl Porter {
    fn handle(&self, _message: Letter) {
        match &self.out {
            Out::Standard(sender) => sender.send(letter()).expect("the next one listens"),
            Out::Crossbeam(sender) => sender.send(letter()).expect("the next one listens"),
        }
    }
}

struct Reader;

#[traced_actor(actor = ("e"))]
impl Reader {
    fn run(self, inbox: crossbeam::Receiver<Letter>) -> usize {
        inbox.iter().count()
    }
}

/// `source → a → b → c → d → e`, by channel and by post in turns.
fn share_of_whole_lineages(letters: usize) {
    let _alone = Silence::start();
    let memory = MemorySink::with_capacity(4_000_000);
    let guard = reflow_trace::builder()
        .config(TracingConfig {
            overflow: Overflow::Wait(Duration::from_secs(600)),
            // The sink is slower than the rings, and is not what is tried here.
            sink_queue_bytes_max: 1 << 34,
            ..TracingConfig::default()
        })
        .sink(memory.clone())
        .start()
        .expect("nobody else is recording");
    let (source, a) = standard::channel();
    let (source, a) = (
        source.named("source", "out").with_policy(),
        a.named("a", "in"),
    );
    let (to_b, b) = mpsc::channel();
    let (to_c, c) = standard::channel();
    let (to_c, c) = (to_c.named("b", "out").with_policy(), c.named("c", "in"));
    let (to_d, d) = mpsc::channel();
    let (to_e, e) = crossbeam::bounded(64);
    let (to_e, e) = (to_e.named("d", "out").with_policy(), e.named("e", "in"));
    let post = |from_actor, to_actor, queue| Post {
        from_actor,
        to_actor,
        queue,
    };
    let arrived = std::thread::scope(|scope| {
        let post = (post("a", "b", to_b), post("c", "d", to_d));
        scope.spawn(move || Clerk(post.0).run(a));
        scope.spawn(move || Clerk(post.1).run(c));
        let porters = [
            ("b", Out::Standard(to_c), b),
            ("d", Out::Crossbeam(to_e), d),
        ];
        for (name, out, inbox) in porters {
            scope.spawn(move || {
                let porter = Porter { name, out };
                inbox.into_iter().for_each(|letter| porter.handle(letter));
            });
        }
        let reader = scope.spawn(move || Reader.run(e));
        for _ in 0..letters {
            source.send(letter()).expect("a listens");
        }
        drop(source);
        reader.join().expect("no panic")
    });
    assert_eq!(arrived, letters);
    guard
        .flush(Duration::from_secs(60))
        .expect("a memory sink does not stall");
    let tracing = global_tracing().expect("recording");
    let ledger = tracing.performance_metrics().ledger;
    let events = memory.events();
    drop(guard);
    let stored = ledger.sinks.iter().map(|sink| sink.stored).sum::<u64>();
    assert_eq!(
        ledger.attempted,
        ledger.not_sampled + stored,
        "nothing is lost: {ledger}"
    );

    let index = FlowIndex::new(&events);
    let mut whole = 0;
    for trace in index.traces() {
        // A send and a receive a hop, or nothing at all.
        assert_eq!(index.trace(trace).len(), 2 * HOPS, "{trace}");
        assert_eq!(index.completeness(trace), Completeness::Complete, "{trace}");
        whole += 1;
    }
    let share = 100.0 * whole as f64 / letters as f64;
    let expected = expected(letters, 0.1, 0.1);
    println!(
        "{letters} letters over {HOPS} hops at 10 %: {whole} whole lineages ({share:.2} %), expected {expected:?}; no other left anything"
    );
    assert!(
        expected.contains(&whole),
        "{whole} of {letters}, not in {expected:?}"
    );
}

#[test]
fn a_tenth_of_the_lineages_over_five_hops_is_whole_and_nothing_is_there_of_the_others() {
    share_of_whole_lineages(if crate::runs::is_full() {
        1_000_000
    } else {
        20_000
    });
}
