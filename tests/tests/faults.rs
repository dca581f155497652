//! What goes wrong is counted and told, and harms neither the program nor what goes well.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use reflow_trace::ledger::{Ledger, LossReason, SinkLedger};
use reflow_trace::{
    Batch, DataFlowGraph, FlushError, Guard, InitError, MemorySink, NAME_BYTES_MAX, Overflow, Sink,
    SinkError, TraceEvent, TracingConfig, TracingMetrics, builder, global_tracing, sample,
    traced_connector,
};
use reflow_trace_tests::Silence;

/// Much longer than anything here takes; it only ends a test that would never end.
const FOR_EVER: Duration = Duration::from_secs(60);

#[sample(always)]
struct Note;

/// A connector whose ends are of any type that can name one.
struct Connector<N> {
    from_actor: N,
    from_port: N,
    to_actor: N,
    to_port: N,
}

#[traced_connector]
impl<N: fmt::Display> Connector<N> {
    fn send(&self, message: Note) -> Result<(), String> {
        let Note = message;
        Ok(())
    }
}

/// The same with ends that are text, which take another way to the record.
struct TextConnector {
    from_actor: String,
    from_port: String,
    to_actor: String,
    to_port: String,
}

#[traced_connector]
impl TextConnector {
    fn send(&self, message: Note) -> Result<(), String> {
        let Note = message;
        Ok(())
    }
}

fn link(from_actor: &str, to_actor: &str) -> TextConnector {
    TextConnector {
        from_actor: from_actor.to_owned(),
        from_port: "out".to_owned(),
        to_actor: to_actor.to_owned(),
        to_port: "in".to_owned(),
    }
}

fn send_over(connector: &TextConnector, times: usize) {
    for _ in 0..times {
        connector.send(Note).expect("a traced send is the send");
    }
}

fn send(times: usize) {
    send_over(&link("a", "b"), times);
}

/// What the metrics say right after a flush that nothing held up.
fn flushed(guard: &Guard) -> TracingMetrics {
    guard.flush(FOR_EVER).expect("nothing holds it up");
    metrics()
}

fn metrics() -> TracingMetrics {
    global_tracing()
        .expect("it is under way")
        .performance_metrics()
}

fn lost(ledger: &Ledger, reason: LossReason) -> u64 {
    ledger
        .lost
        .iter()
        .filter(|loss| loss.reason == reason)
        .map(|loss| loss.count)
        .sum()
}

fn sink<'a>(ledger: &'a Ledger, name: &str) -> &'a SinkLedger {
    ledger
        .sinks
        .iter()
        .find(|sink| sink.name == name)
        .expect("the sink is in the ledger")
}

fn lost_at(sink: &SinkLedger) -> Vec<(LossReason, u64)> {
    sink.lost
        .iter()
        .map(|loss| (loss.reason, loss.count))
        .collect()
}

fn messages(memory: &MemorySink) -> usize {
    memory
        .events()
        .iter()
        .filter(|event| event.is_data_flow())
        .count()
}

/// The sums of the losses that are told among the events.
fn losses_told(memory: &MemorySink) -> BTreeMap<LossReason, u64> {
    let mut told = BTreeMap::new();
    for loss in memory.events().iter().filter_map(TraceEvent::as_loss) {
        *told.entry(loss.reason).or_default() += loss.count;
    }
    told
}

fn losses_counted(ledger: &Ledger) -> BTreeMap<LossReason, u64> {
    ledger
        .lost
        .iter()
        .map(|loss| (loss.reason, loss.count))
        .collect()
}

mod files {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_written_is_an_error_that_names_it() {
        let _alone = Silence::start();
        let path = Path::new("no such directory").join("flow.jsonl");
        let config = TracingConfig {
            file: Some(path.clone()),
            ..TracingConfig::default()
        };
        let error = reflow_trace::init(config).expect_err("the directory is missing");
        let InitError::File { path: named, .. } = &error else {
            panic!("another error: {error}");
        };
        assert_eq!(*named, path);
        assert!(
            error.to_string().contains(&format!("`{}`", path.display())),
            "{error}"
        );

        // Nothing is left over of the attempt.
        assert!(global_tracing().is_none());
        let memory = MemorySink::with_capacity(10);
        let guard = builder()
            .sink(memory.clone())
            .start()
            .expect("nobody records");
        send(1);
        assert!(flushed(&guard).ledger.balances());
        assert_eq!(messages(&memory), 1);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_that_fills_up_is_counted_and_the_reason_is_shown() {
        let _alone = Silence::start();
        let memory = MemorySink::with_capacity(10_000);
        let guard = builder()
            .file("/dev/full")
            .sink(memory.clone())
            .start()
            .expect("it can be opened");
        send(1_000);
        let metrics = flushed(&guard);
        assert!(metrics.ledger.balances(), "{metrics}");
        let file = sink(&metrics.ledger, "file");
        assert_eq!(lost_at(file), [(LossReason::SinkFailed, 1_000)]);
        let error = file.last_error.as_deref().unwrap_or_default();
        assert!(error.contains("`/dev/full`"), "{error}");
        assert!(metrics.to_string().contains(error), "{metrics}");
        assert_eq!(
            (messages(&memory), sink(&metrics.ledger, "memory").stored),
            (1_000, 1_000)
        );
    }
}

mod sinks {
    use super::*;

    /// Panics at its second batch, and would again.
    struct Panics {
        batches: usize,
    }

    impl Sink for Panics {
        fn name(&self) -> &str {
            "panics"
        }

        fn write(&mut self, _: &Batch) -> Result<(), SinkError> {
            self.batches += 1;
            assert!(self.batches < 2, "batch {} is too much", self.batches);
            Ok(())
        }
    }

    impl Drop for Panics {
        fn drop(&mut self) {
            // Not while it panics already: that would abort, here as everywhere.
            assert!(thread::panicking(), "and its end is no better");
        }
    }

    #[test]
    fn a_sink_that_panics_is_counted_and_leaves_the_others_alone() {
        let _alone = Silence::start();
        let memory = MemorySink::with_capacity(10_000);
        let guard = builder()
            .sink(Panics { batches: 0 })
            .sink(memory.clone())
            .start()
            .expect("nobody records");
        for _ in 0..10 {
            send(10);
            assert!(flushed(&guard).ledger.balances());
        }
        let metrics = flushed(&guard);
        let panics = sink(&metrics.ledger, "panics");
        let (reason, count) = lost_at(panics)[0];
        assert_eq!(reason, LossReason::SinkPanicked);
        assert_eq!(count + panics.stored, 100, "{metrics}");
        assert!(count >= 90, "{metrics}");
        let error = panics.last_error.as_deref().unwrap_or_default();
        assert!(
            error.contains("panicked") && error.contains("batch 2 is too much"),
            "{error}"
        );
        assert_eq!(
            (messages(&memory), sink(&metrics.ledger, "memory").stored),
            (100, 100)
        );
        guard
            .shutdown(FOR_EVER)
            .expect("the end of a sink harms nobody either");
    }

    /// Takes no batch to its end before the other end of the channel is dropped.
    struct Stalls(Receiver<()>);

    impl Sink for Stalls {
        fn name(&self) -> &str {
            "stalls"
        }

        fn write(&mut self, _: &Batch) -> Result<(), SinkError> {
            // Nothing is ever sent: this ends when there is nobody left to send.
            self.0.recv().ok();
            Ok(())
        }
    }

    fn stalls() -> (Stalls, Sender<()>) {
        let (release, stall) = channel();
        (Stalls(stall), release)
    }

    #[derive(Clone, Default)]
    struct Counts(Arc<AtomicU64>);

    impl Counts {
        /// Waits until so many have come.
        fn reach(&self, count: u64) {
            let late = Instant::now() + FOR_EVER;
            while self.0.load(Ordering::Acquire) < count {
                assert!(Instant::now() < late, "the events never came");
                thread::yield_now();
            }
        }
    }

    impl Sink for Counts {
        fn name(&self) -> &str {
            "counts"
        }

        fn write(&mut self, batch: &Batch) -> Result<(), SinkError> {
            self.0.fetch_add(batch.len() as u64, Ordering::Release);
            Ok(())
        }
    }

    #[test]
    fn a_sink_that_stalls_costs_bounded_memory_and_the_others_nothing() {
        const BYTES_MAX: usize = 1 << 20;
        const ROUNDS: u64 = 50;
        const EACH: u64 = 1_000;
        let _alone = Silence::start();
        let (stalls, release) = stalls();
        let counts = Counts::default();
        let config = TracingConfig {
            sink_queue_bytes_max: BYTES_MAX,
            shutdown_timeout: Duration::from_millis(100),
            ..TracingConfig::default()
        };
        let guard = builder()
            .config(config)
            .sink(stalls)
            .sink(counts.clone())
            .start()
            .expect("nobody records");
        for round in 1..=ROUNDS {
            send(EACH as usize);
            assert_eq!(
                guard.flush(Duration::ZERO),
                Err(FlushError::Timeout(Duration::ZERO))
            );
            counts.reach(round * EACH);
        }
        let within = Duration::from_millis(20);
        assert_eq!(guard.flush(within), Err(FlushError::Timeout(within)));

        let metrics = metrics();
        assert!(metrics.ledger.balances(), "{metrics}");
        assert_eq!(metrics.ledger.collected, ROUNDS * EACH);
        assert_eq!(sink(&metrics.ledger, "counts").stored, ROUNDS * EACH);
        let stalled = sink(&metrics.ledger, "stalls");
        assert_eq!(stalled.stored, 0);
        // An event of this kind is one slot.
        assert!(stalled.queued * 64 <= BYTES_MAX as u64, "{metrics}");
        assert_eq!(
            lost_at(stalled),
            [(LossReason::SinkFull, ROUNDS * EACH - stalled.queued)]
        );
        assert!(
            stalled.queued < ROUNDS * EACH / 2,
            "the limit was reached: {metrics}"
        );
        // The queue, a ring, and small change.
        assert!(metrics.memory_usage_mb < 3.0, "{metrics}");

        let (done, returned) = channel();
        thread::spawn(move || {
            drop(guard);
            done.send(()).expect("the test waits");
        });
        returned
            .recv_timeout(FOR_EVER)
            .expect("a guard does not wait for ever");
        let again = builder()
            .start()
            .expect("a sink that was left behind is in nobody's way");
        drop((again, release));
    }

    #[test]
    fn a_flush_that_waits_for_one_sink_keeps_nothing_from_the_others() {
        let _alone = Silence::start();
        let (stalls, release) = stalls();
        let counts = Counts::default();
        let config = TracingConfig {
            shutdown_timeout: Duration::ZERO,
            ..TracingConfig::default()
        };
        let guard = builder()
            .config(config)
            .sink(stalls)
            .sink(counts.clone())
            .start()
            .expect("nobody records");
        send(1);
        thread::scope(|scope| {
            let late = scope.spawn(|| guard.flush(FOR_EVER));
            // Many times what a ring holds: it is emptied while the flush waits.
            for round in 1..=20 {
                send(1_000);
                counts.reach(1 + round * 1_000);
            }
            assert!(!late.is_finished(), "the sink stalls");
            assert_eq!(metrics().ledger.lost_total(), 0);
            drop(release);
            let late = late.join().expect("a flush does not panic");
            assert_eq!(late, Ok(()), "it was only late");
        });
    }

    #[test]
    fn a_flush_is_late_when_the_queue_of_a_sink_is_full_of_small_batches() {
        let _alone = Silence::start();
        let (stalls, release) = stalls();
        let config = TracingConfig {
            shutdown_timeout: Duration::ZERO,
            ..TracingConfig::default()
        };
        let guard = builder()
            .config(config)
            .sink(stalls)
            .start()
            .expect("nobody records");
        // Each puts a batch and a question into the queue.
        for _ in 0..5_000 {
            send(1);
            assert_eq!(
                guard.flush(Duration::ZERO),
                Err(FlushError::Timeout(Duration::ZERO))
            );
        }
        let ledger = metrics().ledger;
        assert!(
            lost_at(sink(&ledger, "stalls"))[0].1 > 0,
            "the queue is full: {ledger}"
        );
        drop((guard, release));
    }

    /// Sends over a traced connector whenever it is handed messages.
    struct Recursive;

    impl Sink for Recursive {
        fn name(&self) -> &str {
            "recursive"
        }

        fn write(&mut self, _: &Batch) -> Result<(), SinkError> {
            link("sink", "nowhere").send(Note)?;
            let tracing = global_tracing();
            if let Some(tracing) = tracing {
                tracing.record(TraceEvent::actor_created("by the sink"));
            }
            Ok(())
        }
    }

    #[test]
    fn a_sink_may_send_over_traced_connectors() {
        let _alone = Silence::start();
        let memory = MemorySink::with_capacity(100_000);
        let guard = builder()
            .sink(Recursive)
            .sink(memory.clone())
            .start()
            .expect("nobody records");
        send(1_000);
        guard.flush(FOR_EVER).expect("the sinks answer");
        send(1_000);
        guard.flush(FOR_EVER).expect("the sinks answer");
        let of_sinks = |event: &TraceEvent| event.actor_id == "sink";
        let events = memory.events();
        let sent = events.iter().filter(|event| event.actor_id == "a").count();
        assert_eq!(sent, 2_000);
        assert!(events.iter().any(of_sinks));
        guard.shutdown(FOR_EVER).expect("it ends");
    }
}

mod rings {
    use super::*;

    #[test]
    fn what_finds_no_room_in_the_ring_is_counted_and_told() {
        for (overflow, reason) in [
            (Overflow::DropNewest, LossReason::RingFull),
            (Overflow::OverwriteOldest, LossReason::Overwritten),
        ] {
            let _alone = Silence::start();
            let memory = MemorySink::with_capacity(1_000_000);
            let guard = builder()
                .sink(memory.clone())
                .ring_capacity(64)
                .overflow(overflow)
                .start()
                .expect("nobody records");
            let mut sent = 0;
            let ledger = loop {
                send(10_000);
                sent += 10_000;
                let ledger = flushed(&guard).ledger;
                if lost(&ledger, reason) > 0 {
                    break ledger;
                }
            };
            assert!(ledger.balances() && ledger.in_flight == 0, "{ledger}");
            assert_eq!((ledger.attempted, ledger.lost.len()), (sent, 1), "{ledger}");
            assert_eq!(losses_told(&memory), losses_counted(&ledger));
            assert_eq!(messages(&memory) as u64, ledger.collected);
            let counters = global_tracing().expect("it is under way").edge_counters();
            assert_eq!(
                counters.edges[0].messages, sent,
                "the counters miss nothing"
            );
        }
    }

    #[test]
    fn threads_beyond_the_rings_are_counted_and_told() {
        const THREADS: usize = 8;
        const RINGS: usize = 2;
        const EACH: usize = 10;
        let _alone = Silence::start();
        let memory = MemorySink::with_capacity(1_000);
        let config = TracingConfig {
            rings_max: RINGS,
            ..TracingConfig::default()
        };
        let guard = builder()
            .config(config)
            .sink(memory.clone())
            .start()
            .expect("nobody records");
        let all_have_sent = Arc::new(Barrier::new(THREADS));
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                let all_have_sent = Arc::clone(&all_have_sent);
                thread::spawn(move || {
                    send(EACH);
                    all_have_sent.wait();
                })
            })
            .collect();
        for thread in threads {
            thread.join().expect("sending does not panic");
        }
        let ledger = flushed(&guard).ledger;
        assert!(ledger.balances() && ledger.in_flight == 0, "{ledger}");
        assert_eq!(ledger.attempted, (THREADS * EACH) as u64);
        assert_eq!(
            lost(&ledger, LossReason::NoRing),
            ((THREADS - RINGS) * EACH) as u64
        );
        assert_eq!(losses_told(&memory), losses_counted(&ledger));
        assert_eq!(messages(&memory), RINGS * EACH);

        // They have given their rings back.
        thread::spawn(|| send(EACH))
            .join()
            .expect("sending does not panic");
        let ledger = flushed(&guard).ledger;
        assert_eq!(messages(&memory), (RINGS + 1) * EACH, "{ledger}");
    }

    #[test]
    fn many_short_threads_share_few_rings_and_lose_nothing() {
        const THREADS: usize = 300;
        let _alone = Silence::start();
        let memory = MemorySink::with_capacity(10_000);
        let guard = builder()
            .sink(memory.clone())
            .start()
            .expect("nobody records");
        for _ in 0..THREADS / 3 {
            let threads: Vec<_> = (0..3).map(|_| thread::spawn(|| send(5))).collect();
            for thread in threads {
                thread.join().expect("sending does not panic");
            }
        }
        let metrics = flushed(&guard);
        assert!(
            metrics.ledger.balances() && metrics.ledger.in_flight == 0,
            "{metrics}"
        );
        assert_eq!(messages(&memory), THREADS * 5);
        // Three rings are under one megabyte; three hundred would be seventy-eight.
        assert!(metrics.memory_usage_mb < 3.0, "{metrics}");
    }
}

mod by_hand {
    use super::*;

    #[test]
    fn what_finds_no_room_in_the_queue_is_counted_and_told() {
        let _alone = Silence::start();
        let memory = MemorySink::with_capacity(1_000_000);
        let config = TracingConfig {
            manual_queue_max: 1,
            ..TracingConfig::default()
        };
        let guard = builder()
            .config(config)
            .sink(memory.clone())
            .start()
            .expect("nobody records");
        let tracing = global_tracing().expect("it is under way");
        let mut recorded = 0;
        let ledger = loop {
            for _ in 0..1_000 {
                tracing.record(TraceEvent::data_flow("a", "out", "b", "in", "T", 1));
            }
            recorded += 1_000;
            let ledger = flushed(&guard).ledger;
            if lost(&ledger, LossReason::ManualQueueFull) > 0 {
                break ledger;
            }
        };
        assert!(ledger.balances() && ledger.in_flight == 0, "{ledger}");
        assert_eq!(ledger.attempted, recorded);
        assert_eq!(losses_told(&memory), losses_counted(&ledger));
        assert_eq!(messages(&memory) as u64, ledger.collected);
    }

    #[test]
    fn what_is_recorded_after_the_end_goes_nowhere_and_is_no_error() {
        let _alone = Silence::start();
        let memory = MemorySink::with_capacity(100);
        let guard = builder()
            .sink(memory.clone())
            .start()
            .expect("nobody records");
        let tracing = global_tracing().expect("it is under way");
        let record = || {
            let recorded = tracing.trace_data_flow("a", "out", "b", "in", "T", 1);
            futures::executor::block_on(recorded)
        };
        assert_eq!(record(), Ok(()));
        drop(guard);
        assert_eq!(messages(&memory), 1);
        for _ in 0..10_000 {
            assert_eq!(record(), Ok(()));
        }
        assert_eq!(messages(&memory), 1);
        assert!(global_tracing().is_none());
    }

    #[test]
    fn an_event_beyond_the_largest_record_is_counted_and_told() {
        let _alone = Silence::start();
        let memory = MemorySink::with_capacity(100);
        let guard = builder()
            .sink(memory.clone())
            .start()
            .expect("nobody records");
        let tracing = global_tracing().expect("it is under way");
        let with_content = |bytes: usize| {
            let content = Some(vec![7; bytes]);
            TraceEvent::data_flow_with_content("a", "out", "b", "in", "T", bytes, content)
        };
        let (small, large) = (with_content(4_000_000), with_content(4 << 20));
        for event in [&small, &large, &small] {
            tracing.record(event.clone());
        }
        let ledger = flushed(&guard).ledger;
        assert!(ledger.balances() && ledger.in_flight == 0, "{ledger}");
        assert_eq!(lost(&ledger, LossReason::TooLarge), 1, "{ledger}");
        assert_eq!(losses_told(&memory), losses_counted(&ledger));
        let kept: Vec<_> = memory
            .events()
            .into_iter()
            .filter(TraceEvent::is_data_flow)
            .collect();
        assert!(
            kept == [small.clone(), small],
            "those that fit are kept whole"
        );
    }
}

mod names {
    use super::*;

    const STRANGE: [&str; 7] = [
        "",
        " ",
        "\u{0}\u{1}\u{7}\u{1b}[31m\r\n\t\u{7f}\u{85}\u{fffe}\u{ffff}",
        "<b>&amp;\"'</b>]]>--",
        "传感器 датчик 🙂\u{200d}\u{1f3fd}",
        "\u{202e}right to left",
        "(too many to tell apart)",
    ];

    fn long_names() -> Vec<String> {
        let long = "ü".repeat(10_000);
        let ends = ["", "x", "y"].map(|end| format!("{long}{end}"));
        // The longest that stay whole, and the shortest that do not.
        let whole = "w".repeat(NAME_BYTES_MAX);
        let cut = format!("{whole}w");
        ends.into_iter().chain([whole, cut]).collect()
    }

    /// The rule: whole up to the limit, else a beginning, `…` and eight digits.
    fn assert_kept_by_the_rule(name: &str, kept: &str) {
        if name.len() <= NAME_BYTES_MAX {
            assert_eq!(kept, name);
            return;
        }
        let (beginning, digits) = kept.rsplit_once('…').expect("the mark of a cut");
        assert!(
            kept.len() <= NAME_BYTES_MAX && name.starts_with(beginning),
            "{kept}"
        );
        assert!(
            beginning.len() >= NAME_BYTES_MAX - 15,
            "as much is kept as fits: {kept}"
        );
        assert!(
            digits.len() == 8 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()),
            "{kept}"
        );
    }

    /// A type of its own, which is no text and can only be shown.
    struct Shown(String);

    impl fmt::Display for Shown {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            // In pieces, as formatting usually is.
            self.0
                .chars()
                .try_for_each(|character| write!(f, "{character}"))
        }
    }

    #[test]
    fn any_name_is_recorded_by_the_rule_and_breaks_no_picture() {
        let _alone = Silence::start();
        let memory = MemorySink::with_capacity(1_000);
        let guard = builder()
            .sink(memory.clone())
            .start()
            .expect("nobody records");
        let names: Vec<String> = STRANGE
            .map(str::to_owned)
            .into_iter()
            .chain(long_names())
            .collect();
        for name in &names {
            let shown = || Shown(name.clone());
            TextConnector {
                from_actor: name.clone(),
                from_port: name.clone(),
                to_actor: name.clone(),
                to_port: name.clone(),
            }
            .send(Note)
            .expect("a name changes no send");
            Connector {
                from_actor: shown(),
                from_port: shown(),
                to_actor: shown(),
                to_port: shown(),
            }
            .send(Note)
            .expect("a name changes no send");
        }
        assert!(flushed(&guard).ledger.balances());
        let all = memory.events();
        let events: Vec<_> = all.iter().filter(|event| event.is_data_flow()).collect();
        assert_eq!(events.len(), 2 * names.len());
        for (name, pair) in names.iter().zip(events.chunks(2)) {
            let kept = &pair[0].actor_id;
            assert_kept_by_the_rule(name, kept);
            for event in pair {
                assert_eq!(event.actor_id, *kept);
                assert_eq!(event.data.port.as_ref(), Some(kept));
                assert_eq!(event.destination(), Some((kept.as_str(), kept.as_str())));
            }
        }
        let different: std::collections::HashSet<_> =
            events.iter().map(|event| &event.actor_id).collect();
        assert_eq!(
            different.len(),
            names.len(),
            "names that differ late stay apart"
        );

        let graph = DataFlowGraph::from_events(&all);
        assert_eq!(graph.edges().len(), names.len());
        let picture = graph.to_svg();
        let options = roxmltree::ParsingOptions::default();
        roxmltree::Document::parse_with_options(&picture, options).expect("well-formed");
        let json = serde_json::to_string(&all).expect("serializes");
        let read: Vec<TraceEvent> = serde_json::from_str(&json).expect("parses");
        assert_eq!(read.len(), all.len());
    }

    /// Sends over another connector, and over its own, whenever somebody asks for its name.
    struct Talkative;

    thread_local! {
        static TALKING: Cell<u32> = const { Cell::new(0) };
    }

    fn talkative() -> Connector<Talkative> {
        Connector {
            from_actor: Talkative,
            from_port: Talkative,
            to_actor: Talkative,
            to_port: Talkative,
        }
    }

    impl fmt::Display for Talkative {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let depth = TALKING.replace(TALKING.get() + 1);
            if depth < 2 {
                talkative().send(Note).map_err(|_| fmt::Error)?;
                link("name", "listener")
                    .send(Note)
                    .map_err(|_| fmt::Error)?;
            }
            TALKING.set(depth);
            f.write_str("talkative")
        }
    }

    #[test]
    fn a_name_may_send_over_traced_connectors_while_it_is_shown() {
        let _alone = Silence::start();
        let memory = MemorySink::with_capacity(1_000);
        let guard = builder()
            .sink(memory.clone())
            .start()
            .expect("nobody records");
        talkative().send(Note).expect("a name changes no send");
        let ledger = flushed(&guard).ledger;
        assert!(ledger.balances() && ledger.in_flight == 0, "{ledger}");
        assert_eq!(ledger.lost_total(), 0, "{ledger}");
        // The send, four names that send, and four names of each of those.
        let count = |actor: &str| {
            memory
                .events()
                .iter()
                .filter(|event| event.actor_id == actor)
                .count()
        };
        assert_eq!((count("talkative"), count("name")), (1 + 4 + 16, 4 + 16));
    }
}

mod life {
    use super::*;

    #[test]
    fn a_second_recording_is_refused_and_the_first_goes_on() {
        let _alone = Silence::start();
        let memory = MemorySink::with_capacity(10);
        let guard = builder()
            .sink(memory.clone())
            .start()
            .expect("nobody records");
        let second = reflow_trace::init(TracingConfig::default());
        assert!(
            matches!(second, Err(InitError::AlreadyRunning)),
            "{second:?}"
        );
        send(1);
        flushed(&guard);
        assert_eq!(messages(&memory), 1);
    }

    #[test]
    fn the_next_recording_begins_at_zero() {
        let _alone = Silence::start();
        for _ in 0..3 {
            let memory = MemorySink::with_capacity(100);
            let guard = builder()
                .sink(memory.clone())
                .start()
                .expect("the one before has ended");
            send(10);
            let ledger = flushed(&guard).ledger;
            assert!(ledger.balances(), "{ledger}");
            assert_eq!((ledger.attempted, ledger.collected), (10, 10));
            assert_eq!(messages(&memory), 10);
            let counters = global_tracing().expect("it is under way").edge_counters();
            assert_eq!(
                counters.edges.iter().map(|edge| edge.messages).sum::<u64>(),
                10
            );
            drop(guard);
            assert!(global_tracing().is_none());
            send(10);
            assert_eq!(
                messages(&memory),
                10,
                "between two recordings nothing is recorded"
            );
        }
    }

    #[test]
    fn recordings_come_and_go_while_threads_send() {
        let _alone = Silence::start();
        let go_on = Arc::new(AtomicBool::new(true));
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let go_on = Arc::clone(&go_on);
                thread::spawn(move || {
                    let mut sent = 0_u64;
                    while go_on.load(Ordering::Relaxed) {
                        send(100);
                        sent += 100;
                    }
                    sent
                })
            })
            .collect();
        for _ in 0..10 {
            let memory = MemorySink::with_capacity(1_000);
            let guard = builder()
                .sink(memory.clone())
                .start()
                .expect("the one before has ended");
            let late = Instant::now() + FOR_EVER;
            while messages(&memory) == 0 {
                assert!(Instant::now() < late, "the threads are not recorded");
                guard.flush(FOR_EVER).expect("the sink takes everything");
            }
            let tracing = global_tracing().expect("it is under way");
            guard.shutdown(FOR_EVER).expect("the sink takes everything");
            // What is said of a recording that has ended does no harm.
            tracing.record(TraceEvent::actor_created("late"));
            let _at_the_end = (tracing.performance_metrics(), tracing.edge_counters());
        }
        go_on.store(false, Ordering::Relaxed);
        for thread in threads {
            assert!(thread.join().expect("sending does not panic") > 0);
        }
    }

    /// Sends when its thread ends.
    struct Farewell(&'static Mutex<u64>);

    impl Drop for Farewell {
        fn drop(&mut self) {
            send(10);
            if let Some(tracing) = global_tracing() {
                tracing.record(TraceEvent::actor_completed("farewell"));
            }
            *self.0.lock().expect("nobody panics") += 10;
        }
    }

    #[test]
    fn a_thread_may_send_while_its_locals_are_destroyed() {
        static SENT: Mutex<u64> = Mutex::new(0);
        thread_local! {
            static BEFORE: RefCell<Option<Farewell>> = const { RefCell::new(None) };
            static AFTER: RefCell<Option<Farewell>> = const { RefCell::new(None) };
        }
        let _alone = Silence::start();
        let memory = MemorySink::with_capacity(1_000);
        let guard = builder()
            .sink(memory.clone())
            .start()
            .expect("nobody records");
        let thread = thread::spawn(|| {
            // Locals are destroyed in some order: one that was first used before the lane of this
            // thread, and one after.
            BEFORE.set(Some(Farewell(&SENT)));
            send(10);
            AFTER.set(Some(Farewell(&SENT)));
        });
        thread.join().expect("sending does not panic");
        assert_eq!(*SENT.lock().expect("nobody panics"), 20);
        let ledger = flushed(&guard).ledger;
        assert!(ledger.balances() && ledger.in_flight == 0, "{ledger}");
        // Two of them by hand.
        assert_eq!(ledger.attempted, 32, "{ledger}");
        assert_eq!(
            ledger.collected + lost(&ledger, LossReason::NoRing),
            32,
            "{ledger}"
        );
        assert_eq!(losses_told(&memory), losses_counted(&ledger));
    }
}
