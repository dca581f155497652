//! What holds for every seed: nothing is stored twice, nothing is lost and not counted, and memory and
//! disk are bounded.

use std::time::Duration;

use super::super::NOTICES_SHARE;
use super::world::{Client, Faults, World, ms, settings};
use crate::ledger::LossReason;

/// Which seeds; `REFLOW_TRACE_SEEDS=100000` asks for more, `REFLOW_TRACE_SEED=397` for one.
fn seeds(usual: u64) -> std::ops::Range<u64> {
    let asked = |variable| std::env::var(variable).ok()?.parse().ok();
    match asked("REFLOW_TRACE_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..asked("REFLOW_TRACE_SEEDS").unwrap_or(usual),
    }
}

/// Runs `run` for every seed and names the one that failed.
fn for_seeds(usual: u64, run: impl Fn(u64) + std::panic::RefUnwindSafe) {
    for seed in seeds(usual) {
        if let Err(panic) = std::panic::catch_unwind(|| run(seed)) {
            eprintln!("the seed was {seed}");
            std::panic::resume_unwind(panic);
        }
    }
}

/// Faults of a kind that the seed says, more or less often.
fn faults(world: &mut World) -> Faults {
    let mut often = |most: u64| match world.below(3) {
        0 => 0,
        _ => world.below(most + 1),
    };
    Faults {
        refuses_connections: often(500),
        cuts: often(60),
        half_opens: often(10),
        corrupts: often(20),
        refuses_batches: often(50),
        refuses_for_now: often(20),
        stalls: often(200),
        tears_writes: often(200),
        rots: 0,
    }
}

fn busy_life(world: &mut World, batches: u64) {
    for _ in 0..batches {
        let events = world.below(5) as u32;
        let bytes = world.below(1_200) as usize;
        world.produce(events, bytes);
        let pause = match world.below(10) {
            0 => ms(world.below(3_000)),
            1..=5 => Duration::ZERO,
            _ => ms(world.below(20)),
        };
        world.run_until(world.now + pause);
    }
}

fn lost(client: &Client, reason: LossReason) -> u64 {
    let lost = client.machine.account().lost();
    lost.iter()
        .find(|loss| loss.reason == reason)
        .map_or(0, |loss| loss.count)
}

/// Everything goes well from now on.
fn heal(world: &mut World) {
    world.faults = Faults::default();
    world.disk.change(|disk| {
        disk.capacity = usize::MAX;
        disk.fails_reads = false;
        disk.fails_removes = false;
    });
}

fn check_bounds(world: &World) {
    let window_max = world.settings.window_bytes_max;
    assert!(
        world.window_seen_max <= window_max + window_max / NOTICES_SHARE,
        "{} bytes in the window",
        world.window_seen_max
    );
    if let Some(spool) = &world.settings.spool {
        // A write that fails may leave something torn for a moment.
        let bound = spool.bytes_max + spool.file_bytes_max + 3_040;
        let seen = world.disk.change(|disk| disk.bytes_seen_max) as u64;
        assert!(seen <= bound, "{seen} bytes on the disk");
    }
}

#[test]
fn every_event_is_acknowledged_refused_or_counted_as_lost_whatever_fails() {
    for_seeds(1_500, |seed| {
        let mut world = World::new(seed, settings(seed % 3 != 0), Faults::default());
        world.faults = faults(&mut world);
        world.start_client();
        busy_life(&mut world, 120);
        heal(&mut world);
        let end = world.now + Duration::from_secs(900);
        let is_drained = world.run_while(end, |world| {
            let client = world.client.as_ref().expect("it lives");
            client.machine.account().pending > 0 || !client.machine.status().is_connected
        });
        assert!(is_drained, "it ends once everything works");
        check_bounds(&world);
        let stream = world.client().stream;
        let stored_there = world.server.events_of(stream);
        let refused_there: u64 = world
            .server
            .streams
            .get(&stream)
            .map_or(0, |memory| memory.refused.values().sum());
        let client = world.client();
        let account = client.machine.account();
        assert_eq!(account.stored, stored_there);
        assert_eq!(lost(client, LossReason::Refused), refused_there);
        let kept: u64 = client.kept.values().sum();
        assert_eq!(
            kept,
            stored_there + refused_there,
            "nothing else of what was kept is lost"
        );
    });
}

#[test]
fn what_is_on_the_disk_at_the_end_is_sent_by_the_next_process_and_stored_once() {
    for_seeds(600, |seed| {
        let mut world = World::new(seed, settings(true), Faults::default());
        world.faults = faults(&mut world);
        world.start_client();
        busy_life(&mut world, 80);
        let now = world.now;
        let timeout = ms(world.below(4_000));
        world.client().machine.end(now, now + timeout);
        world.run_until(now + timeout + Duration::from_secs(2));
        let first = world.client.take().expect("it lives");
        assert!(first.machine.status().is_ended);
        let account = first.machine.account().clone();
        let lost_at_end = lost(&first, LossReason::NotAcknowledged);
        let (stream, kept) = (first.stream, first.kept.clone());
        drop(first);

        heal(&mut world);
        world.start_client();
        let end = world.now + Duration::from_secs(900);
        let is_drained = world.run_while(end, |world| {
            let status = world.client.as_ref().expect("it lives").machine.status();
            !status.is_connected
                || status.spool_bytes > 0
                || world.disk.change(|disk| disk.files.len()) > 1
        });
        assert!(is_drained, "{:?}", world.files());
        check_bounds(&world);
        let memory = &world.server.streams[&stream];
        let (stored, refused): (u64, u64) =
            (memory.stored.values().sum(), memory.refused.values().sum());
        let kept: u64 = kept.values().sum();
        // What was lost at the end may have arrived.
        assert!(stored + refused <= kept);
        assert!(stored + refused + lost_at_end >= kept, "{account:?}");
        let adopted = world.client().machine.account().adopted;
        assert!(account.stored + account.pending <= stored + refused);
        assert!(
            adopted.stored >= account.pending.saturating_sub(adopted.refused),
            "{adopted:?}"
        );
    });
}

#[test]
fn a_killed_process_loses_no_more_than_its_memory_and_what_was_acknowledged_is_stored() {
    for_seeds(600, |seed| {
        let mut world = World::new(seed, settings(true), Faults::default());
        world.faults = faults(&mut world);
        let mut dead = Vec::new();
        for _ in 0..3 {
            world.start_client();
            let batches = 20 + world.below(40);
            busy_life(&mut world, batches);
            dead.push(world.kill_client());
        }
        heal(&mut world);
        world.start_client();
        let end = world.now + Duration::from_secs(900);
        let is_drained = world.run_while(end, |world| {
            let status = world.client.as_ref().expect("it lives").machine.status();
            !status.is_connected
                || status.spool_bytes > 0
                || world.disk.change(|disk| disk.files.len()) > 1
        });
        assert!(is_drained, "{:?}", world.files());
        check_bounds(&world);
        for client in &dead {
            let stored = world.server.events_of(client.stream);
            let account = client.machine.account();
            assert!(account.stored <= stored, "acknowledged is stored");
            let status = client.machine.status();
            // What was on the disk arrives, unless it was refused.
            let memory = world.server.streams.get(&client.stream);
            for (number, _) in client.kept.range(..=status.secured) {
                assert!(
                    memory.is_some_and(|memory| memory.stored.contains_key(number)
                        || memory.refused.contains_key(number)),
                    "{number} of {} was secured",
                    status.secured
                );
            }
        }
    });
}

#[test]
fn a_disk_that_rots_and_fills_up_costs_what_was_on_it_and_no_more() {
    for_seeds(400, |seed| {
        let mut world = World::new(seed, settings(true), Faults::default());
        world.faults = faults(&mut world);
        world.faults.rots = world.below(200);
        let capacity = 5_000 + world.below(60_000) as usize;
        world.disk.change(|disk| disk.capacity = capacity);
        world.start_client();
        busy_life(&mut world, 100);
        heal(&mut world);
        let end = world.now + Duration::from_secs(900);
        let is_drained = world.run_while(end, |world| {
            let client = world.client.as_ref().expect("it lives");
            let status = client.machine.status();
            client.machine.account().pending > 0 || !status.is_connected || status.spool_bytes > 0
        });
        assert!(is_drained, "{:?}", world.client().machine.status());
        let stream = world.client().stream;
        let stored_there = world.server.events_of(stream);
        let client = world.client();
        let account = client.machine.account();
        let kept: u64 = client.kept.values().sum();
        let rotten = lost(client, LossReason::SpoolCorrupt);
        let refused = lost(client, LossReason::Refused);
        assert_eq!(kept, account.stored + rotten + refused, "{account:?}");
        // What has rotted before it was acknowledged may have arrived.
        let unheard_of = stored_there - account.stored;
        assert!(unheard_of <= rotten, "{unheard_of} of {rotten}");
    });
}
