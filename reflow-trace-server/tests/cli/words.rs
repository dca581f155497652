//! What is said when something is wrong: by which code, in which words.

use std::net::TcpListener;
use std::path::Path;

use crate::events::{plain, write};
use crate::program::{Serving, ended, program, run};

const ASKING: [&str; 9] = [
    "query", "sql", "lineage", "graph", "tail", "stats", "import", "export", "doctor",
];

#[test]
fn every_command_has_examples_and_exit_codes() {
    for command in ASKING {
        let help = run(&format!("{command} --help"), &[]).with(0);
        for said in [
            "Examples:",
            "Exit codes:",
            "--server",
            "REFLOW_TRACE_SERVER_URL",
        ] {
            assert!(help.out.contains(said), "{command}: {said}\n{}", help.out);
        }
    }
    let help = run("--help", &[]).with(0);
    for command in ASKING {
        assert!(help.out.contains(command));
    }
}

/// The shortest right call of a command.
fn call(command: &str) -> &str {
    match command {
        "sql" => "sql SELECT~1",
        "lineage" => "lineage 1",
        "import" => "import {}",
        other => other,
    }
}

#[test]
fn nobody_there_is_said_with_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let file = write(directory.path(), "a.jsonl", &plain(1));
    // A port that nobody listens on any more.
    let url = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("ws://{}", listener.local_addr().unwrap())
    };
    for command in ASKING {
        let line = format!("{} --server {}", call(command), url);
        let ended = run(&line, &[&file]).with(6);
        assert!(
            ended.err.contains("is the server running"),
            "{command}: {}",
            ended.err
        );
        assert_eq!(ended.out, "", "{command}");
    }
}

#[test]
fn somebody_who_is_no_server_of_ours_is_not_taken_for_one() {
    use std::io::{Read as _, Write as _};
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let other = std::thread::spawn(move || {
        for stream in listener.incoming().take(2) {
            let mut stream = stream.unwrap();
            let mut head = [0; 512];
            let _read = stream.read(&mut head);
            let _written = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\x1b[J");
        }
    });
    for command in ["stats", "tail"] {
        let ended = run(&format!("{command} --server {url}"), &[]).with(6);
        assert!(!ended.err.contains('\u{1b}'), "{}", ended.err);
    }
    other.join().unwrap();
}

#[test]
fn an_address_that_is_none_is_a_wrong_command_line() {
    for url in [
        "127.0.0.1:8080",
        "ftp://a",
        "ws://",
        "ws://user:secret@host",
    ] {
        let ended = run(&format!("stats --server {url}"), &[]).with(2);
        assert!(
            ended.err.contains("is no address of a server"),
            "{}",
            ended.err
        );
        assert!(!ended.err.contains("secret"), "{}", ended.err);
    }
}

#[test]
fn a_token_is_needed_where_there_are_tokens_and_is_never_shown() {
    let directory = tempfile::tempdir().unwrap();
    let drawn = run("token new me --scopes query+subscribe+content", &[]).with(0);
    let line = drawn
        .err
        .lines()
        .find(|line| line.starts_with("me:"))
        .unwrap();
    let tokens = directory.path().join("tokens");
    std::fs::write(&tokens, line).unwrap();
    let serving = Serving::start(&["--auth-tokens-file", tokens.to_str().unwrap()]);
    let file = directory.path().join("token");
    let secret = drawn.out.trim();
    std::fs::write(&file, &drawn.out).unwrap();

    for command in ["stats", "query", "graph", "tail"] {
        let ended = run(&format!("{command} --server {{}}"), &[serving.url()]).with(7);
        assert!(ended.err.contains("token"), "{command}: {}", ended.err);
    }
    run("stats --server {} --token-file {}", &[serving.url(), &file]).with(0);
    let mut by_variable = program();
    by_variable
        .args(["stats", "--server", &serving.url])
        .env("REFLOW_TRACE_TOKEN", secret);
    ended(&mut by_variable).with(0);

    std::fs::write(&file, "not-the-token").unwrap();
    let wrong = run("stats --server {} --token-file {}", &[serving.url(), &file]).with(7);
    assert!(!wrong.err.contains("not-the-token"), "{}", wrong.err);
    std::fs::write(&file, " \n").unwrap();
    run("stats --server {} --token-file {}", &[serving.url(), &file])
        .with(8)
        .says("holds no token");
    run(
        "stats --server {} --token-file {}",
        &[serving.url(), Path::new("no/such")],
    )
    .with(8);
}

#[test]
fn the_address_may_stand_in_the_environment_and_may_be_the_one_that_serve_prints() {
    let serving = Serving::start(&[]);
    let mut command = program();
    command
        .arg("stats")
        .env("REFLOW_TRACE_SERVER_URL", &serving.url);
    ended(&mut command).with(0);
}

#[test]
fn a_wrong_condition_is_shown_with_its_place_by_every_command_that_takes_one() {
    for command in ["query", "tail", "export", "doctor"] {
        // Found out before anybody is asked, so that no server has to be there.
        let ended = run(&format!("{command} exection_time_ns~>~1"), &[]).with(7);
        assert!(
            ended.err.contains("did you mean `execution_time_ns`?"),
            "{}",
            ended.err
        );
        assert!(ended.err.contains("\n^^^^^^^^^^^^^^^^\n"), "{}", ended.err);
    }
    let long = "x".repeat(5_000);
    run(&format!("query {long}"), &[]).with(7).says("4096");
    run("query --performance \u{1b}[31m", &[])
        .with(7)
        .says("--performance");
}

#[test]
fn wrong_flags_end_with_2() {
    for line in [
        "query --last 1x",
        "query --from tomorrow",
        "query --last 1h --from 2026-01-01",
        "query --type Nonsense",
        "query --limit 0",
        "query --limit -1",
        "query --after 1.2",
        "lineage",
        "lineage 1 --event 00000000-0000-0000-0000-000000000001",
        "lineage --event nonsense",
        "graph -o x.png",
        "graph --format png",
        "export -o x.csv",
        "stats --watch=fast",
        "stats --data x --server ws://a",
        "import",
        "tail --data x",
        "nonsense",
    ] {
        let ended = run(line, &[]).with(2);
        assert!(!ended.err.is_empty(), "{line}");
    }
}
