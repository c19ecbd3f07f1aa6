//! Faults count when they hit, and end as they should.

use super::{Fault, Part};
use crate::sim::disk::Outage;
use crate::sim::setup::Setup;
use crate::sim::workload::Workload;
use crate::sim::world::World;
use std::time::Duration;

const TIME: Duration = Duration::from_secs(1);

fn founded() -> World {
    let mut world = World::new(Setup::default());
    let operator = world.add_client();
    assert!(world.found(operator, &[(1, &[0, 1, 2])]));
    world
}

fn count(world: &mut World, fault: &Fault) -> u64 {
    world.note_hits();
    world.faults.get(fault.class()).copied().unwrap_or(0)
}

#[test]
fn what_would_change_nothing_is_not_possible() {
    let mut world = founded();
    let moved = (0..10).map(|shard| Fault::Move { shard, gid: 1 });
    let leader = world.leader(*world.groups().first().expect("it was founded")).expect("it has a leader");
    let idle = [
        Fault::OneWay { from: 1, to: 1, time: TIME },
        Fault::SlowLink { from: 1, to: 1, by: TIME, time: TIME },
        Fault::Partition { side: Vec::new(), time: TIME },
        Fault::Partition { side: (0..6).collect(), time: TIME },
        Fault::Join { gid: 1, servers: vec![0, 1, 2] },
        Fault::Leave { gid: 2 },
        Fault::Move { shard: 1, gid: 2 },
        Fault::Transfer { group: 0, to: leader },
        Fault::Transfer { group: 0, to: 4 },
        Fault::ClockDrift { process: 0, pace: 1000, time: TIME },
        Fault::ReadError { process: 5, part: Part::Snapshots },
    ];
    for fault in idle.into_iter().chain(moved) {
        assert!(!world.inject(0, &fault), "{fault:?}");
    }
    world.crash(5, Outage::Process);
    let process = 5;
    let of_the_dead = [
        Fault::Crash { process, down: TIME },
        Fault::Pause { process, time: TIME },
        Fault::FullDisk { process, time: TIME },
        Fault::SlowDisk { process, factor: 2, time: TIME },
        Fault::ClockDrift { process, pace: 2, time: TIME },
        Fault::ClockJump { process, by: TIME },
        Fault::WriteError { process, part: Part::Wal },
    ];
    for fault in of_the_dead {
        assert!(!world.inject(0, &fault), "{fault:?}");
    }
    world.note_hits();
    assert!(world.faults.is_empty(), "{:?}", world.faults);
}

#[test]
fn a_fault_counts_once_and_when_it_hits() {
    let mut world = founded();
    let client = world.add_client();
    let faults = [
        Fault::OneWay { from: 0, to: 1, time: TIME },
        Fault::SlowLink { from: 1, to: 2, by: TIME / 100, time: TIME },
        Fault::DamagedFrames { time: TIME },
        Fault::WriteError { process: 0, part: Part::Wal },
        Fault::SyncError { process: 1, part: Part::Wal },
        Fault::Leave { gid: 1 },
    ];
    for fault in faults {
        let before = count(&mut world, &fault);
        assert!(world.inject(0, &fault), "{fault:?}");
        assert_eq!(count(&mut world, &fault), before, "nothing met {fault:?} yet");
        assert!(!world.inject(0, &fault) || matches!(fault, Fault::Leave { .. }), "{fault:?} is there already");
        world.put_to_work(client, Workload::default());
        world.run_for(6 * TIME);
        world.stop_work();
        assert_eq!(count(&mut world, &fault), before + 1, "{fault:?}");
    }
}

#[test]
fn a_write_that_is_lost_counts_when_a_process_goes_without_it() {
    let (mut shown, mut put_back) = (0, 0);
    for process in 0..6 {
        let mut world = founded();
        let client = world.add_client();
        let fault = Fault::LostWrite { process, part: Part::Wal, time: 100 * TIME };
        world.put_to_work(client, Workload::default());
        assert!(world.inject(0, &fault));
        world.run_until(5 * TIME, |world| world.process(process).directory.wal.misdeeds().dropped > 0);
        assert_eq!(count(&mut world, &fault), 0);
        let owes = world.process(process).directory.wal.owes();
        let loses = world.is_expendable(process);
        world.crash(process, Outage::Process);
        assert_eq!(count(&mut world, &fault), u64::from(owes && loses));
        shown += u64::from(owes && loses);
        put_back += u64::from(owes && !loses);
    }
    println!("{shown} shown, {put_back} put back");
    assert!(shown + put_back > 0);
}

/// A segment may take longer to be prepared than a full disk is not looked at: time must go on meanwhile.
#[test]
fn a_full_and_slow_disk_does_not_stop_the_clock() {
    let mut world = World::new(Setup { segment_bytes: 16 << 10, ..Setup::default() });
    let operator = world.add_client();
    assert!(world.found(operator, &[(1, &[0, 1, 2])]));
    for _ in 0..4 {
        let client = world.add_client();
        world.put_to_work(client, Workload { huge: 500, huge_bytes: 4000, ..Workload::default() });
    }
    let time = 20 * TIME;
    (0..3).for_each(|process| _ = world.inject(0, &Fault::SlowDisk { process, factor: 100, time }));
    for process in (0..3).cycle().take(12) {
        world.inject(0, &Fault::FullDisk { process, time: TIME });
        world.run_for(TIME);
    }
    world.note_hits();
    assert!(world.faults.get("full-disk").is_some_and(|hits| *hits > 2), "{:?}", world.faults);
    world.settle();
    assert_eq!(world.judge().word(), "pass");
}
