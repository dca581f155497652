//! A server, a client and the proxy between them, what becomes of them, and what must hold at the end.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use reflow_trace::wire::Frame;
use reflow_trace_durability::oracle::Stored;
use reflow_trace_durability::process::{ClientPlan, ClientProcess, ServerProcess};
use reflow_trace_durability::proxy::{Faults, Proxy};
use reflow_trace_durability::shared::{Attempts, Begun, THREADS};
use reflow_trace_durability::spool;
use tempfile::TempDir;

/// Longest that anything may take before the test fails; a dead line is noticed after 20 s.
const PATIENCE: Duration = Duration::from_secs(120);
const RATE: u32 = 6_000;

/// Small segments, so that sealing and merging happen all the time, and are killed.
const SERVER_FLAGS: [&str; 8] = [
    "--commit-group-wait",
    "5ms",
    "--store-seal-events",
    "3000",
    "--store-seal-after",
    "1s",
    "--commit-maintain-interval",
    "50ms",
];

/// A line on which words take their time, so that more is under way at any moment.
const SLOW: Faults = Faults {
    delays_ms: 4,
    ..Faults::NONE
};

pub(crate) struct Scene {
    directory: TempDir,
    server: Option<ServerProcess>,
    proxy: Proxy,
    client: Option<ClientProcess>,
    runs: u64,
    /// What the dead had begun.
    dead: BTreeMap<u64, [Begun; THREADS]>,
    /// What lay in the spool at their deaths.
    spooled: BTreeMap<(u64, u64), Frame>,
}

impl Scene {
    /// A server that listens, and nobody else.
    pub(crate) fn new(seed: u64) -> Self {
        let directory = tempfile::tempdir().expect("the directory of tests is writable");
        let server = start_server(directory.path());
        let proxy = Proxy::start(server.address(), SLOW, seed).expect("the system gives a port");
        Self {
            directory,
            server: Some(server),
            proxy,
            client: None,
            runs: 0,
            dead: BTreeMap::new(),
            spooled: BTreeMap::new(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn attempts(&self, run: u64) -> [Begun; THREADS] {
        let attempts = Attempts::open(&self.path(&format!("attempts-{run}")));
        attempts
            .and_then(|attempts| attempts.read())
            .expect("it was written")
    }

    pub(crate) fn start_server(&mut self) {
        let server = start_server(self.directory.path());
        self.proxy.move_to(server.address());
        self.server = Some(server);
    }

    /// Batches that were under way.
    pub(crate) fn kill_server(&mut self) -> usize {
        let server = self.server.take().expect("it runs");
        let under_way = self.proxy.under_way();
        server.kill();
        under_way
    }

    pub(crate) fn start_client(&mut self) {
        self.runs += 1;
        let plan = ClientPlan {
            program: env!("CARGO_BIN_EXE_durability-client").into(),
            server: self.proxy.address(),
            spool: self.path("spool"),
            attempts: self.path(&format!("attempts-{}", self.runs)),
            rate: RATE,
        };
        self.client = Some(plan.start(self.runs));
    }

    /// Batches that were under way.
    pub(crate) fn kill_client(&mut self) -> usize {
        let client = self.client.take().expect("it runs");
        let (run, under_way) = (client.run, self.proxy.under_way());
        client.kill();
        self.dead.insert(run, self.attempts(run));
        // Nobody else is at it now.
        let spooled = spool::batches_in(&self.path("spool")).expect("it can be read");
        self.spooled.extend(spooled);
        under_way
    }

    /// Nothing arrives any more, and nobody is told.
    pub(crate) fn silence(&self) {
        self.proxy.set_faults(Faults {
            half_opens: 1_000,
            ..SLOW
        });
    }

    /// What was silent ends, and what comes then arrives.
    pub(crate) fn end_silence(&self) {
        self.proxy.set_faults(SLOW);
    }

    /// Until the server has acknowledged something more: there is load, and both work.
    pub(crate) fn wait_for_progress(&self) {
        let acked = || self.proxy.witness().look(|seen| seen.acked_batches());
        let before = acked();
        wait_until("an acknowledgement", || acked() > before + 3);
    }

    /// Every second time, until something is under way, without a pause in which it could arrive.
    pub(crate) fn aim(&self, kill: usize) {
        let end = Instant::now() + PATIENCE;
        while kill.is_multiple_of(2) && self.proxy.under_way() == 0 {
            assert!(
                Instant::now() < end,
                "nothing under way within {PATIENCE:?}"
            );
            std::hint::spin_loop();
        }
    }

    /// Until there is something in the spool.
    pub(crate) fn wait_for_spool(&self) {
        wait_until("a batch in the spool", || self.has_spooled());
    }

    fn has_spooled(&self) -> bool {
        spool::batches_in(&self.path("spool")).is_ok_and(|batches| !batches.is_empty())
    }

    /// Lets the last client end in peace, then the server, and judges.
    pub(crate) fn finish(mut self) {
        let client = self.client.take().expect("the last one lives");
        wait_until("an empty spool", || !self.has_spooled());
        let run = client.run;
        let metrics = client.finish();
        let begun = self.attempts(run);
        assert!(
            self.server.take().expect("it runs").stop(),
            "the server ends in good order"
        );

        let seen = self.proxy.witness().seen();
        assert_eq!(
            seen.nonsense, [""; 0],
            "neither side says what makes no sense"
        );
        let stored = Stored::read(&self.path("data"));
        let findings = stored.check(&seen);
        stored.check_batches(&self.spooled);
        println!(
            "{findings:?}, {} batches were in the spool at a death",
            self.spooled.len()
        );
        println!("{:?}", stored.stats);
        assert_eq!(stored.stats.damaged_events, 0);
        assert_eq!(stored.stats.events, stored.len());

        self.judge_the_dead(&stored);
        // Of the last one everything is there, and its ledger says so.
        assert_eq!(
            stored.check_orders(run, &begun),
            0,
            "nothing of the one that lives is missing"
        );
        let (orders, ticks) = sums(&begun);
        let ledger = &metrics.ledger;
        assert!(ledger.balances(), "{ledger}");
        assert_eq!(
            (ledger.attempted, ledger.in_flight),
            (orders + ticks, 0),
            "{ledger}"
        );
        assert_eq!(ledger.lost, [], "{ledger}");
        let sink = ledger
            .sinks
            .iter()
            .find(|sink| sink.name == "server")
            .expect("it has one");
        let there = stored.orders_of(run) + stored.ticks_of(run);
        assert_eq!(
            (sink.stored, sink.queued, sink.pending),
            (there, 0, 0),
            "{ledger}"
        );
        assert_eq!(sink.lost, [], "{ledger}");
        assert_eq!(ledger.not_sampled, ticks - stored.ticks_of(run), "{ledger}");
        assert_eq!(
            stored.counted_by(run),
            Some(orders + ticks),
            "the exact counters have arrived"
        );
    }

    /// Of the dead: begun = stored + what was in memory only; nothing is there that was not begun.
    fn judge_the_dead(&self, stored: &Stored) {
        let mut sum = (0, 0);
        for (run, begun) in &self.dead {
            let missing = stored.check_orders(*run, begun);
            let (orders, ticks) = sums(begun);
            assert!(
                stored.ticks_of(*run) <= ticks,
                "a tick was stored that was never sent"
            );
            if let Some(counted) = stored.counted_by(*run) {
                assert!(
                    counted <= orders + ticks,
                    "{counted} messages were counted of {}",
                    orders + ticks
                );
            }
            sum = (sum.0 + orders, sum.1 + missing);
        }
        println!(
            "{} killed clients: {} orders begun, {} of them lost with the memory",
            self.dead.len(),
            sum.0,
            sum.1
        );
    }
}

fn start_server(directory: &Path) -> ServerProcess {
    let program = Path::new(env!("CARGO_BIN_EXE_durability-server"));
    ServerProcess::start(program, &directory.join("data"), &SERVER_FLAGS)
}

fn sums(begun: &[Begun; THREADS]) -> (u64, u64) {
    begun.iter().fold((0, 0), |sums, begun| {
        (sums.0 + begun.orders, sums.1 + begun.ticks)
    })
}

fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(
            Instant::now() < end,
            "{what} did not come within {PATIENCE:?}"
        );
        thread::sleep(Duration::from_millis(5));
    }
}

/// The moment of a kill is to be any.
pub(crate) fn milliseconds(count: u64) {
    thread::sleep(Duration::from_millis(count));
}
