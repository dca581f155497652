use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use super::*;

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    list.iter().map(own).collect()
}

struct Written {
    _directory: tempfile::TempDir,
    path: PathBuf,
}

fn written(text: &str) -> Written {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("server.toml");
    std::fs::write(&path, text).expect("a file");
    Written {
        _directory: directory,
        path,
    }
}

fn mistakes(file: &str) -> String {
    let file = written(file);
    effective(Some(&file.path), [], [])
        .expect_err("is wrong")
        .to_string()
}

#[test]
fn flags_win_over_the_environment_which_wins_over_the_file_which_wins_over_defaults() {
    let file =
        written("[http]\nconnections_max = 11\n[ingest]\nsessions_max = 12\nstreams_max = 13\n");
    let variables = pairs(&[
        ("REFLOW_TRACE_SERVE_INGEST_SESSIONS_MAX", "22"),
        ("REFLOW_TRACE_SERVE_INGEST_STREAMS_MAX", "23"),
        ("REFLOW_TRACE_SERVE_CONFIG", "elsewhere.toml"),
        ("PATH", "/bin"),
    ]);
    let flags = pairs(&[("ingest.streams_max", "33")]);
    let effective = effective(Some(&file.path), variables, flags).expect("is right");
    assert_eq!(effective.config.http.connections_max, 11);
    assert_eq!(effective.config.ingest.sessions_max, 22);
    assert_eq!(effective.config.ingest.streams_max, 33);
    assert_eq!(
        effective.config.ingest.events_max,
        Config::default().ingest.events_max
    );
    assert_eq!(
        effective.origin("http.connections_max"),
        Origin::File(file.path.clone(), 2)
    );
    assert_eq!(
        effective.origin("ingest.sessions_max"),
        Origin::Variable("REFLOW_TRACE_SERVE_INGEST_SESSIONS_MAX".to_owned())
    );
    assert_eq!(
        effective.origin("ingest.streams_max"),
        Origin::Flag("--ingest-streams-max".to_owned())
    );
    assert_eq!(effective.origin("ingest.events_max"), Origin::Default);
}

#[test]
fn what_is_printed_is_a_file_that_says_the_same() {
    let flags = pairs(&[
        ("ingest.memory_wait", "1500ms"),
        ("http.hosts", "a.example, b.example"),
        ("log.format", "json"),
        ("log.level", "debug"),
        ("data", "with \"quotes\" and \\"),
        ("auth.tokens_file", "tokens"),
    ]);
    let first = effective(None, [], flags).expect("is right");
    let printed = first.to_string();
    assert!(printed.contains("# flag --log-format"), "{printed}");
    let file = written(&printed);
    let second = effective(Some(&file.path), [], []).expect("is right");
    assert_eq!(first.config, second.config);
}

#[test]
fn an_unknown_key_is_pointed_at_and_the_nearest_is_named() {
    let text = mistakes("listen = \"127.0.0.1:1\"\n\n[ingest]\nframe_byte_max = 4\n");
    assert!(
        text.contains("server.toml:4: `ingest.frame_byte_max` is no setting; did you mean `ingest.frame_bytes_max`?"),
        "{text}"
    );
    let variables = pairs(&[("REFLOW_TRACE_SERVE_LISTN", "x")]);
    let text = effective(None, variables, [])
        .expect_err("wrong")
        .to_string();
    assert!(
        text.contains("did you mean `REFLOW_TRACE_SERVE_LISTEN`?"),
        "{text}"
    );
    let text = mistakes("qqq = 1");
    assert!(text.contains("--print-config"), "{text}");
}

#[test]
fn all_mistakes_are_told_at_once_each_with_its_place() {
    let text = mistakes(
        "listen = \"localhost\"\n[http]\nheader_timeout = 5\n[ingest]\nevents_max = 0\n[log]\nlevel = \"loud\"\n",
    );
    for part in [
        "server.toml:1: `listen`: write an address",
        "server.toml:3: `http.header_timeout`: a time needs its unit: write `\"5s\"`",
        "server.toml:5: `ingest.events_max`: `0` is out of its range, 1 to 16777216",
        "server.toml:7: `log.level`: write `error`, `warn`, `info`, `debug`",
    ] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    assert_eq!(text.lines().count(), 4, "{text}");
}

#[test]
fn a_file_that_is_no_toml_or_not_there_is_named() {
    let text = mistakes("listen = \n");
    assert!(text.contains("server.toml:1: "), "{text}");
    let text = effective(Some("no/such.toml".as_ref()), [], [])
        .expect_err("wrong")
        .to_string();
    assert!(text.contains("`no/such.toml` cannot be read"), "{text}");
}

#[test]
fn beyond_loopback_it_asks_for_tokens_and_tls_unless_told_otherwise_in_so_many_words() {
    let listen = |more: &[(&str, &str)]| {
        let mut flags = pairs(&[("listen", "0.0.0.0:8080")]);
        flags.extend(pairs(more));
        effective(None, [], flags).map_err(|error| error.to_string())
    };
    let anyone = ("insecure.allow_anyone", "true");
    let plain = ("insecure.plain_http", "true");
    let error = listen(&[]).expect_err("open");
    assert!(
        error.contains("`auth.tokens`") && error.contains("`--insecure-allow-anyone`"),
        "{error}"
    );
    let error = listen(&[anyone]).expect_err("plain");
    assert!(
        error.contains("`tls.certificate`") && error.contains("`--insecure-plain-http`"),
        "{error}"
    );
    let error = listen(&[plain, ("tls.key", "x")]).expect_err("half");
    assert!(error.contains("set both or none"), "{error}");
    listen(&[anyone, plain]).expect("told");
    listen(&[
        ("auth.tokens_file", "tokens"),
        ("tls.certificate", "cert.pem"),
        ("tls.key", "key.pem"),
    ])
    .expect("safe");
}

#[test]
fn settings_that_do_not_fit_each_other_are_refused() {
    let wrong = |key: &str, value: &str| {
        effective(None, [], pairs(&[(key, value)]))
            .expect_err(key)
            .to_string()
    };
    assert!(wrong("ingest.window_bytes", "4MiB").contains("has to hold one frame"));
    assert!(wrong("ingest.memory_bytes_max", "1MiB").contains("the largest batch"));
    assert!(wrong("ingest.plain_bytes_max", "1MiB").contains("less than `ingest.frame_bytes_max`"));
    assert!(wrong("ingest.ping_interval", "60s").contains("less than `ingest.idle_timeout`"));
    assert!(wrong("query.timeout", "30s").contains("more than `query.timeout`"));
    assert!(wrong("query.unread_bytes_max", "1MiB").contains("less than `query.answer_bytes_max`"));
}

#[test]
fn the_defaults_are_within_their_ranges_and_names_are_distinct() {
    let mut names = HashSet::new();
    let mut again = Config::default();
    for setting in table() {
        assert!(names.insert(setting.flag()), "{}", setting.key);
        assert!(names.insert(setting.variable()), "{}", setting.key);
        assert!(
            setting.what.ends_with('.') && setting.why.ends_with('.'),
            "{}",
            setting.key
        );
        let value = setting.value(&Config::default());
        setting.put(&mut again, value.clone()).expect(setting.key);
        assert_eq!(
            setting.kind.parse(&value.to_string()),
            Ok(value),
            "{}",
            setting.key
        );
    }
    assert_eq!(again, Config::default());
    Config::default().check().expect("the defaults fit");
    assert!(Config::default().shutdown_deadline < Duration::from_secs(10));
}

#[test]
fn a_variable_that_is_empty_is_not_set() {
    let file = written("[auth]\ntokens = [\"ops:query:aaaaaaaaaaaaaaaa\"]\n");
    let variables = || {
        let named = table()
            .iter()
            .map(|setting| (setting.variable(), " ".to_owned()));
        named.chain([("REFLOW_TRACE_SERVE_OF_NOBODY".to_owned(), String::new())])
    };
    let with = effective(Some(&file.path), variables(), []).expect("nothing is said");
    let without = effective(Some(&file.path), [], []).expect("is right");
    assert_eq!(with.config, without.config);
    assert_eq!(with.config.auth.tokens.len(), 1);
}
