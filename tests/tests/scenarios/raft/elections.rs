//! Elections.

use super::{ELECTION, Servers};
use quorate_tests::sim::random::Random;

/// Row `initial-election`: a leader is elected, and without failures it stays.
#[test]
fn raft_initial_election() {
    let mut servers = Servers::new(3, 1);
    let leader = servers.leader();
    servers.run(50);
    let terms = servers.all().map(|server| servers.term(server)).collect::<Vec<_>>();
    assert!(terms.iter().all(|term| *term == terms[0] && term.get() >= 1), "all agree on the term: {terms:?}");
    servers.run(2 * ELECTION);
    assert_eq!((servers.leader(), servers.term(leader)), (leader, terms[0]), "nothing failed, so nothing changes");
    servers.pass();
}

/// Row `re-election`: with a leader gone there is another, with a majority gone none, with a majority back one again.
#[test]
fn raft_re_election() {
    let mut servers = Servers::new(3, 2);
    let first = servers.leader();
    servers.cut(&[first]);
    let second = servers.leader();
    assert_ne!(first, second);
    servers.back(&[first]);
    servers.run(2 * ELECTION);
    assert_eq!(servers.leader(), second, "the old leader disturbs nobody");
    let other = servers.after(second, 1);
    servers.cut(&[second, other]);
    servers.nobody_leads();
    servers.back(&[other]);
    servers.leader();
    servers.back(&[second]);
    servers.leader();
    servers.pass();
}

/// Row `many-elections`: 7 servers, 9 rounds in which 3 are cut off.
#[test]
fn raft_many_elections() {
    let mut servers = Servers::new(7, 3);
    let mut random = Random::new(3, 99);
    servers.leader();
    let mut changes = 0;
    for _ in 0..9 {
        let before = servers.leader();
        let mut three: Vec<usize> = servers.all().collect();
        while three.len() > 3 {
            three.remove(random.below(three.len()));
        }
        servers.cut(&three);
        changes += usize::from(servers.leader() != before);
        servers.back(&three);
        servers.leader();
    }
    assert!(changes > 0, "some of those cut off led");
    servers.agree(7);
    servers.pass();
}

/// Row `count`: an election takes at most 30 messages, 10 entries at most 42, an idle second at most 60.
#[test]
fn raft_count() {
    let mut servers = Servers::new(3, 4);
    let group = servers.group;
    let initial = servers.lab.world.tally(group);
    assert!((1..=30).contains(&initial.requests()), "the first election and the first entries: {initial:?}");
    let leader = servers.leader();

    servers.agree(3);
    let before = servers.lab.world.tally(group);
    let first = servers.last(leader);
    servers.start_times(leader, 10);
    let last = servers.last(leader);
    assert_eq!(last, first.plus(10));
    servers.spread(last, 3);
    let entries = servers.lab.world.tally(group).since(&before);
    assert!((10..=42).contains(&entries.requests()), "10 entries: {entries:?}");

    servers.run(1000);
    let before = servers.lab.world.tally(group);
    servers.run(1000);
    let idle = servers.lab.world.tally(group).since(&before);
    assert!((1..=60).contains(&idle.requests()), "an idle second: {idle:?}");

    servers.crash(leader);
    let before = servers.lab.world.tally(group);
    servers.leader();
    let election = servers.lab.world.tally(group).since(&before);
    assert!((1..=30).contains(&election.requests()), "another election: {election:?}");
    println!("{initial:?}\n{entries:?}\n{idle:?}\n{election:?}");
    servers.pass();
}
