//! Servers come and go while users write.

use super::{ELECTION, Servers};
use quorate_spec::history::{Call, Outcome};
use quorate_tests::sim::network::Links;
use quorate_tests::sim::random::Random;
use quorate_tests::sim::workload::Workload;
use std::time::Duration;

/// 3 users and 5 servers that crash and are cut off, 20 times. What was acknowledged must be in everybody's log.
fn churn(seed: u64, links: Links) {
    let mut servers = Servers::new(5, seed);
    let mut random = Random::new(seed, 99);
    servers.lab.world.network.links = links;
    let era = Duration::from_secs(3600);
    servers.lab.work(3, &Workload { keys: 3, era, gets: 0, puts: 0, ..Workload::default() });
    for _ in 0..20 {
        let mut pick = || random.below(5) + 1;
        let (one, two, three) = (pick(), pick(), pick());
        if random.per_mille(200) {
            servers.cut(&[one]);
        }
        if random.per_mille(500) {
            servers.restart(two);
            servers.back(&[two]);
        }
        if random.per_mille(200) {
            servers.crash(three);
        }
        servers.run(ELECTION * 7 / 10);
    }
    servers.run(ELECTION);
    servers.lab.world.network.links = Links::reliable();
    let all: Vec<usize> = servers.all().collect();
    all.iter().for_each(|server| servers.restart(*server));
    servers.back(&all);
    servers.lab.world.stop_work();
    servers.lab.until("users' calls end", |world| world.is_quiet());
    let end = servers.agree(5);
    let acknowledged = servers.lab.world.history.iter().filter(|operation| operation.outcome == Outcome::Done);
    let places: Vec<_> = acknowledged
        .filter(|operation| matches!(operation.call, Call::Append(_)))
        .map(|operation| operation.place.expect("an answer has its place").1.index)
        .collect();
    println!("{} values acknowledged", places.len());
    assert!(places.len() >= 10, "only {} values were acknowledged", places.len());
    assert!(places.iter().all(|index| *index < end), "every value is in the log that all have");
    servers.pass();
}

/// Row `reliable-churn`.
#[test]
fn raft_reliable_churn() {
    churn(31, Links::reliable());
}

/// Row `unreliable-churn`.
#[test]
fn raft_unreliable_churn() {
    churn(32, Links::unreliable());
}
