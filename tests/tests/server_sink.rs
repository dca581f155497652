//! Events to a server, from a program that records: configured in code, from outside, encrypted, and
//! without anybody there.
//!
//! The server is a few lines that read frames and acknowledge them.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use reflow_trace::ledger::LossReason;
use reflow_trace::wire::frame::{Ack, Frame, FrameLimits, Message, Welcome};
use reflow_trace::wire::{BatchLimits, WireBatch};
use reflow_trace::{
    ENVIRONMENT_VARIABLE, InitError, ServerOptions, ServerSink, ServerToken, TraceEvent,
    TracingConfig, builder, global_tracing, init, sample, traced_connector,
};
use reflow_trace_tests::Silence;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tungstenite::handshake::server::{Request, Response};
use tungstenite::http::HeaderValue;
use tungstenite::{Message as Raw, accept_hdr};

/// Much longer than anything here takes; it only ends a test that would never end.
const FOR_EVER: Duration = Duration::from_secs(60);

/// A server that acknowledges everything, on a thread of its own.
struct Server {
    port: u16,
    batches: Receiver<Frame>,
}

impl Server {
    fn start(tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let (sender, batches) = channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (Ok(stream), sender, tls) = (stream, sender.clone(), tls.clone()) else {
                    return;
                };
                thread::spawn(move || match tls {
                    None => serve(stream, |frame| sender.send(frame).is_ok()),
                    Some(tls) => {
                        let tls = rustls::ServerConnection::new(tls).expect("it is configured");
                        let stream = rustls::StreamOwned::new(tls, stream);
                        serve(stream, |frame| sender.send(frame).is_ok());
                    }
                });
            }
        });
        Self { port, batches }
    }

    /// The events of batches, until there are so many messages among them.
    fn events(&self, messages: usize) -> Vec<TraceEvent> {
        let mut events = Vec::new();
        let mut found = 0;
        while found < messages {
            let frame = self.batches.recv_timeout(FOR_EVER).expect("more comes");
            let before = events.len();
            events.extend(events_of(&frame));
            found += events[before..]
                .iter()
                .filter(|event| event.is_data_flow())
                .count();
        }
        events
    }

    /// The events of what has come meanwhile.
    fn rest(&self) -> Vec<TraceEvent> {
        self.batches
            .try_iter()
            .flat_map(|frame| events_of(&frame))
            .collect()
    }
}

fn events_of(frame: &Frame) -> Vec<TraceEvent> {
    let batch = WireBatch::decode(frame, &BatchLimits::default()).expect("it is whole");
    batch.events().collect()
}

/// One connection: welcome, and an acknowledgement for each batch.
#[expect(
    clippy::result_large_err,
    reason = "tungstenite says what a handshake returns"
)]
fn serve(stream: impl Read + Write, mut keep: impl FnMut(Frame) -> bool) {
    // A client that does not trust the certificate leaves here.
    let Ok(mut socket) = accept_hdr(stream, |_: &Request, mut answer: Response| {
        let protocol = HeaderValue::from_static("reflow-trace.v1");
        answer
            .headers_mut()
            .insert("sec-websocket-protocol", protocol);
        Ok(answer)
    }) else {
        return;
    };
    const CREDIT: u64 = 1 << 40;
    while let Ok(message) = socket.read() {
        let Raw::Binary(bytes) = message else {
            continue;
        };
        let frame = Frame::parse(bytes, &FrameLimits::default()).expect("a client sends frames");
        let answer = match Message::decode(&frame).expect("that make sense") {
            Message::Hello(_) => Message::Welcome(Welcome {
                protocol: 1,
                credit_total: CREDIT,
                ..Welcome::default()
            }),
            Message::Batch(frame) => {
                let (stream, number) = (frame.header().stream, frame.header().number);
                if !keep(frame) {
                    return;
                }
                Message::Ack(Ack {
                    stream,
                    number,
                    credit_total: CREDIT,
                })
            }
            _ => continue,
        };
        let bytes = answer.encode().into_bytes();
        if socket.send(Raw::Binary(bytes)).is_err() {
            return;
        }
    }
}

/// A directory of this test alone, empty.
fn directory(test: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("server_sink")
        .join(test);
    // It may be there from the last time, or not.
    let _was_there = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).expect("the directory of tests is writable");
    directory
}

/// Runs a program that sends ten messages and knows nothing of a server.
fn run(test: &str, begin: &str, variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_activated"))
        .args([begin, "return"])
        .envs(variables.iter().copied())
        .current_dir(directory(test))
        .output()
        .expect("the program was built with this test")
}

/// The program does what it does without tracing, and has this to say about it.
fn ran_as_ever(output: &Output) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    assert!(stdout.contains("sum 55\n"), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[sample(always)]
struct Note;

struct Connector {
    from_actor: &'static str,
    from_port: &'static str,
    to_actor: &'static str,
    to_port: &'static str,
}

#[traced_connector]
impl Connector {
    fn send(&self, message: Note) -> Result<(), String> {
        let Note = message;
        Ok(())
    }
}

fn send(times: usize) {
    let connector = Connector {
        from_actor: "a",
        from_port: "out",
        to_actor: "b",
        to_port: "in",
    };
    for _ in 0..times {
        connector.send(Note).expect("a traced send is the send");
    }
}

#[test]
fn the_configuration_of_the_specification_sends_everything_and_the_ledger_balances() {
    let _alone = Silence::start();
    let server = Server::start(None);
    let tracing_config = TracingConfig {
        server_url: format!("ws://localhost:{}", server.port),
        enabled: true,
        batch_size: 50,
        batch_timeout: Duration::from_millis(1000),
        enable_compression: true,
        ..Default::default()
    };
    let guard = init(tracing_config).expect("nobody records");
    send(3_000);
    guard.flush(FOR_EVER).expect("the server acknowledges");
    let metrics = global_tracing()
        .expect("it is under way")
        .performance_metrics();
    let sink = &metrics.ledger.sinks[0];
    assert!(metrics.ledger.balances(), "{metrics}");
    assert_eq!(
        (sink.name.as_str(), sink.stored, sink.pending),
        ("server", 3_000, 0)
    );
    guard.shutdown(FOR_EVER).expect("the server acknowledges");
    let mut events = server.events(3_000);
    events.extend(server.rest());
    let mut numbers = BTreeMap::new();
    for event in events.iter().filter(|event| event.is_data_flow()) {
        *numbers.entry(event.event_id).or_insert(0) += 1;
    }
    assert_eq!(numbers.len(), 3_000, "each once");
    assert!(
        events
            .iter()
            .any(|event| event.as_edge_counters().is_some()),
        "the exact counters are among them"
    );
}

#[test]
fn a_variable_is_enough() {
    let server = Server::start(None);
    let url = format!("ws://127.0.0.1:{}", server.port);
    for begin in ["unaware", "init"] {
        let said = ran_as_ever(&run("variable", begin, &[(ENVIRONMENT_VARIABLE, &url)]));
        assert_eq!(said, "");
        let events = server.events(10);
        let messages = events.iter().filter(|event| event.is_data_flow());
        assert!(
            messages
                .into_iter()
                .all(|event| event.actor_id == "counter")
        );
    }
}

#[test]
fn a_server_with_a_certificate_of_our_own_is_trusted_when_the_file_is_named_and_only_then() {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("it is made");
    let file = directory("certificate").join("ca.pem");
    std::fs::write(&file, signed.cert.pem()).expect("it is writable");
    let key = PrivatePkcs8KeyDer::from(signed.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider knows them")
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], PrivateKeyDer::from(key))
        .expect("they belong together");
    let server = Server::start(Some(Arc::new(tls)));
    let url = format!("wss://localhost:{}", server.port);
    let file = file.to_string_lossy();
    let trusting = [
        (ENVIRONMENT_VARIABLE, url.as_str()),
        ("REFLOW_TRACE_CA_FILE", &file),
    ];
    assert_eq!(ran_as_ever(&run("trusting", "unaware", &trusting)), "");
    server.events(10);
    server.rest();

    // Whom the system does not know gets nothing, and the program does not mind.
    let _alone = Silence::start();
    let sink = ServerSink::builder(&url).start().expect("it makes sense");
    let watch = sink.watch();
    let config = TracingConfig {
        shutdown_timeout: Duration::from_millis(500),
        ..TracingConfig::default()
    };
    let guard = builder()
        .config(config)
        .sink(sink)
        .start()
        .expect("nobody records");
    send(3);
    drop(guard);
    let now = watch.now();
    assert!(now.account.balances());
    assert_eq!((now.account.taken, now.account.stored), (3, 0));
    let lost = now.account.lost();
    assert_eq!(lost[0].reason, LossReason::NotAcknowledged);
    let error = now.account.last_error.expect("it is told");
    assert!(
        error.contains("cannot connect to `wss://localhost:"),
        "{error}"
    );
    assert_eq!(server.rest(), []);
}

#[test]
fn without_a_server_the_spool_has_what_the_next_run_sends() {
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = nobody.local_addr().expect("it is bound").port();
    drop(nobody);
    let spool = directory("spool");
    let spool = spool.to_string_lossy();
    let url = format!("ws://127.0.0.1:{port}");
    let variables = [
        (ENVIRONMENT_VARIABLE, url.as_str()),
        ("REFLOW_TRACE_SPOOL", &spool),
    ];
    assert_eq!(ran_as_ever(&run("spooling", "unaware", &variables)), "");
    let files = || {
        let files = std::fs::read_dir(&*spool).expect("it is there");
        let names = files.map(|file| file.expect("it is there").file_name());
        names
            .filter(|name| name.to_string_lossy().ends_with(".frames"))
            .count()
    };
    assert_eq!(files(), 1);

    let _alone = Silence::start();
    let server = Server::start(None);
    let sink = ServerSink::builder(format!("ws://127.0.0.1:{}", server.port))
        .spool(&*spool)
        .start()
        .expect("it makes sense");
    let guard = builder().sink(sink).start().expect("nobody records");
    let events = server.events(10);
    assert!(events.iter().any(|event| event.actor_id == "counter"));
    drop(guard);
}

#[test]
fn what_makes_no_sense_from_outside_is_said_in_one_line_and_the_program_runs() {
    for (variables, told) in [
        (
            vec![(ENVIRONMENT_VARIABLE, "ws://")],
            "`ws://localhost:8080`",
        ),
        (vec![(ENVIRONMENT_VARIABLE, "ws://host:http")], "port"),
        (
            vec![
                (ENVIRONMENT_VARIABLE, "ws://localhost:1"),
                ("REFLOW_TRACE_SPOOL_BYTES", "plenty"),
            ],
            "REFLOW_TRACE_SPOOL_BYTES",
        ),
        (
            vec![
                (ENVIRONMENT_VARIABLE, "ws://trace.example.org"),
                ("REFLOW_TRACE_TOKEN", "hidden"),
            ],
            "`wss://`",
        ),
        (
            vec![
                (ENVIRONMENT_VARIABLE, "wss://localhost:1"),
                ("REFLOW_TRACE_CA_FILE", "missing.pem"),
            ],
            "`missing.pem`",
        ),
    ] {
        for begin in ["unaware", "init"] {
            let said = ran_as_ever(&run("nonsense", begin, &variables));
            assert_eq!(said.lines().count(), 1, "{begin}: {said}");
            assert!(said.contains(told) && !said.contains("hidden"), "{said}");
        }
    }
}

#[test]
fn what_makes_no_sense_in_code_is_an_error_that_says_what_to_do() {
    let _alone = Silence::start();
    let wrong = |server_url: &str, server: ServerOptions| {
        let config = TracingConfig {
            server_url: server_url.to_owned(),
            server,
            ..TracingConfig::default()
        };
        init(config).expect_err("it makes no sense")
    };
    let error = wrong("http://localhost:8080", ServerOptions::default());
    assert!(matches!(error, InitError::ServerUrl(_)), "{error}");
    let token = Some(ServerToken::new("secret"));
    let in_clear = ServerOptions {
        token,
        ..ServerOptions::default()
    };
    let error = wrong("ws://trace.example.org", in_clear);
    assert!(matches!(error, InitError::TokenInClear), "{error}");
    let no_file = ServerOptions {
        ca_file: Some("missing.pem".into()),
        ..ServerOptions::default()
    };
    let error = wrong("wss://localhost", no_file);
    assert!(error.to_string().contains("`missing.pem`"), "{error}");
}
