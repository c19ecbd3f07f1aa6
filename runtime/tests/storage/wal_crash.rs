//! Random lanes, a crash at a random step of the disk: recovery gives a prefix with everything that was synced.

use crate::disk::MemDisk;
use crate::lane::{Choices, Model, lane, options};
use quorate::wal::{Wal, WalError};

const LANE: usize = 400;

/// Runs a lane from `done` on, in batches, until the disk stops; says how many writes were acknowledged.
fn run(disk: &MemDisk, seed: u64, mut done: usize) -> usize {
    let (writes, states) = lane(seed, LANE);
    let mut choices = Choices::new(seed ^ 0xbad);
    let Ok((mut wal, _)) = Wal::open(disk.clone(), options()) else {
        return done;
    };
    while done < LANE {
        let batch = &writes[done..(done + 1 + choices.below(6) as usize).min(LANE)];
        match wal.commit_some(batch) {
            Ok(count) => done += count,
            Err(WalError::Io { .. }) => return done,
            Err(error) => panic!("seed {seed}: {error}"),
        }
        assert!(Model::of(wal.fold()) == states[done], "seed {seed}: the fold is what the writes mean, at {done}");
    }
    done
}

#[test]
fn without_a_crash_everything_is_there() {
    for seed in 0..10 {
        let disk = MemDisk::default();
        assert_eq!(run(&disk, seed, 0), LANE);
        let (wal, recovered) = Wal::open(disk.crash(|| false), options()).unwrap();
        assert_eq!((Model::of(wal.fold()), recovered.cut), (lane(seed, LANE).1.pop().unwrap(), 0), "seed {seed}");
        assert!(wal.segments() > 1, "the lane is long enough to rotate");
    }
}

#[test]
fn a_crash_keeps_a_prefix_with_everything_synced() {
    let (mut lost, mut kept_more, mut torn) = (0, 0, 0);
    for seed in 0..300 {
        let mut choices = Choices::new(seed);
        let (_, states) = lane(seed, LANE);
        let mut disk = MemDisk::default();
        let mut acknowledged = 0;
        for _crash in 0..3 {
            disk.stop_after(choices.below(250) as usize);
            acknowledged = run(&disk, seed, acknowledged);
            let odds = 1 + choices.below(3);
            disk = disk.crash(|| choices.below(4) < odds);
            let opened = Wal::open(disk.clone(), options());
            let (wal, recovered) = opened.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            let model = Model::of(wal.fold());
            let state = (acknowledged..=LANE).find(|count| states[*count] == model);
            let Some(count) = state else { panic!("seed {seed}: not a state after {acknowledged} writes") };
            lost += usize::from(count == acknowledged);
            kept_more += usize::from(count > acknowledged);
            torn += usize::from(recovered.cut > 0);
            acknowledged = count;
        }
    }
    assert!(lost > 0 && kept_more > 0 && torn > 0, "all outcomes were reached: {lost} {kept_more} {torn}");
}

/// A crash while the opening after a crash is being made: recovery is idempotent.
#[test]
fn a_crash_during_recovery_changes_nothing() {
    for seed in 0..40 {
        let mut choices = Choices::new(seed);
        let disk = MemDisk::default();
        disk.stop_after(60 + choices.below(100) as usize);
        run(&disk, seed, 0);
        let crashed = disk.crash(|| choices.coin());
        let expected = Model::of(Wal::open(crashed.copy(), options()).unwrap().0.fold());
        for steps in 0..6 {
            let again = crashed.copy();
            again.stop_after(steps);
            let _ = Wal::open(again.clone(), options());
            let after = again.crash(|| choices.coin());
            let (wal, _) = Wal::open(after, options()).unwrap();
            assert!(Model::of(wal.fold()) == expected, "seed {seed}, stopped after {steps}");
        }
    }
}

/// What a killed process had written and not synced is there when it starts again. Recovery builds on it, so from then on
/// it stays, whatever happens to the machine.
#[test]
fn what_recovery_saw_is_durable() {
    let mut unsynced = 0;
    for seed in 0..100 {
        let disk = MemDisk::default();
        disk.stop_after(Choices::new(seed).below(250) as usize);
        let acknowledged = run(&disk, seed, 0);
        disk.go_on();
        let seen = Model::of(Wal::open(disk.clone(), options()).unwrap().0.fold());
        let (wal, _) = Wal::open(disk.crash(|| false), options()).unwrap();
        assert!(Model::of(wal.fold()) == seen, "seed {seed}");
        unsynced += usize::from(seen != lane(seed, LANE).1[acknowledged]);
    }
    assert!(unsynced > 0, "some were killed between write and sync");
}

/// A sync that fails once forgets what it was to make durable, and the next one would not say so: nothing goes on after it
/// (`continue-after-failed-sync`).
#[test]
fn nothing_is_acknowledged_after_a_sync_that_failed_once() {
    let mut failed = 0;
    for seed in 0..60 {
        let disk = MemDisk::default();
        disk.fail_one_sync(Choices::new(seed).below(150) as usize);
        let acknowledged = run(&disk, seed, 0);
        failed += usize::from(disk.a_sync_failed());
        let (wal, _) = Wal::open(disk.crash(|| false), options()).unwrap();
        let model = Model::of(wal.fold());
        let (_, states) = lane(seed, LANE);
        assert!(states[acknowledged..].contains(&model), "seed {seed}: not a state after {acknowledged} writes");
    }
    assert!(failed > 30, "a sync failed in most of them: {failed}");
}
