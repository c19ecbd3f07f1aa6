//! What survives a crash. Machines lose their power: of what was not synced any part may be gone.

use super::{ELECTION, Servers};
use quorate_tests::sim::network::Links;
use quorate_tests::sim::random::Random;

/// Row `persist-1`: all servers, leaders and followers go down and come back.
#[test]
fn raft_persist_1() {
    let mut servers = Servers::new(3, 21);
    servers.agree(3);
    servers.all().for_each(|server| servers.crash(server));
    servers.all().for_each(|server| servers.restart(server));
    servers.agree(3);
    let leader = servers.leader();
    servers.crash(leader);
    servers.restart(leader);
    servers.agree(3);
    let leader = servers.leader();
    servers.crash(leader);
    let index = servers.agree(2);
    servers.restart(leader);
    servers.spread(index, 3);
    let leader = servers.leader();
    let follower = servers.after(leader, 1);
    servers.crash(follower);
    servers.agree(2);
    servers.restart(follower);
    servers.agree(3);
    servers.pass();
}

/// Row `persist-2`: 5 servers, of which other majorities are up from time to time.
#[test]
fn raft_persist_2() {
    let mut servers = Servers::new(5, 22);
    for _ in 0..5 {
        servers.agree(5);
        let leader = servers.leader();
        let [a, b, c, d] = [1, 2, 3, 4].map(|places| servers.after(leader, places));
        servers.crash(a);
        servers.crash(b);
        servers.agree(3);
        [leader, c, d].into_iter().for_each(|server| servers.crash(server));
        servers.restart(a);
        servers.restart(b);
        servers.run(ELECTION);
        servers.restart(c);
        servers.agree(3);
        servers.restart(d);
        servers.restart(leader);
    }
    servers.agree(5);
    servers.pass();
}

/// Row `persist-3`: a leader and a follower go down; the leader comes back to the one that was cut off.
#[test]
fn raft_persist_3() {
    let mut servers = Servers::new(3, 23);
    servers.agree(3);
    let leader = servers.leader();
    let [a, b] = [1, 2].map(|places| servers.after(leader, places));
    servers.cut(&[b]);
    servers.agree(2);
    servers.crash(leader);
    servers.crash(a);
    servers.back(&[b]);
    servers.restart(leader);
    servers.agree(2);
    servers.restart(a);
    servers.agree(3);
    servers.pass();
}

/// Row `figure-8`: 1,000 times a leader takes a command and is gone before it is told to all, as in the paper's figure 8.
#[test]
fn raft_figure_8() {
    let mut servers = Servers::new(5, 24);
    let mut random = Random::new(24, 99);
    servers.agree(1);
    let mut starts = 0;
    for _ in 0..1000 {
        let leaders: Vec<usize> = servers.all().filter(|server| servers.start(*server).is_some()).collect();
        starts += leaders.len();
        let pause = if random.per_mille(100) { random.below(500) } else { random.below(13) };
        servers.run(pause as u64);
        if let Some(leader) = leaders.last() {
            servers.crash(*leader);
        }
        let down: Vec<usize> = servers.all().filter(|server| !servers.is_there(*server)).collect();
        if down.len() > 2 {
            servers.restart(*random.pick(&down));
        }
    }
    servers.all().for_each(|server| servers.restart(server));
    servers.agree(5);
    println!("{starts} commands began");
    assert!(starts >= 20, "leaders came and went");
    servers.pass();
}

/// Row `figure-8-unreliable`: the same with leaders that are cut off, on an unreliable network, with long reordering from
/// the 200th of 1,000 times on.
#[test]
fn raft_figure_8_unreliable() {
    let mut servers = Servers::new(5, 25);
    let mut random = Random::new(25, 99);
    servers.lab.world.network.links = Links::unreliable();
    servers.agree(1);
    let mut starts = 0;
    for round in 0..1000 {
        if round == 200 {
            servers.lab.world.network.links = Links::long_reordering();
        }
        let leaders: Vec<usize> = servers.all().filter(|server| servers.start(*server).is_some()).collect();
        starts += leaders.len();
        let pause = if random.per_mille(100) { random.below(500) } else { random.below(13) };
        servers.run(pause as u64);
        if let Some(leader) = leaders.last().filter(|_| random.per_mille(300)) {
            servers.cut(&[*leader]);
        }
        let gone: Vec<usize> = servers.all().filter(|server| !servers.is_there(*server)).collect();
        if gone.len() > 2 {
            servers.back(&[*random.pick(&gone)]);
        }
    }
    let all: Vec<usize> = servers.all().collect();
    servers.back(&all);
    servers.lab.world.network.links = Links::reliable();
    servers.run(2200);
    servers.agree(5);
    println!("{starts} commands began");
    assert!(starts >= 20, "leaders came and went");
    servers.pass();
}
