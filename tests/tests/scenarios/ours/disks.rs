//! Disks that tear, lose and corrupt what is written.

use super::users;
use crate::lab::Lab;
use quorate_tests::sim::disk::Misdeeds;
use quorate_tests::sim::faults::{Fault, Part};
use quorate_tests::sim::random::Random;
use quorate_tests::sim::setup::Setup;
use quorate_tests::sim::workload::Workload;
use std::time::Duration;

/// How many sectors of all logs were torn, and how many lost.
fn misdeeds(lab: &Lab) -> (u64, u64) {
    let all = (0..lab.world.process_count()).map(|it| lab.world.process(it).directory.wal.misdeeds());
    all.fold((0, 0), |(torn, lost), it| (torn + it.torn, lost + it.lost))
}

/// Row `torn, lost and corrupt disk writes`: machines lose their power in the middle of writes, and disks lose, misplace
/// and rot what was synced, where the others can make up for it. What is damaged is refused and mended, never believed.
#[test]
fn ours_torn_lost_and_corrupt_disk_writes() {
    // Disks are slow, and so often at work when the power goes.
    let sync = (Duration::from_millis(4), Duration::from_millis(12));
    let mut lab = Lab::sharded(2, 2, Setup { seed: 149, sync, ..Setup::default() });
    let mut random = Random::new(149, 99);
    lab.work(6, &Workload { huge: 200, huge_bytes: 2000, ..users() });
    let operator = lab.operator;
    for _ in 0..400 {
        let (process, down) = (3 + random.below(6), Duration::from_millis(50));
        lab.world.inject(operator, &Fault::PowerCut { process, kept: 500, down });
        lab.run(150);
        let (torn, lost) = misdeeds(&lab);
        if torn > 2 && lost > 2 {
            break;
        }
    }
    lab.world.stop_work();
    lab.work(3, &Workload { huge: 300, huge_bytes: 2000, ..users() });
    for round in 0..70 {
        let (process, bits, time) = (3 + random.below(6), 1 + random.below(8), Duration::from_millis(100));
        let fault = match round % 7 {
            0 => Fault::LostWrite { process, part: Part::Wal, time },
            1 => Fault::MisdirectedWrite { process, part: Part::Wal, astray: false, time },
            2 => Fault::Rot { process, part: Part::Wal, bits },
            3 => Fault::LostWrite { process, part: Part::Snapshots, time: 14 * time },
            4 => Fault::MisdirectedWrite { process, part: Part::Snapshots, astray: true, time: 14 * time },
            5 => Fault::LyingSyncs { process, part: Part::Snapshots, time: 14 * time },
            _ => Fault::Rot { process, part: Part::Snapshots, bits },
        };
        lab.world.inject(operator, &fault);
        lab.run(1500);
    }
    lab.world.heal();
    lab.progress(50);
    let (torn, lost) = misdeeds(&lab);
    let refused = lab.world.counts.refused_starts;
    println!("{:?}, {torn} sectors torn, {lost} lost, {refused} starts refused", lab.world.faults);
    assert!(torn > 0 && lost > 0, "power was lost in the middle of writes");
    for class in ["power-cut", "lost-write", "misdirected-write", "bit-rot"] {
        assert!(lab.world.faults.contains_key(class), "no {class}: {:?}", lab.world.faults);
    }
    let of_snapshots = |of: fn(&Misdeeds) -> u64| {
        let all = (0..lab.world.process_count()).map(|it| lab.world.process(it).directory.snapshots.misdeeds());
        all.map(|misdeeds| of(&misdeeds)).sum::<u64>()
    };
    for hits in [of_snapshots(|it| it.dropped), of_snapshots(|it| it.astray), of_snapshots(|it| it.lies)] {
        assert!(hits > 0, "snapshots were hit too");
    }
    assert!(refused > 0, "damage was noticed");
    lab.pass();
}
