//! Every step of a migration, crossed with a crash of each side.

use super::{fill, keys, lab, users};
use quorate_tests::sim::disk::Outage;
use std::time::Duration;

/// The steps, by the actions of the specification, in the order in which they happen first.
const STEPS: [&str; 6] = ["AdoptConfiguration", "Freeze", "Pull", "InstallChunk", "Install", "Collect"];

/// Who loses its power: the group that gives, the one that takes, or both.
const SIDES: [&[u64]; 3] = [&[1], &[2], &[1, 2]];

/// One shard moves. When the step was taken for the `nth` time since, all servers of a side lose their power, for a second.
fn crash_at(step: &str, nth: u64, side: &[u64], seed: u64) {
    let (mut lab, keys) = (lab(seed, 2), keys());
    let moving = lab.shards_of(1)[0];
    fill(&mut lab, &keys[&moving], 3, 1500);
    lab.work(3, &users());
    lab.progress(20);
    let before = lab.count(step);
    let change = quorate_tests::sim::operator::shift(moving, 2);
    let call = lab.world.call(lab.operator, change);
    let end = lab.world.now() + Duration::from_secs(10);
    while lab.count(step) < before + nth {
        assert!(lab.world.now() < end, "{step} is taken {nth} times in a move");
        lab.world.run_for(Duration::from_micros(50));
    }
    let servers: Vec<usize> = side.iter().flat_map(|gid| lab.servers(*gid)).collect();
    lab.world.crash_all(servers.iter().copied(), Outage::Power { kept: 500 });
    lab.run(1000);
    servers.into_iter().for_each(|server| lab.world.start(server));
    let operator = lab.operator;
    lab.until("the operator is answered", |world| world.outcome(operator, call).is_some());
    lab.settled();
    assert!(lab.shards_of(2).contains(&moving));
    lab.progress(20);
    lab.pass();
}

/// Row `every step of a migration crossed with a crash of each side`. A step is taken by up to three replicas: the crash
/// comes when the first, and when the last but one has taken it.
#[test]
fn ours_every_step_of_a_migration_crossed_with_a_crash_of_each_side() {
    let mut seed = 150;
    for step in STEPS {
        for side in SIDES {
            for nth in [1, 2] {
                seed += 1;
                println!("{step} for the {nth}. time, groups {side:?} lose their power, seed {seed}");
                crash_at(step, nth, side, seed);
            }
        }
    }
}
