//! The real thread and real sockets, with a server that does what the test says.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::{Message as Raw, WebSocket, accept_hdr};

use super::connect::SUBPROTOCOL;
use super::{Connector, Shared, start};
use crate::client::machine::{Account, Machine, Settings, SpoolSettings, Status};
use crate::client::spool::{RealDisk, Spool};
use crate::runtime::{ServerToken, ServerUrl};
use crate::sink::Progress as _;
use crate::wire::frame::{
    Ack, Frame, FrameKind, FrameLimits, Hello, Message, Refusal, RefusalCode, Welcome,
};

/// Much longer than anything here takes; it only ends a test that would never end.
const FOR_EVER: Duration = Duration::from_secs(60);
const STREAM: u64 = 5;
const CREDIT: u64 = 1 << 20;

fn settings() -> Settings {
    Settings {
        reconnect_first: Duration::from_millis(1),
        reconnect_max: Duration::from_millis(20),
        ..Settings::default()
    }
}

/// A client at work.
struct Client {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    stream: u64,
}

impl Client {
    fn start(port: u16, settings: Settings) -> Self {
        Self::start_with(port, settings, STREAM, None, None)
    }

    fn start_with(
        port: u16,
        settings: Settings,
        stream: u64,
        token: Option<&str>,
        spool: Option<PathBuf>,
    ) -> Self {
        let url = ServerUrl::parse(&format!("ws://127.0.0.1:{port}/base")).expect("an address");
        let frames = settings.frames.clone();
        let token = token.map(ServerToken::new);
        let connector = Connector::new(url, token, None, frames.frame_bytes_max())
            .expect("no certificates are needed");
        let hello = Hello {
            protocol: 1,
            stream,
            agent: "a test".to_owned(),
            ..Hello::default()
        };
        let shared = Arc::new(Shared::new(Machine::new(settings, hello, 1)));
        let spool = spool.map(|directory| Spool::new(RealDisk::new(directory), stream, frames));
        let thread = start(Arc::clone(&shared), connector, spool).expect("a thread starts");
        Self {
            shared,
            thread: Some(thread),
            stream,
        }
    }

    fn take(&self, numbers: std::ops::RangeInclusive<u64>) {
        for number in numbers {
            let payload = [number as u8; 100];
            let place = [self.stream, number];
            let frame = Frame::build(FrameKind::Batch, place, 10, 100, false, &payload);
            self.shared.take(frame);
        }
    }

    /// Waits until something holds of it.
    fn wait_until(&self, what: &str, holds: impl Fn(&Status, &Account) -> bool) {
        let deadline = Instant::now() + FOR_EVER;
        let holds = |machine: &Machine| holds(&machine.status(), machine.account());
        assert!(
            self.shared.wait_until(deadline, holds),
            "{what}: {:?}",
            self.shared.look(|machine| machine.account().clone())
        );
    }

    fn wait_for_error(&self, text: &str) {
        self.wait_until(text, |_, account| {
            let error = account.last_error.as_deref();
            error.is_some_and(|error| error.contains(text))
        });
    }

    fn end_within(mut self, within: Duration) -> Account {
        self.shared.end_by(Instant::now() + within);
        let thread = self.thread.take().expect("it was started");
        thread.join().expect("it does not panic");
        self.shared.look(|machine| machine.account().clone())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.shared.end_by(Instant::now());
    }
}

/// A server that waits for one connection after the other.
struct Server(TcpListener);

/// A connection as the server sees it.
struct Connection {
    socket: WebSocket<TcpStream>,
    headers: Vec<(String, String)>,
    path: String,
}

impl Server {
    fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").expect("a port is free"))
    }

    fn port(&self) -> u16 {
        self.0.local_addr().expect("it is bound").port()
    }

    fn accept_raw(&self) -> TcpStream {
        let (stream, _) = self.0.accept().expect("somebody comes");
        stream
            .set_read_timeout(Some(FOR_EVER))
            .expect("it can be set");
        stream
    }

    /// Takes the next connection, without a word.
    #[expect(
        clippy::result_large_err,
        reason = "tungstenite says what a handshake returns"
    )]
    fn accept(&self) -> Connection {
        let (mut headers, mut path) = (Vec::new(), String::new());
        let socket = accept_hdr(
            self.accept_raw(),
            |request: &Request, mut answer: Response| {
                path = request.uri().path().to_owned();
                headers = request
                    .headers()
                    .iter()
                    .map(|(name, value)| {
                        let value = value.to_str().unwrap_or_default();
                        (name.as_str().to_owned(), value.to_owned())
                    })
                    .collect();
                answer.headers_mut().insert(
                    "sec-websocket-protocol",
                    HeaderValue::from_static(SUBPROTOCOL),
                );
                Ok(answer)
            },
        );
        Connection {
            socket: socket.expect("a client greets"),
            headers,
            path,
        }
    }

    /// Refuses the next connection with a status.
    #[expect(
        clippy::result_large_err,
        reason = "tungstenite says what a handshake returns"
    )]
    fn refuse(&self, status: StatusCode, text: &str) {
        let refused = accept_hdr(self.accept_raw(), |_: &Request, _: Response| {
            let mut answer = ErrorResponse::new(Some(text.to_owned()));
            *answer.status_mut() = status;
            Err(answer)
        });
        assert!(refused.is_err());
    }

    /// Takes the next connection and says welcome.
    fn welcome(&self) -> Connection {
        let mut connection = self.accept();
        assert!(matches!(connection.hear(), Some(Message::Hello(_))));
        connection.say_welcome();
        connection
    }
}

impl Connection {
    /// The next message; `None` at the end.
    fn hear(&mut self) -> Option<Message> {
        loop {
            match self.socket.read() {
                Ok(Raw::Binary(bytes)) => {
                    let frame = Frame::parse(bytes, &FrameLimits::default());
                    let frame = frame.expect("a client sends frames");
                    return Some(Message::decode(&frame).expect("that make sense"));
                }
                Ok(Raw::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    fn say(&mut self, message: &Message) {
        let bytes = message.encode().into_bytes();
        self.say_raw(Raw::Binary(bytes));
    }

    fn say_raw(&mut self, message: Raw) {
        self.socket.send(message).expect("the client listens");
    }

    fn say_welcome(&mut self) {
        self.say(&Message::Welcome(Welcome {
            protocol: 1,
            credit_total: CREDIT,
            ..Welcome::default()
        }));
    }

    fn acknowledge(&mut self, number: u64) {
        self.say(&Message::Ack(Ack {
            stream: STREAM,
            number,
            credit_total: CREDIT,
        }));
    }

    /// The numbers of the next batches; what is announced between them has to be right.
    fn batches(&mut self, count: usize) -> Vec<u64> {
        let (mut numbers, mut expected) = (Vec::new(), None);
        while numbers.len() < count {
            match self.hear() {
                Some(Message::Skip { number, .. }) => expected = Some(number + 1),
                Some(Message::Batch(frame)) => {
                    let number = frame.header().number;
                    assert!(expected.is_none_or(|expected| expected == number));
                    expected = Some(number + 1);
                    numbers.push(number);
                }
                Some(Message::Ping(token)) => self.say(&Message::Pong(token)),
                other => panic!("{other:?} instead of a batch"),
            }
        }
        numbers
    }

    /// Listens until the client has left.
    fn hear_the_end(mut self) {
        while self.hear().is_some() {}
    }
}

/// A directory of this test alone, removed at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(test: &str) -> Self {
        let unique = format!("reflow-trace-driver-{}-{test}", std::process::id());
        Self(std::env::temp_dir().join(unique))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _already_gone = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn what_the_server_acknowledges_is_stored_and_goodbye_is_said() {
    let server = Server::new();
    let client = Client::start_with(server.port(), settings(), STREAM, Some("secret"), None);
    let mut connection = server.accept();
    let header = |name: &str| {
        let found = connection.headers.iter().find(|header| header.0 == name);
        found.map(|header| header.1.as_str())
    };
    assert_eq!(connection.path, "/base/ingest");
    assert_eq!(header("sec-websocket-protocol"), Some(SUBPROTOCOL));
    assert_eq!(header("authorization"), Some("Bearer secret"));
    let Some(Message::Hello(hello)) = connection.hear() else {
        panic!("it greets");
    };
    assert_eq!((hello.stream, hello.agent.as_str()), (STREAM, "a test"));
    connection.say_welcome();
    client.take(1..=3);
    assert_eq!(connection.batches(3), [1, 2, 3]);
    connection.acknowledge(2);
    client.wait_until("two are stored", |_, account| account.stored == 20);
    let ending = std::thread::spawn(move || client.end_within(FOR_EVER));
    connection.acknowledge(3);
    assert!(matches!(connection.hear(), Some(Message::Goodbye(_))));
    let account = ending.join().expect("it ends");
    assert_eq!((account.stored, account.pending), (30, 0));
    assert!(account.balances());
}

#[test]
fn a_server_that_comes_later_gets_everything_from_the_beginning() {
    let server = Server::new();
    let port = server.port();
    drop(server);
    let client = Client::start(port, settings());
    client.take(1..=3);
    client.wait_for_error("cannot connect to");
    let server = Server(TcpListener::bind(("127.0.0.1", port)).expect("the port is still free"));
    assert_eq!(server.welcome().batches(3), [1, 2, 3]);
}

#[test]
fn after_a_cut_what_was_not_acknowledged_comes_again() {
    let server = Server::new();
    let client = Client::start(server.port(), settings());
    client.take(1..=3);
    let mut connection = server.welcome();
    assert_eq!(connection.batches(3), [1, 2, 3]);
    connection.acknowledge(1);
    client.wait_until("one is stored", |_, account| account.stored == 10);
    drop(connection);
    let mut connection = server.welcome();
    assert_eq!(connection.batches(2), [2, 3]);
    connection.acknowledge(3);
    client.wait_until("all are stored", |status, _| status.settled == 3);
}

#[test]
fn a_refusal_for_ever_is_counted_and_one_for_now_is_tried_again() {
    let server = Server::new();
    let client = Client::start(server.port(), settings());
    client.take(1..=2);
    let mut connection = server.welcome();
    assert_eq!(connection.batches(2), [1, 2]);
    let refusal = |number, retryable| {
        Message::Refusal(Refusal {
            batch: Some((STREAM, number)),
            code: RefusalCode::StoreFull,
            text: "no room".to_owned(),
            retryable,
            retry_after_ms: None,
        })
    };
    connection.say(&refusal(1, false));
    client.wait_until("it is lost", |status, _| status.settled == 1);
    connection.say(&refusal(2, true));
    connection.hear_the_end();
    client.wait_for_error("no room");
    assert_eq!(server.welcome().batches(1), [2]);
}

#[test]
fn whoever_says_what_is_no_frame_is_left_and_called_again() {
    let server = Server::new();
    let client = Client::start(server.port(), settings());
    client.take(1..=1);
    let nonsense = [
        (Raw::text("{}"), "text"),
        (Raw::binary(vec![0; 50]), "no frame"),
        (Raw::binary(Vec::new()), "no frame"),
        (Raw::binary(vec![0; 100_000]), "lost"),
    ];
    for (message, told) in nonsense {
        let mut connection = server.welcome();
        assert_eq!(connection.batches(1), [1]);
        connection.say_raw(message);
        client.wait_for_error(told);
        connection.hear_the_end();
    }
    assert_eq!(server.welcome().batches(1), [1]);
}

#[test]
fn a_wrong_token_is_told_and_everything_is_kept() {
    let server = Server::new();
    let client = Client::start_with(server.port(), settings(), STREAM, Some("wrong"), None);
    client.take(1..=2);
    server.refuse(StatusCode::UNAUTHORIZED, "who are you?");
    client.wait_for_error("401");
    client.wait_for_error("who are you?");
    server.refuse(StatusCode::SERVICE_UNAVAILABLE, "");
    client.wait_for_error("503");
    // Somebody has put it right at the server.
    assert_eq!(server.welcome().batches(2), [1, 2]);
}

#[test]
fn what_is_no_websocket_server_is_told_as_that() {
    let server = Server::new();
    let client = Client::start(server.port(), settings());
    for (said, told) in [
        (&b"SSH-2.0-OpenSSH_9.9\r\n\r\n"[..], "cannot connect"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "200"),
        (b"", "cannot connect"),
        // The right words, and no right key.
        (
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
            "no reflow-trace server",
        ),
    ] {
        let mut stream = server.accept_raw();
        let mut request = [0; 4096];
        let _asked = stream.read(&mut request).expect("it asks");
        stream.write_all(said).expect("it listens");
        drop(stream);
        client.wait_for_error(told);
    }
    client.take(1..=1);
    assert_eq!(server.welcome().batches(1), [1]);
}

#[test]
fn whoever_takes_the_call_and_says_nothing_is_left_in_time() {
    let server = Server::new();
    let client = Client::start(
        server.port(),
        Settings {
            connect_timeout: Duration::from_millis(50),
            ..settings()
        },
    );
    let silent = server.accept_raw();
    client.wait_for_error("welcome");
    let only_polite = server.accept();
    client.wait_for_error("welcome");
    client.take(1..=1);
    let _still_there = (silent, only_polite);
    // Those that were left may still be in the queue.
    loop {
        let mut connection = server.accept();
        if let Some(Message::Hello(_)) = connection.hear() {
            let welcome = Welcome {
                protocol: 1,
                credit_total: CREDIT,
                ..Welcome::default()
            };
            let welcome = Message::Welcome(welcome).encode().into_bytes();
            if connection.socket.send(Raw::Binary(welcome)).is_ok()
                && let Some(Message::Skip { .. }) = connection.hear()
            {
                assert_eq!(connection.batches(1), [1]);
                break;
            }
        }
    }
}

#[test]
fn a_server_that_falls_silent_is_asked_and_then_called_anew() {
    let server = Server::new();
    let client = Client::start(
        server.port(),
        Settings {
            ping_after: Duration::from_millis(30),
            answer_within: Duration::from_millis(30),
            ..settings()
        },
    );
    let mut connection = server.welcome();
    let Some(Message::Ping(_)) = connection.hear() else {
        panic!("it asks");
    };
    client.wait_for_error("silent");
    connection.hear_the_end();
    let mut connection = server.welcome();
    let Some(Message::Ping(token)) = connection.hear() else {
        panic!("it asks");
    };
    connection.say(&Message::Ping(token));
    let Some(Message::Pong(same)) = connection.hear() else {
        panic!("it answers");
    };
    assert_eq!(same, token);
}

#[test]
fn what_is_not_acknowledged_at_the_end_is_sent_by_the_next_from_the_spool() {
    let scratch = Scratch::new("next");
    let settings = Settings {
        spool: Some(SpoolSettings::default()),
        ..settings()
    };
    let spool = || Some(scratch.0.clone());
    let server = Server::new();
    let first = Client::start_with(server.port(), settings.clone(), STREAM, None, spool());
    first.take(1..=3);
    let mut connection = server.welcome();
    assert_eq!(connection.batches(3), [1, 2, 3]);
    connection.acknowledge(1);
    first.wait_until("one is stored", |_, account| account.stored == 10);
    let account = first.end_within(Duration::from_millis(200));
    assert_eq!((account.stored, account.pending), (10, 20));
    assert_eq!(account.lost(), []);
    connection.hear_the_end();

    let second = Client::start_with(server.port(), settings, STREAM + 1, None, spool());
    let mut connection = server.welcome();
    assert_eq!(connection.batches(2), [2, 3]);
    connection.acknowledge(3);
    second.wait_until("all is stored", |status, account| {
        account.adopted.stored == 20 && status.spool_bytes == 0
    });
    let account = second.end_within(Duration::from_millis(200));
    assert_eq!((account.taken, account.stored), (0, 0), "it was another's");
    let left = std::fs::read_dir(&scratch.0).expect("it is there");
    let left: Vec<_> = left
        .map(|file| file.expect("it is there").file_name())
        .collect();
    assert_eq!(left, ["spool.lock"]);
}

#[test]
fn a_directory_that_cannot_be_one_keeps_nobody_from_sending() {
    let scratch = Scratch::new("no-directory");
    std::fs::write(&scratch.0, b"a file").expect("the place is writable");
    let server = Server::new();
    let settings = Settings {
        spool: Some(SpoolSettings::default()),
        ..settings()
    };
    let client = Client::start_with(
        server.port(),
        settings,
        STREAM,
        None,
        Some(scratch.0.clone()),
    );
    client.take(1..=2);
    let mut connection = server.welcome();
    assert_eq!(connection.batches(2), [1, 2]);
    connection.acknowledge(2);
    client.wait_until("all is stored", |_, account| account.stored == 20);
    let _gone = std::fs::remove_file(&scratch.0);
}

#[test]
fn without_the_disk_that_it_lost_the_driver_does_not_run_in_circles() {
    let server = Server::new();
    let settings = Settings {
        spool: Some(SpoolSettings::default()),
        ..settings()
    };
    let url = format!("ws://127.0.0.1:{}", server.port());
    let url = ServerUrl::parse(&url).expect("an address");
    let connector = Connector::new(url, None, None, 1 << 20).expect("no certificates are needed");
    let hello = Hello {
        stream: STREAM,
        ..Hello::default()
    };
    let shared = Arc::new(Shared::new(Machine::new(settings, hello, 1)));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("an executor");
    let _inside = runtime.enter();
    let mut driver = super::Driver {
        shared: Arc::clone(&shared),
        connector: Arc::new(connector),
        // As it is after a panic on the disk's thread.
        spool: None,
        disk: None,
        connecting: None,
        socket: None,
        alarm: Box::pin(tokio::time::sleep(Duration::ZERO)),
    };
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    for _ in 0..4 {
        assert!(driver.poll(&mut context).is_pending());
    }
    let (wake_at, _) = shared.wake_at();
    let wake_at = wake_at.expect("it will be called again");
    assert!(wake_at > Instant::now(), "not at once");
}
