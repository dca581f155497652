//! The table of all settings.
//!
//! A row is key, field, range, what it does and why its default is what it is. The default itself
//! is that of [`Config::default()`](super::Config), read through the row.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use super::setting::{Kind, Setting, Value};
use super::{Config, LogFormat, LogLevel};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// A row whose value is a number, of bytes or of things.
macro_rules! number {
    ($kind:ident $key:literal $($field:ident).+, $range:expr, $what:literal, $why:literal) => {
        Setting {
            key: $key,
            kind: Kind::$kind($range),
            what: $what,
            why: $why,
            get: |config| Value::$kind(config.$($field).+ as u64),
            set: |config, value| match value {
                Value::$kind(number) => {
                    config.$($field).+ = number.try_into().map_err(|_| TOO_LARGE.to_owned())?;
                    Ok(())
                }
                _ => Err(OTHER_KIND.to_owned()),
            },
        }
    };
}

/// A row whose value goes into its field as it is.
macro_rules! plain {
    ($kind:ident $($inner:expr)?, $key:literal $($field:ident).+, $what:literal, $why:literal) => {
        Setting {
            key: $key,
            kind: Kind::$kind $(($inner))?,
            what: $what,
            why: $why,
            get: |config| Value::$kind(config.$($field).+.clone()),
            set: |config, value| match value {
                Value::$kind(value) => {
                    config.$($field).+ = value;
                    Ok(())
                }
                _ => Err(OTHER_KIND.to_owned()),
            },
        }
    };
}

/// A row whose value is a file, or empty for none.
macro_rules! optional_path {
    ($key:literal $($field:ident).+, $what:literal, $why:literal) => {
        Setting {
            key: $key,
            kind: Kind::Text("path, or empty for none"),
            what: $what,
            why: $why,
            get: |config| {
                let path = config.$($field).+.as_deref().unwrap_or("".as_ref());
                Value::Text(path.to_string_lossy().into_owned())
            },
            set: |config, value| match value {
                Value::Text(path) => {
                    config.$($field).+ = (!path.is_empty()).then(|| PathBuf::from(path));
                    Ok(())
                }
                _ => Err(OTHER_KIND.to_owned()),
            },
        }
    };
}

const TOO_LARGE: &str = "the number is too large for this machine";
const OTHER_KIND: &str = "the value is of another kind";

/// All settings, in the order in which they are explained.
pub fn table() -> &'static [Setting] {
    TABLE
}

const fn seconds(from: u64, to: u64) -> RangeInclusive<Duration> {
    Duration::from_secs(from)..=Duration::from_secs(to)
}

const fn millis(from: u64, to: u64) -> RangeInclusive<Duration> {
    Duration::from_millis(from)..=Duration::from_millis(to)
}

static TABLE: &[Setting] = &[
    Setting {
        key: "listen",
        kind: Kind::Text("address:port, port 0 for any free one"),
        what: "Where the server listens.",
        why: "Loopback: nobody else can reach it. Elsewhere it asks for tokens and TLS.",
        get: |config| Value::Text(config.listen.to_string()),
        set: |config, value| match value {
            Value::Text(text) => {
                config.listen = text.parse().map_err(|_| {
                    "write an address and a port, such as `127.0.0.1:8080` or `[::1]:8080`"
                        .to_owned()
                })?;
                Ok(())
            }
            _ => Err(OTHER_KIND.to_owned()),
        },
    },
    Setting {
        key: "data",
        kind: Kind::Text("path of a directory, made when missing"),
        what: "Where everything is stored.",
        why: "On a local disk whose `fsync` is honest: what is acknowledged was written there.",
        get: |config| Value::Text(config.data.to_string_lossy().into_owned()),
        set: |config, value| match value {
            Value::Text(path) if !path.is_empty() => {
                config.data = PathBuf::from(path);
                Ok(())
            }
            _ => Err("name a directory".to_owned()),
        },
    },
    plain!(Time seconds(0, 3_600), "shutdown_deadline" shutdown_deadline,
        "How long an orderly shutdown may take.",
        "Less than the 10 s after which container managers kill."),
    optional_path!("tls.certificate" tls.certificate,
        "The certificate chain, PEM.",
        "With `tls.key`; then only encrypted connections are accepted."),
    optional_path!("tls.key" tls.key,
        "The private key of the certificate, PEM.",
        "Readable by the server only."),
    plain!(List "`name:scope+scope:sha256:hex`", "auth.tokens" auth.tokens,
        "Who may do what; scopes are ingest, query, subscribe, content, admin.",
        "Hashes only: who reads the configuration cannot use it. `reflow-trace token new` makes one."),
    optional_path!("auth.tokens_file" auth.tokens_file,
        "A file with one such token in a line; `#` begins a comment.",
        "For secrets that are mounted."),
    plain!(Switch, "insecure.allow_anyone" insecure.allow_anyone,
        "Listen beyond loopback without tokens.",
        "Only where something in front decides who comes through."),
    plain!(Switch, "insecure.plain_http" insecure.plain_http,
        "Listen beyond loopback without TLS.",
        "Only where something in front encrypts, else tokens can be read on the way."),
    plain!(Switch, "insecure.allow_null_origin" insecure.allow_null_origin,
        "Accept browsers whose Origin is `null`.",
        "Pages from files say so, but so does any sandboxed page on the web."),
    number!(Count "http.connections_max" http.connections_max, 1..=100_000,
        "Open connections of every kind; further ones are closed at once.",
        "Each may hold a few buffers; above the 256 sessions there is room for people."),
    plain!(Time millis(100, 600_000), "http.header_timeout" http.header_timeout,
        "How long the head of a request may take, and how long a connection may be without one.",
        "Ten seconds are enough on any line; a slow sender holds a connection no longer."),
    number!(Bytes "http.header_bytes_max" http.header_bytes_max, 8 * KIB..=MIB,
        "The head of a request.",
        "Browsers with many cookies stay below 16 KiB."),
    plain!(
        Time millis(100, 600_000),
        "http.write_timeout" http.write_timeout,
        "How long the other side may take nothing of what is sent to it.",
        "Who asks and does not read the answers holds a connection no longer."
    ),
    plain!(Time millis(100, 3_600_000), "http.request_timeout" http.request_timeout,
        "How long a request may take, from its head to the beginning of the answer.",
        "More than `query.timeout` and the time that a question may take to arrive."),
    plain!(Time millis(100, 600_000), "http.tls_timeout" http.tls_timeout,
        "How long the beginning of an encrypted connection may take.",
        "As for the head of a request."),
    plain!(List "host name, without port", "http.hosts" http.hosts,
        "Host names by which the server may be addressed, beside loopback and its own address.",
        "A foreign name means that a browser was tricked into resolving it to this server."),
    plain!(List "origin, such as `https://trace.example.com`", "http.origins" http.origins,
        "Origins of pages that may connect, beside those of this server and of loopback.",
        "Browsers send it along; other pages must not reach the server with the user's reach."),
    number!(Count "ingest.sessions_max" ingest.sessions_max, 1..=100_000,
        "Connections that send batches at one time.",
        "Each may hold one frame beyond `ingest.memory_bytes_max` while it arrives."),
    number!(Count "ingest.streams_max" ingest.streams_max, 1..=1_000_000,
        "Streams on one connection: its own, and those adopted from spools.",
        "A stream costs the session a few words."),
    number!(Bytes "ingest.frame_bytes_max" ingest.frame_bytes_max, KIB..=GIB,
        "The payload of a frame as it arrives; larger ones are refused for good.",
        "8 192 events take about 160 KiB; the rest is for captured content. Clients seal no larger ones."),
    number!(Bytes "ingest.plain_bytes_max" ingest.plain_bytes_max, KIB..=2 * GIB,
        "The payload of a frame when unpacked.",
        "Bounds what unpacking may cost before anything else is known of the frame."),
    number!(Count "ingest.ratio_max" ingest.ratio_max, 2..=100_000,
        "How many times larger than it arrived a payload may become.",
        "Columns of the same number pack well; beyond this only bombs do."),
    number!(Count "ingest.events_max" ingest.events_max, 1..=16_777_216,
        "Events in a batch.",
        "Clients close a batch at 8 192."),
    number!(Count "ingest.names_max" ingest.names_max, 1..=16_777_216,
        "Names in the dictionary of a batch.",
        "A snapshot of the counters may name every edge of a process."),
    number!(Count "ingest.entries_max" ingest.entries_max, 1..=16_777_216,
        "Edges in the dictionary of a batch; as many message types, thresholds and rings.",
        "As many as events: more is never used."),
    number!(Count "ingest.counters_max" ingest.counters_max, 1..=16_777_216,
        "Lines in a snapshot of the exact counters.",
        "An edge has a line for each type of message."),
    number!(Bytes "ingest.window_bytes" ingest.window_bytes, KIB..=4 * GIB,
        "Credits: bytes of batches that a connection may have sent beyond what is answered.",
        "Twice the largest frame, so that one can travel while another is committed."),
    number!(Bytes "ingest.memory_bytes_max" ingest.memory_bytes_max, MIB..=1024 * GIB,
        "Memory for the batches of all connections between arrival and commit.",
        "When it is used up, connections are read later; nothing is lost."),
    plain!(Time millis(0, 600_000), "ingest.memory_wait" ingest.memory_wait,
        "How long a batch may wait for that memory before it is refused, to be sent again later.",
        "Longer than the store is ever busy; meanwhile the client hears that somebody is there."),
    plain!(Time millis(100, 600_000), "ingest.hello_timeout" ingest.hello_timeout,
        "How long a connection may take to say hello.",
        "As for the head of a request."),
    plain!(Time millis(10, 3_600_000), "ingest.ping_interval" ingest.ping_interval,
        "How long a connection may be silent before it is asked whether it is there.",
        "Three questions before it is given up; keeps paths through routers open."),
    plain!(Time millis(20, 86_400_000), "ingest.idle_timeout" ingest.idle_timeout,
        "How long a connection may be silent before it is closed.",
        "A peer that vanished without a word holds its place no longer."),
    plain!(Time millis(0, 10_000), "commit.group_wait" commit.group_wait,
        "How long a batch may wait for others to be committed with it.",
        "Enough for clients that answer each other; batches that come during a commit are the next group anyway."),
    number!(Bytes "commit.group_bytes" commit.group_bytes, 1..=GIB,
        "A group is committed when it holds as much.",
        "Larger groups gain little and make the acknowledgement later."),
    number!(Count "commit.group_batches" commit.group_batches, 1..=65_536,
        "A group is committed when it holds as many batches.",
        "From 16 batches on, the sync of the disk is no longer what a commit costs."),
    plain!(Time millis(0, 600_000), "commit.behind_wait" commit.behind_wait,
        "How long a store that is behind with sealing is given before batches are refused.",
        "Clients slow down by themselves meanwhile; a refusal would make them send everything again."),
    plain!(Time millis(1, 600_000), "commit.retry_wait" commit.retry_wait,
        "How long after a failure the store is tried again, by an empty commit.",
        "Readiness returns within this time once the store accepts."),
    plain!(Time millis(10, 3_600_000), "commit.maintain_interval" commit.maintain_interval,
        "How often the store is asked to seal segments, retire old ones and sweep.",
        "It does nothing when there is nothing to do."),
    number!(Count "commit.live_batches_max" commit.live_batches_max, 1..=65_536,
        "Committed batches kept for live subscribers that are behind.",
        "One that is further behind is told how many it has missed."),
    number!(Count "store.seal_events" store.seal_events, 1_000..=100_000_000,
        "So many events make a segment.",
        "Fewer, larger segments answer faster; until then an event takes about 200 bytes of memory."),
    plain!(Time seconds(1, 86_400), "store.seal_after" store.seal_after,
        "What has waited for so long becomes a segment, however little it is.",
        "A quiet server makes 288 small segments a day, which are merged."),
    number!(Count "store.tail_events_max" store.tail_events_max, 1_000..=1_000_000_000,
        "Events that may wait for sealing; beyond it the server is behind, and clients slow down.",
        "Four segments."),
    number!(Bytes "store.tail_bytes_max" store.tail_bytes_max, MIB..=1024 * GIB,
        "Memory, nearly, that they may take.",
        "Four million usual events, and a bound for unusual ones."),
    number!(Count "store.merge_events_max" store.merge_events_max, 1_000..=1_000_000_000,
        "Segments are merged until they have so many events.",
        "An event is written again a few times at most."),
    plain!(Time seconds(0, 3_650 * 86_400), "store.retain_for" store.retain_for,
        "What was committed longer ago is retired, in whole segments; `0s` for never.",
        "Never, for nobody but you knows what may go; set it, or watch the disk."),
    number!(Bytes "store.retain_bytes" store.retain_bytes, 0..=1 << 50,
        "While segments have more bytes together, the oldest is retired; `0B` for never.",
        "Never, as above; a disk that fills up makes the server refuse, not forget."),
    number!(Bytes "store.ledger_bytes_max" store.ledger_bytes_max, MIB..=64 * GIB,
        "Memory for the newest counters of each producer; beyond it the one not seen for longest is forgotten.",
        "Thousands of processes with thousands of edges."),
    number!(Count "store.streams_max" store.streams_max, 1_000..=1_000_000_000,
        "Streams whose last number is remembered; beyond it the one not seen for longest is forgotten.",
        "A million runs of clients take 50 MB."),
    number!(Bytes "store.database_bytes_max" store.database_bytes_max, 0..=1 << 50,
        "Bytes of the log and the catalogue; `0B` for what the disk has.",
        "Segments are beside them; sealing keeps the log small."),
    number!(Count "query.concurrent_max" query.concurrent_max, 1..=1_024,
        "Questions that are answered at one time.",
        "Each takes a thread; ingest keeps the processors it needs."),
    number!(Count "query.waiting_max" query.waiting_max, 0..=65_536,
        "Questions that wait for their turn; further ones are told that the server is busy.",
        "Longer waiting would only end in a timeout."),
    plain!(Time millis(10, 3_600_000), "query.timeout" query.timeout,
        "How long answering may take, waiting included.",
        "Questions that the store is made for take milliseconds."),
    number!(Count "query.events_max" query.events_max, 1..=1_000_000,
        "Events in an answer, or in a page of it.",
        "About 10 MB of JSON; there is a next page."),
    number!(Bytes "query.answer_bytes_max" query.answer_bytes_max, KIB..=4 * GIB,
        "Bytes of an answer as JSON; a larger one is refused with what to ask instead.",
        "Bounds what captured content may add."),
    number!(Bytes "query.unread_bytes_max" query.unread_bytes_max, MIB..=4096 * GIB,
        "Memory for large answers (over 16 KiB) that were not taken yet; beyond it askers are told to try again later.",
        "Who asks and reads slowly holds what was asked for until `http.write_timeout`."),
    number!(Count "query.askers_max" query.askers_max, 1..=100_000,
        "Connections that ask over a WebSocket.",
        "Each holds a few buffers; the answers that wait in it are bounded by the line above and the line below."),
    number!(Count "query.asker_open_max" query.asker_open_max, 1..=65_536,
        "Questions and subscriptions that such a connection may have open; further ones are told that it is busy.",
        "A dashboard has a dozen."),
    number!(Count "query.sql_rows_max" query.sql_rows_max, 1..=10_000_000,
        "Rows in the answer to a statement of SQL.",
        "More than anybody reads; an answer that is cut says so."),
    number!(Bytes "query.sql_memory_bytes_max" query.sql_memory_bytes_max, MIB..=1024 * GIB,
        "Memory that a statement of SQL may use for sorting, grouping and joining.",
        "Groups of millions of edges; beyond it the statement fails, the server does not."),
    number!(Count "live.subscriptions_max" live.subscriptions_max, 1..=1_000_000,
        "Open subscriptions; further ones are told to try again later.",
        "One costs a few hundred bytes and the message that is being sent, up to 1 MiB or one event, and its condition is evaluated for each event."),
    number!(Count "live.window_events_max" live.window_events_max, 1..=100_000_000,
        "The newest events that are kept for subscribers, while there are any; who is further behind is told what it has missed.",
        "More than two seconds at 50 000 events/s."),
    number!(Bytes "live.window_bytes_max" live.window_bytes_max, 64 * KIB..=64 * GIB,
        "Memory that they may take, nearly, with the JSON that was made of them.",
        "About 2.5 KB for an event that somebody wants, and 200 bytes for others; all subscribers share it. As much again for what is filled up from the store, of all of them together."),
    number!(Bytes "live.message_bytes_max" live.message_bytes_max, KIB..=64 * MIB,
        "A message of Reflow's protocol, as it arrives and unpacked.",
        "A whole trace with some thousand events; what is built from it takes up to twelve times as much."),
    number!(Count "live.ratio_max" live.ratio_max, 2..=100_000,
        "How many times larger than it arrived a compressed message may become.",
        "JSON of equal events packs well; beyond this only bombs do."),
    Setting {
        key: "log.format",
        kind: Kind::OneOf(&["text", "json"]),
        what: "How a line of the log looks.",
        why: "Text for people; `json` where programs read.",
        get: |config| {
            Value::Text(match config.log.format {
                LogFormat::Text => "text".to_owned(),
                LogFormat::Json => "json".to_owned(),
            })
        },
        set: |config, value| {
            config.log.format = match value {
                Value::Text(word) if word == "json" => LogFormat::Json,
                _ => LogFormat::Text,
            };
            Ok(())
        },
    },
    Setting {
        key: "log.level",
        kind: Kind::OneOf(&["error", "warn", "info", "debug"]),
        what: "From which level on the log speaks.",
        why: "`info` says what happens seldom; `debug` each connection.",
        get: |config| {
            Value::Text(
                match config.log.level {
                    LogLevel::Error => "error",
                    LogLevel::Warn => "warn",
                    LogLevel::Info => "info",
                    LogLevel::Debug => "debug",
                }
                .to_owned(),
            )
        },
        set: |config, value| {
            config.log.level = match value {
                Value::Text(word) if word == "error" => LogLevel::Error,
                Value::Text(word) if word == "warn" => LogLevel::Warn,
                Value::Text(word) if word == "debug" => LogLevel::Debug,
                _ => LogLevel::Info,
            };
            Ok(())
        },
    },
];

/// The row of a key.
pub(super) fn find(key: &str) -> Option<&'static Setting> {
    TABLE.iter().find(|setting| setting.key == key)
}

/// The defaults, as rows see them.
pub(super) fn default_of(setting: &Setting) -> Value {
    setting.value(&Config::default())
}
