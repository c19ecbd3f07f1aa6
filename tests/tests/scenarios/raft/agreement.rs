//! Agreement, with and without a majority.

use super::{ELECTION, Servers};
use quorate_tests::sim::network::Links;
use std::collections::BTreeSet;

/// Row `basic-agree`: what is proposed is committed everywhere, each at the next index; nothing is before it is proposed.
#[test]
fn raft_basic_agree() {
    let mut servers = Servers::new(3, 11);
    let leader = servers.leader();
    for _ in 0..3 {
        let next = servers.last(leader).next();
        assert_eq!(servers.committed(next), 0, "nothing is committed before it is proposed");
        assert_eq!(servers.agree(3), next);
    }
    servers.pass();
}

/// Row `rpc-bytes`: of 10 entries of 5 kB each peer is sent each about once: in all at most 3 times their size and 50 kB.
#[test]
fn raft_rpc_bytes() {
    let mut servers = Servers::new(3, 12);
    let leader = servers.leader();
    servers.agree(3);
    let before = servers.lab.world.tally(servers.group);
    for _ in 0..10 {
        let index = servers.start_large(leader, 5000).expect("it leads");
        servers.spread(index, 3);
    }
    let bytes = servers.lab.world.tally(servers.group).since(&before).bytes;
    assert!((2 * 50_000..=3 * 50_000 + 50_000).contains(&bytes), "{bytes} bytes for 10 entries of 5 kB");
    println!("{bytes} bytes");
    servers.pass();
}

/// Row `follower-failure`: with one follower gone the rest agree, with both gone nothing is committed.
#[test]
fn raft_follower_failure() {
    let mut servers = Servers::new(3, 13);
    servers.agree(3);
    let leader = servers.leader();
    let follower = servers.after(leader, 1);
    servers.cut(&[follower]);
    servers.agree(2);
    servers.run(ELECTION);
    servers.agree(2);
    let leader = servers.leader();
    let others: Vec<usize> = servers.all().filter(|server| *server != leader).collect();
    servers.cut(&others);
    let index = servers.start(leader).expect("it does not know yet");
    servers.run(2 * ELECTION);
    assert_eq!(servers.committed(index), 0, "no majority, no commit");
    servers.pass();
}

/// Row `leader-failure`: the same with leaders gone.
#[test]
fn raft_leader_failure() {
    let mut servers = Servers::new(3, 14);
    servers.agree(3);
    let first = servers.leader();
    servers.cut(&[first]);
    servers.agree(2);
    servers.run(ELECTION);
    let before = servers.agree(2);
    let second = servers.leader();
    servers.cut(&[second]);
    for server in servers.all() {
        servers.start(server);
    }
    servers.run(2 * ELECTION);
    assert_eq!(servers.committed(before.next()), 0, "no majority, no commit");
    servers.pass();
}

/// Row `fail-agree`: a follower that was cut off catches up.
#[test]
fn raft_fail_agree() {
    let mut servers = Servers::new(3, 15);
    servers.agree(3);
    let leader = servers.leader();
    let follower = servers.after(leader, 1);
    servers.cut(&[follower]);
    servers.agree_times(2, 2);
    servers.run(ELECTION);
    servers.agree_times(2, 2);
    servers.back(&[follower]);
    servers.agree(3);
    servers.run(ELECTION);
    servers.agree(3);
    servers.pass();
}

/// Row `fail-no-agree`: with 3 of 5 cut off nothing is committed; when they are back, what comes next is.
#[test]
fn raft_fail_no_agree() {
    let mut servers = Servers::new(5, 16);
    servers.agree(5);
    let leader = servers.leader();
    let three = [1, 2, 3].map(|places| servers.after(leader, places));
    servers.cut(&three);
    let index = servers.start(leader).expect("it does not know yet");
    servers.run(2 * ELECTION);
    assert_eq!(servers.committed(index), 0, "no majority, no commit");
    servers.back(&three);
    let leader = servers.leader();
    let next = servers.start(leader).expect("it leads");
    assert!(next >= index, "{next:?} is not before {index:?}");
    servers.agree(5);
    servers.pass();
}

/// Row `concurrent-starts`: commands proposed at one moment are all committed, each in a place of its own, in one term.
#[test]
fn raft_concurrent_starts() {
    let mut servers = Servers::new(3, 17);
    let leader = servers.leader();
    let term = servers.term(leader);
    let places: BTreeSet<_> = (0..5).map(|_| servers.start(leader).expect("it leads")).collect();
    assert_eq!(places.len(), 5);
    servers.spread(*places.last().expect("there are five"), 3);
    for server in servers.all() {
        let log = servers.lab.replica(server, servers.group).expect("it is up").view().log;
        assert!(places.iter().all(|index| log.term_at(*index) == Some(term)), "all are in the log of {server}");
    }
    servers.pass();
}

/// Row `rejoin`: a leader that was cut off with entries of its own comes back and gives them up.
#[test]
fn raft_rejoin() {
    let mut servers = Servers::new(3, 18);
    servers.agree(3);
    let first = servers.leader();
    servers.cut(&[first]);
    servers.start_times(first, 3);
    servers.agree(2);
    let second = servers.leader();
    servers.cut(&[second]);
    servers.back(&[first]);
    servers.agree(2);
    servers.back(&[second]);
    servers.agree(3);
    servers.pass();
}

/// Row `backup`: 5 servers, 4 batches of 50 conflicting entries. A leader passes over them by terms: all is repaired with
/// fewer appends than there are entries in one batch.
#[test]
fn raft_backup() {
    let mut servers = Servers::new(5, 19);
    servers.agree(5);
    let first = servers.leader();
    let [a, b, c, d] = [1, 2, 3, 4].map(|places| servers.after(first, places));
    servers.cut(&[b, c, d]);
    servers.start_times(first, 50);
    servers.run(ELECTION / 2);
    servers.cut(&[first, a]);
    servers.back(&[b, c, d]);
    servers.agree_times(50, 3);
    let second = servers.leader();
    let other = [b, c, d].into_iter().find(|server| *server != second).expect("there are three");
    let third = [b, c, d].into_iter().find(|server| ![second, other].contains(server)).expect("there are three");
    servers.cut(&[other]);
    servers.start_times(second, 50);
    servers.run(ELECTION / 2);
    servers.cut(&[second, third]);
    servers.back(&[first, a, other]);
    servers.agree_times(50, 3);
    let before = servers.lab.world.tally(servers.group);
    let all: Vec<usize> = servers.all().collect();
    servers.back(&all);
    servers.agree(5);
    let repair = servers.lab.world.tally(servers.group).since(&before);
    println!("{repair:?}");
    assert!(repair.appends < 50, "conflicts are passed over by terms: {repair:?}");
    servers.pass();
}

/// Row `unreliable-agree`: 5 servers on an unreliable network, 50 rounds of 4 commands at once and one more.
#[test]
fn raft_unreliable_agree() {
    let mut servers = Servers::new(5, 20);
    servers.lab.world.network.links = Links::unreliable();
    for _ in 0..50 {
        let leader = servers.leader();
        for _ in 0..4 {
            servers.start(leader);
        }
        servers.agree(1);
    }
    servers.lab.world.network.links = Links::reliable();
    servers.agree(5);
    servers.pass();
}
