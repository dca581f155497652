//! One run from its plan to what must hold at its end.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use reflow_trace::client::machine::Time;
use reflow_trace::event::EventId;
use reflow_trace_server::store::{Store, TimeRange};

use super::plan::{Faults, Plan};
use super::process::Process;
use super::server::at_once;
use super::world::{Tally, World};

/// After the last fault everything is acknowledged within this time: a stall is found after a minute, a file
/// that cannot be read is given up after two.
const PROGRESS_WITHIN: Time = Time::from_secs(900);

/// Runs a plan; says what must not be, if it is.
pub(crate) fn run(plan: Plan) -> Result<Tally, String> {
    let ran = catch_unwind(AssertUnwindSafe(|| {
        let mut world = World::new(&plan);
        live(&mut world, &plan);
        heal(&mut world);
        judge(&mut world);
        match world.violation {
            Some(violation) => Err(violation),
            None => Ok(world.tally),
        }
    }));
    ran.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(format!("it panicked: {}", text.unwrap_or("without words")))
    })
}

fn live(world: &mut World, plan: &Plan) {
    for _ in 0..plan.batches {
        world.produce();
        let pause = match world.dice.u32(..12) {
            0 => world.ms(0..4_000),
            1..=5 => Time::ZERO,
            _ => world.ms(0..20),
        };
        world.run_until(world.now + pause);
        if world.violation.is_some() {
            return;
        }
    }
}

/// Nothing goes wrong any more, and everything gets through in bounded time.
fn heal(world: &mut World) {
    world.faults = Faults::default();
    world.disk.change(|disk| disk.capacity = usize::MAX);
    let end = world.now + PROGRESS_WITHIN;
    let is_drained = world.run_while(end, |world| !is_quiet(world));
    if !is_drained {
        let states = world.living.iter().map(|process| {
            let (status, account) = (process.machine.status(), process.machine.account());
            format!("{status:?} {account:?}")
        });
        let text = format!(
            "no end within {PROGRESS_WITHIN:?}: {}",
            states.collect::<Vec<_>>().join("; ")
        );
        world.violate(text);
    }
}

fn is_quiet(world: &World) -> bool {
    // A file that says it is of a later version, which a turned bit may do, is left alone.
    let is_later = |bytes: &[u8]| bytes.starts_with(b"RTF") && !bytes.starts_with(b"RTF1");
    let is_left = world.disk.change(|disk| {
        let mut files = disk.files.iter();
        files.any(|(name, bytes)| name.ends_with(".frames") && !is_later(bytes))
    });
    // Batches without events are not in the account, and are waited for all the same.
    let is_settled = |process: &Process| {
        let status = process.machine.status();
        status.is_connected
            && process.machine.account().pending == 0
            && status.window_bytes == 0
            && status.spool_bytes == 0
    };
    world.server.is_some() && !is_left && world.living.iter().all(is_settled)
}

fn judge(world: &mut World) {
    if world.violation.is_some() {
        return;
    }
    let mut violations = Vec::new();
    violations.extend(judge_events(world));
    for process in &world.living {
        violations.extend(judge_living(world, process));
    }
    for process in &world.dead {
        violations.extend(judge_dead(world, process));
    }
    let lost = world
        .living
        .iter()
        .flat_map(|process| process.machine.account().lost());
    world.tally.lost = lost.map(|loss| loss.count).sum();
    world.tally.duplicates = world.durable.store.stats().duplicates;
    if let Some(violation) = violations.into_iter().next() {
        world.violate(violation);
    }
}

/// What the store gives back is what was sealed, whole batches, each event once.
fn judge_events(world: &World) -> Option<String> {
    let mut expected: BTreeMap<EventId, u32> = BTreeMap::new();
    for process in world.living.iter().chain(&world.dead) {
        for (number, made) in &process.made {
            if world.durable.batches.contains(&(process.stream, *number)) {
                expected.extend(made.events.iter().map(|id| (*id, 0)));
            }
        }
    }
    let snapshot = at_once(world.durable.store.snapshot()).expect("memory can be read");
    for event in snapshot.events(TimeRange::ALL) {
        let event = event.expect("memory can be read");
        match expected.get_mut(&event.event_id) {
            Some(times) => *times += 1,
            None => {
                return Some(format!(
                    "{:?} is stored, and nobody has sent it",
                    event.event_id
                ));
            }
        }
    }
    let wrong = expected.into_iter().find(|&(_, times)| times != 1)?;
    Some(format!("{:?} is stored {} times", wrong.0, wrong.1))
}

/// Of a process that lives: the account is the truth, to the event.
fn judge_living(world: &World, process: &Process) -> Option<String> {
    let account = process.machine.account();
    let waiting = process
        .waiting
        .as_ref()
        .map_or(0, |frame| u64::from(frame.header().events));
    let made = process.made_events() - waiting;
    if account.taken != made {
        return Some(format!(
            "{made} events were handed over, {} are in the account",
            account.taken
        ));
    }
    let stored = stored_events(world, process);
    let lost: u64 = account.lost().iter().map(|loss| loss.count).sum();
    if world.has_rotted {
        // What has rotted before it was acknowledged may have arrived.
        return (stored < account.stored)
            .then(|| format!("{} acknowledged, {stored} stored", account.stored));
    }
    if (account.stored, lost) != (stored, made - stored) {
        return Some(format!(
            "{stored} of {made} events are stored; the account has {} stored and {lost} lost",
            account.stored
        ));
    }
    let missing = process.made.iter().find(|&(number, made)| {
        let place = (process.stream, *number);
        made.is_kept
            && !world.durable.batches.contains(&place)
            && !world.durable.refused.contains_key(&place)
    })?;
    Some(format!(
        "batch {} of {:016x} was taken and is nowhere",
        missing.0, process.stream
    ))
}

/// Of a process that died: what was acknowledged, and what had reached the disk, is stored.
fn judge_dead(world: &World, process: &Process) -> Option<String> {
    let account = process.machine.account();
    let stored = stored_events(world, process);
    if stored < account.stored {
        return Some(format!(
            "{} events were acknowledged, {stored} are stored",
            account.stored
        ));
    }
    if world.has_rotted {
        return None;
    }
    let secured = process.machine.status().secured;
    let missing = process.made.range(..=secured).find(|&(number, made)| {
        let place = (process.stream, *number);
        made.is_kept
            && !world.durable.batches.contains(&place)
            && !world.durable.refused.contains_key(&place)
    })?;
    Some(format!(
        "batch {} of {:016x} was on the disk when its process died, and is nowhere",
        missing.0, process.stream
    ))
}

fn stored_events(world: &World, process: &Process) -> u64 {
    let stored = process
        .made
        .iter()
        .filter(|(number, _)| world.durable.batches.contains(&(process.stream, **number)));
    stored.map(|(_, made)| made.events.len() as u64).sum()
}
