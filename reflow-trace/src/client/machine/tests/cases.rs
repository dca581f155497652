//! Single cases, told one by one.

use std::time::Duration;

use super::super::{Disconnect, LinkCommand, Machine, Settings, SpoolSettings, Taken, Time};
use super::world::{Faults, World, batch, ms, settings};
use crate::client::spool::{DiskCommand, DiskOutcome, FileName, SimulatedDisk, Spool};
use crate::ledger::LossReason;
use crate::wire::frame::{
    Ack, Frame, FrameKind, Goodbye, Hello, Message, Refusal, RefusalCode, Welcome,
};

const STREAM: u64 = 5;

fn machine(settings: Settings) -> Machine {
    let hello = Hello {
        protocol: 1,
        stream: STREAM,
        ..Hello::default()
    };
    Machine::new(settings, hello, 1)
}

fn lost(machine: &Machine, reason: LossReason) -> u64 {
    let lost = machine.account().lost();
    lost.iter()
        .find(|loss| loss.reason == reason)
        .map_or(0, |loss| loss.count)
}

fn say(machine: &mut Machine, now: Time, message: Message) {
    machine.received(now, message.encode().into_bytes());
    machine.advance(now);
}

/// Connects it and says welcome.
fn connect(machine: &mut Machine, now: Time, welcome: Welcome) {
    machine.advance(now);
    assert_eq!(machine.poll_link(), Some(LinkCommand::Connect));
    machine.connected(now);
    let hello = machine.poll_send().expect("it greets");
    assert_eq!(hello.header().kind, FrameKind::Hello);
    assert_eq!(machine.poll_send(), None, "it waits for the welcome");
    say(machine, now, Message::Welcome(welcome));
    assert!(machine.status().is_connected);
}

fn welcome(credit_total: u64) -> Welcome {
    Welcome {
        protocol: 1,
        credit_total,
        ..Welcome::default()
    }
}

fn ack(number: u64, credit_total: u64) -> Message {
    Message::Ack(Ack {
        stream: STREAM,
        number,
        credit_total,
    })
}

/// What goes to the server now: numbers of batches, and of announcements as they are.
fn sent(machine: &mut Machine) -> Vec<(FrameKind, u64)> {
    std::iter::from_fn(|| machine.poll_send())
        .map(|frame| (frame.header().kind, frame.header().number))
        .collect()
}

fn take(machine: &mut Machine, now: Time, numbers: std::ops::RangeInclusive<u64>) {
    for number in numbers {
        let taken = machine.take(now, batch(STREAM, number, 10, 960), false);
        assert!(matches!(taken, Taken::Kept), "{number}: {taken:?}");
    }
    machine.advance(now);
}

#[test]
fn an_hour_without_a_server_costs_a_window_a_spool_and_no_more_and_is_delivered_later() {
    let hour = Duration::from_secs(3_600);
    let mut world = World::new(
        1,
        Settings {
            window_bytes_max: 1 << 20,
            spool: Some(SpoolSettings {
                bytes_max: 8 << 20,
                file_bytes_max: 1 << 20,
                ..SpoolSettings::default()
            }),
            ..settings(false)
        },
        Faults {
            refuses_connections: 1_000,
            ..Faults::default()
        },
    );
    world.start_client();
    let mut produced = 0;
    while world.now < hour {
        world.produce(100, 2_500);
        produced += 100;
        world.run_until(world.now + ms(200));
    }
    let client = world.client();
    let status = client.machine.status();
    let account = client.machine.account();
    let taken = account.taken;
    assert!(
        taken > produced * 9 / 10,
        "few had to come twice: {account:?}"
    );
    assert_eq!(account.stored, 0);
    assert_eq!(
        account.pending + lost(&client.machine, LossReason::SpoolFull),
        taken,
        "{account:?}"
    );
    assert!(status.spool_bytes > 7 << 20, "it is used: {status:?}");
    // A file of 1 MiB holds what is written in goes of some kilobytes.
    assert!(status.spool_files <= 12, "{status:?}");
    let kept = account.pending;
    assert!(world.window_seen_max <= (1 << 20) + (1 << 16));
    assert!(world.disk.change(|disk| disk.bytes_seen_max) <= 8 << 20);

    world.faults = Faults::default();
    let end = world.now + Duration::from_secs(600);
    let is_drained = world.run_while(end, |world| {
        let client = world.client.as_ref().expect("it lives");
        client.machine.account().pending > 0 || client.machine.status().spool_bytes > 0
    });
    assert!(is_drained);
    let stream = world.client().stream;
    assert_eq!(world.server.events_of(stream), kept);
    assert_eq!(world.client().machine.account().stored, kept);
}

#[test]
fn without_a_spool_the_newest_is_lost_and_the_oldest_is_delivered() {
    let mut machine = machine(settings(false));
    take(&mut machine, Time::ZERO, 1..=16);
    let taken = machine.take(Time::ZERO, batch(STREAM, 17, 10, 960), true);
    assert!(matches!(taken, Taken::Lost), "there is nothing to hope for");
    assert_eq!(lost(&machine, LossReason::WindowFull), 10);
    // What the tracing says of itself still finds room.
    let taken = machine.take(Time::ZERO, batch(STREAM, 18, 0, 500), true);
    assert!(matches!(taken, Taken::Kept));
    connect(&mut machine, Time::ZERO, welcome(1 << 20));
    let sent = sent(&mut machine);
    assert_eq!(sent[..2], [(FrameKind::Skip, 0), (FrameKind::Batch, 1)]);
    assert_eq!(
        sent[16..],
        [
            (FrameKind::Batch, 16),
            (FrameKind::Skip, 17),
            (FrameKind::Batch, 18)
        ]
    );
}

#[test]
fn no_more_is_sent_than_the_credit_allows_and_it_goes_on_where_it_stopped() {
    let mut machine = machine(settings(false));
    take(&mut machine, Time::ZERO, 1..=6);
    connect(&mut machine, Time::ZERO, welcome(2_500));
    let (skip, batch) = (FrameKind::Skip, FrameKind::Batch);
    assert_eq!(sent(&mut machine), [(skip, 0), (batch, 1), (batch, 2)]);
    say(&mut machine, ms(1), ack(1, 3_999));
    assert_eq!(sent(&mut machine), [(batch, 3)]);
    assert_eq!(machine.account().stored, 10);
    say(&mut machine, ms(2), ack(3, 6_000));
    assert_eq!(sent(&mut machine), [(batch, 4), (batch, 5), (batch, 6)]);
    say(&mut machine, ms(3), ack(6, 6_000));
    let status = machine.status();
    assert_eq!((status.settled, status.window_bytes), (6, 0));
    assert_eq!(machine.account().stored, 60);
}

#[test]
fn after_a_cut_everything_that_was_not_acknowledged_is_sent_again() {
    let mut machine = machine(settings(false));
    take(&mut machine, Time::ZERO, 1..=4);
    connect(&mut machine, Time::ZERO, welcome(1 << 20));
    assert_eq!(sent(&mut machine).len(), 5);
    say(&mut machine, ms(1), ack(2, 1 << 20));
    machine.disconnected(ms(2), Disconnect::passing("cut"));
    machine.advance(ms(2));
    let again = machine.wake_at().expect("it comes back");
    connect(&mut machine, again, welcome(1 << 20));
    let (skip, batch) = (FrameKind::Skip, FrameKind::Batch);
    assert_eq!(sent(&mut machine), [(skip, 2), (batch, 3), (batch, 4)]);
}

#[test]
fn what_is_refused_for_ever_is_lost_once_and_never_sent_again() {
    let mut machine = machine(settings(false));
    take(&mut machine, Time::ZERO, 1..=3);
    connect(&mut machine, Time::ZERO, welcome(1 << 20));
    sent(&mut machine);
    let refusal = |number| {
        Message::Refusal(Refusal {
            batch: Some((STREAM, number)),
            code: RefusalCode::Malformed,
            text: "no".to_owned(),
            retryable: false,
            retry_after_ms: None,
        })
    };
    say(&mut machine, ms(1), refusal(2));
    say(&mut machine, ms(1), refusal(2));
    assert_eq!(lost(&machine, LossReason::Refused), 10);
    machine.disconnected(ms(2), Disconnect::passing("cut"));
    machine.advance(ms(2));
    let again = machine.wake_at().expect("it comes back");
    connect(&mut machine, again, welcome(1 << 20));
    let (skip, batch) = (FrameKind::Skip, FrameKind::Batch);
    assert_eq!(
        sent(&mut machine),
        [(skip, 0), (batch, 1), (skip, 2), (batch, 3)]
    );
    say(&mut machine, again, ack(3, 1 << 20));
    assert_eq!(
        (machine.account().stored, machine.account().pending),
        (20, 0)
    );
    assert!(machine.account().balances());
}

#[test]
fn what_is_larger_than_the_server_takes_is_refused_without_being_sent() {
    let mut machine = machine(settings(false));
    take(&mut machine, Time::ZERO, 1..=2);
    let limited = Welcome {
        payload_bytes_max: 959,
        ..welcome(1 << 20)
    };
    connect(&mut machine, Time::ZERO, limited);
    assert_eq!(sent(&mut machine), []);
    assert_eq!(lost(&machine, LossReason::Refused), 20);
    assert_eq!(machine.status().settled, 2);
}

#[test]
fn a_server_that_makes_no_sense_is_left_and_nothing_is_believed() {
    let nonsense: [fn() -> Message; 5] = [
        || ack(3, 1 << 20),
        || Message::Welcome(welcome(1)),
        || Message::Hello(Hello::default()),
        || Message::Batch(batch(STREAM, 1, 1, 1)),
        || {
            Message::Refusal(Refusal {
                batch: Some((STREAM, 9)),
                code: RefusalCode::Malformed,
                text: String::new(),
                retryable: false,
                retry_after_ms: None,
            })
        },
    ];
    for message in nonsense {
        let mut machine = machine(settings(false));
        take(&mut machine, Time::ZERO, 1..=2);
        connect(&mut machine, Time::ZERO, welcome(1 << 20));
        sent(&mut machine);
        say(&mut machine, ms(1), message());
        assert_eq!(machine.poll_link(), Some(LinkCommand::Close));
        let account = machine.account();
        assert_eq!((account.stored, account.pending), (0, 20));
        assert!(account.last_error.is_some());
    }
}

#[test]
fn a_silent_server_is_asked_and_then_left() {
    let mut machine = machine(settings(false));
    connect(&mut machine, Time::ZERO, welcome(1 << 20));
    let asked_at = machine.wake_at().expect("silence is looked at");
    machine.advance(asked_at);
    let ping = machine.poll_send().expect("it asks");
    assert_eq!(ping.header().kind, FrameKind::Ping);
    assert_eq!(machine.poll_send(), None, "once");
    // An answer, and everything is as before.
    say(&mut machine, asked_at, Message::Pong(ping.header().number));
    let asked_again_at = machine.wake_at().expect("silence is looked at");
    assert!(asked_again_at > asked_at);
    machine.advance(asked_again_at);
    assert!(machine.poll_send().is_some());
    let left_at = machine.wake_at().expect("patience ends");
    machine.advance(left_at);
    assert_eq!(machine.poll_link(), Some(LinkCommand::Close));
}

#[test]
fn a_question_that_the_socket_does_not_take_is_no_reason_to_wake_up() {
    let mut machine = machine(settings(false));
    connect(&mut machine, Time::ZERO, welcome(1 << 20));
    let due = machine.wake_at().expect("silence is looked at");
    machine.advance(due);
    // Nobody calls `poll_send`.
    let next = machine.wake_at().expect("patience ends");
    assert!(next > due);
    machine.advance(next);
    assert_eq!(machine.poll_link(), Some(LinkCommand::Close));
}

#[test]
fn a_server_that_answers_and_accepts_nothing_is_left_as_well() {
    let mut machine = machine(settings(false));
    take(&mut machine, Time::ZERO, 1..=2);
    connect(&mut machine, Time::ZERO, welcome(1 << 20));
    sent(&mut machine);
    while machine.status().is_connected {
        let now = machine.wake_at().expect("something is looked at");
        machine.advance(now);
        if let Some(ping) = machine.poll_send() {
            say(&mut machine, now, Message::Pong(ping.header().number));
        }
        assert!(
            now <= Duration::from_secs(120),
            "it is patient, not endlessly"
        );
    }
    assert_eq!(machine.account().pending, 20);
}

#[test]
fn it_comes_back_for_ever_after_delays_that_are_spread_and_bounded() {
    let mut machine = machine(settings(false));
    let (mut now, mut delays) = (Time::ZERO, Vec::new());
    for _ in 0..2_000 {
        let at = machine.wake_at().expect("it comes back");
        delays.push(at - now);
        now = at;
        machine.advance(now);
        assert_eq!(machine.poll_link(), Some(LinkCommand::Connect));
        machine.disconnected(now, Disconnect::passing("refused"));
        machine.advance(now);
    }
    let longest = Settings::default().reconnect_max;
    assert!(delays.iter().all(|&delay| delay <= longest));
    assert!(delays[1] <= Settings::default().reconnect_first);
    // Full jitter: evenly between nothing and the bound.
    let late = &delays[100..];
    let mean = late.iter().sum::<Duration>() / late.len() as u32;
    assert!(mean > longest * 2 / 5 && mean < longest * 3 / 5, "{mean:?}");
    assert!(late.iter().any(|&delay| delay < longest / 20));
}

#[test]
fn a_server_that_names_a_time_is_left_alone_until_then_within_reason() {
    for (asked, at_least) in [(5_000, 5_000), (u32::MAX, 30_000)] {
        let mut machine = machine(settings(false));
        connect(&mut machine, Time::ZERO, welcome(1));
        say(
            &mut machine,
            Time::ZERO,
            Message::Goodbye(Goodbye {
                text: "later".to_owned(),
                retry_after_ms: Some(asked),
            }),
        );
        let again = machine.wake_at().expect("it comes back");
        assert!(
            again >= ms(at_least) && again <= ms(2 * at_least),
            "{again:?}"
        );
    }
}

#[test]
fn at_the_end_everything_is_acknowledged_before_goodbye() {
    let mut machine = machine(settings(false));
    take(&mut machine, Time::ZERO, 1..=2);
    connect(&mut machine, Time::ZERO, welcome(1 << 20));
    machine.end(ms(1), ms(5_000));
    machine.advance(ms(1));
    assert_eq!(sent(&mut machine).len(), 3);
    assert!(!machine.status().is_ended);
    say(&mut machine, ms(2), ack(2, 1 << 20));
    assert_eq!(sent(&mut machine), [(FrameKind::Goodbye, 0)]);
    machine.advance(ms(2));
    assert!(machine.status().is_ended);
    assert_eq!(machine.poll_link(), Some(LinkCommand::Close));
    assert_eq!((machine.wake_at(), machine.poll_link()), (None, None));
}

#[test]
fn at_the_end_without_server_and_spool_it_is_tried_until_the_deadline_and_then_counted() {
    let mut machine = machine(settings(false));
    take(&mut machine, Time::ZERO, 1..=2);
    machine.end(Time::ZERO, ms(3_000));
    let mut attempts = 0;
    let mut now = Time::ZERO;
    while !machine.status().is_ended {
        machine.advance(now);
        if machine.poll_link() == Some(LinkCommand::Connect) {
            attempts += 1;
            machine.disconnected(now, Disconnect::passing("refused"));
            machine.advance(now);
        }
        now = machine.wake_at().unwrap_or(now);
    }
    assert_eq!(now, ms(3_000));
    assert!(attempts > 2, "{attempts}");
    assert_eq!(lost(&machine, LossReason::NotAcknowledged), 20);
    assert!(machine.account().balances());
    let late = machine.take(now, batch(STREAM, 3, 10, 10), true);
    assert!(matches!(late, Taken::Lost), "it is over");
    assert_eq!(lost(&machine, LossReason::NotAcknowledged), 30);
}

#[test]
fn at_the_end_without_server_the_spool_has_it_at_once() {
    let disk = SimulatedDisk::default();
    let mut spool = Spool::new(disk.clone(), STREAM, settings(true).frames);
    let mut machine = machine(settings(true));
    take(&mut machine, Time::ZERO, 1..=2);
    machine.advance(Time::ZERO);
    machine.poll_link();
    machine.disconnected(ms(1), Disconnect::passing("refused"));
    machine.end(ms(1), ms(5_000));
    while !machine.status().is_ended {
        machine.advance(ms(2));
        machine.poll_link();
        if let Some(command) = machine.poll_disk() {
            machine.disk_done(ms(2), spool.carry_out(command));
        }
    }
    assert_eq!(machine.account().pending, 20, "it is kept");
    assert_eq!(machine.account().lost(), []);
    assert_eq!(disk.bytes(), 2_000);
}

#[test]
fn what_waits_too_long_goes_to_the_disk_connected_or_not() {
    for is_connected in [false, true] {
        let mut machine = machine(settings(true));
        take(&mut machine, Time::ZERO, 1..=2);
        if is_connected {
            connect(&mut machine, Time::ZERO, welcome(1 << 20));
            sent(&mut machine);
        }
        assert_eq!(machine.poll_disk(), Some(DiskCommand::Scan));
        machine.disk_done(Time::ZERO, DiskOutcome::Scanned(Ok(Default::default())));
        machine.advance(ms(1_999));
        assert_eq!(machine.poll_disk(), None);
        machine.advance(ms(2_000));
        let Some(DiskCommand::Write { frames, .. }) = machine.poll_disk() else {
            panic!("it is time");
        };
        assert_eq!(frames.len(), 2);
        // The memory is kept until the disk has it.
        assert_eq!(machine.status().window_bytes, 2_000);
        machine.disk_done(ms(2_001), DiskOutcome::Written(Ok(())));
        let status = machine.status();
        assert_eq!((status.window_bytes, status.spool_bytes), (0, 2_000));
        assert_eq!((status.settled, status.secured), (0, 2));
    }
}

#[test]
fn a_full_disk_costs_what_memory_has_no_room_for_until_there_is_space_again() {
    let full = || DiskOutcome::Written(Err(std::io::ErrorKind::StorageFull.into()));
    let mut machine = machine(settings(true));
    machine.advance(Time::ZERO);
    assert_eq!(machine.poll_disk(), Some(DiskCommand::Scan));
    machine.disk_done(Time::ZERO, DiskOutcome::Scanned(Ok(Default::default())));
    take(&mut machine, Time::ZERO, 1..=16);
    assert!(matches!(
        machine.poll_disk(),
        Some(DiskCommand::Write { .. })
    ));
    machine.disk_done(ms(1), full());
    for number in 17..=20 {
        let taken = machine.take(ms(2), batch(STREAM, number, 10, 960), true);
        assert!(matches!(taken, Taken::Lost));
    }
    assert_eq!(lost(&machine, LossReason::SpoolFailed), 40);
    machine.advance(ms(2));
    assert_eq!(machine.poll_disk(), None, "not at once again");
    let again = machine.wake_at().expect("it is tried again").max(ms(600));
    machine.advance(again);
    let Some(DiskCommand::Write { offset: 0, .. }) = machine.poll_disk() else {
        panic!("it is tried again");
    };
    machine.disk_done(again, DiskOutcome::Written(Ok(())));
    let taken = machine.take(again, batch(STREAM, 21, 10, 960), true);
    assert!(matches!(taken, Taken::Kept), "there is room again");
    assert!(machine.account().balances());
}

#[test]
fn an_exit_half_a_second_away_finds_everything_on_the_disk_half_way() {
    let mut machine = machine(settings(true));
    connect(&mut machine, Time::ZERO, welcome(1 << 20));
    assert_eq!(machine.poll_disk(), Some(DiskCommand::Scan));
    machine.disk_done(Time::ZERO, DiskOutcome::Scanned(Ok(Default::default())));
    take(&mut machine, Time::ZERO, 1..=2);
    sent(&mut machine);
    machine.secure(ms(100), ms(600));
    machine.advance(ms(100));
    assert_eq!(machine.poll_disk(), None, "the server may answer");
    assert_eq!(machine.wake_at(), Some(ms(350)));
    machine.advance(ms(350));
    assert!(matches!(
        machine.poll_disk(),
        Some(DiskCommand::Write { .. })
    ));
}

#[test]
fn whoever_only_finds_the_spool_locked_for_a_moment_writes_before_the_process_exits() {
    let mut machine = machine(settings(true));
    machine.disconnected(ms(0), Disconnect::passing("nobody is there"));
    take(&mut machine, ms(0), 1..=3);
    machine.secure(ms(1), ms(251));
    machine.advance(ms(1));
    let busy = || DiskOutcome::Written(Err(std::io::ErrorKind::WouldBlock.into()));
    let mut now = ms(1);
    let mut asked = 0;
    // Others have it now and then.
    while asked < 4 {
        machine.advance(now);
        match machine.poll_disk() {
            Some(DiskCommand::Write { .. }) => {
                asked += 1;
                machine.disk_done(now, busy());
            }
            Some(DiskCommand::Scan) => {
                let scanned = Err(std::io::ErrorKind::WouldBlock.into());
                machine.disk_done(now, DiskOutcome::Scanned(scanned));
            }
            Some(other) => panic!("nothing else is due: {other:?}"),
            None => now = machine.wake_at().expect("it tries again").max(now + ms(1)),
        }
    }
    assert!(now < ms(126), "half of the time is over: {now:?}");
    assert_eq!(machine.account().pending, 30);
}

#[test]
fn a_lock_that_nobody_gives_up_is_a_disk_that_fails() {
    let mut machine = machine(settings(true));
    machine.disconnected(ms(0), Disconnect::passing("nobody is there"));
    take(&mut machine, ms(0), 1..=3);
    machine.secure(ms(1), ms(2));
    let mut now = ms(1);
    let mut asked = 0;
    while now < Duration::from_secs(600) {
        machine.advance(now);
        match machine.poll_disk() {
            Some(DiskCommand::Write { .. }) => {
                asked += 1;
                let busy = Err(std::io::ErrorKind::WouldBlock.into());
                machine.disk_done(now, DiskOutcome::Written(busy));
            }
            Some(_) => {
                machine.disk_failed(now, "busy");
            }
            None => {
                if let Some(link) = machine.poll_link() {
                    assert_eq!(link, LinkCommand::Connect);
                    machine.disconnected(now, Disconnect::passing("nobody is there"));
                }
                now = machine.wake_at().expect("it tries again").max(now + ms(1));
            }
        }
    }
    assert!(asked < 60, "it is asked ever more seldom: {asked}");
}

#[test]
fn the_last_number_that_there_is_may_lie_in_a_spool() {
    const DEAD: u64 = 3;
    let mut machine = machine(settings(true));
    connect(&mut machine, ms(0), welcome(1 << 20));
    let disk = SimulatedDisk::default();
    let file = format!("{DEAD:016x}-{:016x}.frames", u64::MAX);
    let last = Frame::build(FrameKind::Batch, [DEAD, u64::MAX], 10, 3, false, b"any");
    disk.change(|disk| disk.files.insert(file, last.bytes().to_vec()));
    let mut spool = Spool::new(disk.clone(), STREAM, settings(true).frames);
    let mut is_acknowledged = false;
    for now in 1..20 {
        machine.advance(ms(now));
        if let Some(command) = machine.poll_disk() {
            machine.disk_done(ms(now), spool.carry_out(command));
        }
        if sent(&mut machine).contains(&(FrameKind::Batch, u64::MAX)) {
            let ack = Ack {
                stream: DEAD,
                number: u64::MAX,
                credit_total: 1 << 20,
            };
            say(&mut machine, ms(now), Message::Ack(ack));
            is_acknowledged = true;
        }
    }
    assert!(is_acknowledged);
    assert_eq!(machine.account().adopted.stored, 10);
    assert!(disk.change(|disk| disk.files.keys().all(|name| !name.ends_with("frames"))));
}

/// What a dead process has left: a file that this version can read, unless the disk cannot.
fn left_behind(stream: u64) -> (String, Vec<u8>) {
    let name = FileName { stream, first: 1 };
    (name.to_string(), batch(stream, 1, 10, 100).bytes().to_vec())
}

#[test]
fn a_file_of_a_later_version_is_counted_once_however_often_it_is_found() {
    let mut world = World::new(1, settings(true), Faults::default());
    let (name, mut bytes) = left_behind(9);
    // The version stands in the fourth byte.
    bytes[3] = b'9';
    world
        .disk
        .change(|disk| disk.files.insert(name.clone(), bytes));
    world.start_client();
    world.run_until(ms(300_000));
    let account = world.client().machine.account();
    assert_eq!(account.damage.unreadable_files, 1);
    assert_eq!(account.adopted.streams, 1);
    assert!(
        world.files().iter().any(|(found, _)| *found == name),
        "it stays"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_counted_once_and_sent_when_it_can() {
    let mut world = World::new(1, settings(true), Faults::default());
    let (name, bytes) = left_behind(9);
    world.disk.change(|disk| {
        disk.files.insert(name.clone(), bytes);
        disk.fails_reads = true;
    });
    world.start_client();
    world.run_until(ms(600_000));
    let account = world.client().machine.account().clone();
    assert_eq!(account.damage.unreadable_files, 1);
    assert_eq!(account.adopted.streams, 1);
    world.disk.change(|disk| disk.fails_reads = false);
    world.run_until(ms(700_000));
    let account = world.client().machine.account();
    assert_eq!(account.adopted.stored, 10);
    assert_eq!(account.damage.unreadable_files, 1, "so many were, once");
    assert!(!world.files().iter().any(|(found, _)| *found == name));
}
