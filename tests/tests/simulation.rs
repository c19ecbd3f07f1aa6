//! Whole clusters on simulated disks and networks.

use quorate_tests::sim::disk::Outage;
use quorate_tests::sim::setup::Setup;
use quorate_tests::sim::workload::Workload;
use quorate_tests::sim::world::World;
use std::time::Duration;

/// Two groups, five users, and a crash every second; the rest of it is for the caller.
fn a_busy_world(seed: u64) -> World {
    let mut world = World::new(Setup { seed, ..Setup::default() });
    let operator = world.add_client();
    assert!(world.found(operator, &[(1, &[0, 1, 2]), (2, &[3, 4, 5])]), "the groups begin");
    for _ in 0..5 {
        let client = world.add_client();
        world.put_to_work(client, Workload::default());
    }
    for round in 0..20 {
        world.run_for(Duration::from_millis(700));
        let victim = round % world.process_count();
        world.crash(victim, Outage::Power { kept: 500 });
        world.run_for(Duration::from_millis(300));
        world.start(victim);
    }
    world.settle();
    world
}

#[test]
fn a_run_is_judged() {
    let world = a_busy_world(1);
    println!("{:?} {:?} {} operations", world.counts, world.network.traffic, world.history.len());
    println!("{:?}", world.actions());
    let finding = world.judge();
    assert_eq!(finding.word(), "pass", "{finding:?}");
    assert!(world.history.len() > 1000);
}

#[test]
fn one_seed_is_one_run() {
    let (one, other) = (a_busy_world(7), a_busy_world(7));
    assert_eq!(one.digest(), other.digest());
    assert_eq!(one.counts, other.counts);
    assert_ne!(one.digest(), a_busy_world(8).digest());
}
