//! One user, and groups that join, leave, sleep and die.

use super::{keys, kill, lab, lab_with_snapshots, start};
use crate::lab::{Lab, User, ms};
use quorate_core::bytes::Bytes;
use quorate_core::message::{Refusal, Reply, Request};
use quorate_core::shard::WriteOp;
use quorate_spec::history::Call;
use quorate_spec::ids::{ClientId, Seq};
use quorate_tests::sim::disk::Outage;
use quorate_tests::sim::judge::PATIENCE;
use quorate_tests::sim::setup::{Setup, small_limits};

/// Row `static-shards`: with one of two groups dead exactly its keys fail, and the rest answer within 2 s.
#[test]
fn sharded_static_shards() {
    let (mut lab, keys) = (lab(101, 2), keys());
    let mut user = lab.user();
    lab.serve(&mut user, keys.values());
    let (alive, dead) = (lab.shards_of(1), lab.shards_of(2));
    assert_eq!((alive.len(), dead.len()), (5, 5));
    kill(&mut lab, 2);
    let reads: Vec<_> = keys
        .iter()
        .map(|(shard, key)| {
            let reader = lab.user();
            (shard, reader.client, lab.world.operate(reader.client, *shard + 100, key.as_bytes(), Call::Get))
        })
        .collect();
    lab.run(2000);
    for (shard, client, read) in reads {
        assert_eq!(lab.world.is_under_way(client, read), dead.contains(shard), "a key of shard {shard}");
    }
    start(&mut lab, 2);
    lab.until("with the group back its keys are read", |world| world.is_quiet());
    lab.serve(&mut user, keys.values());
    lab.pass();
}

/// Row `rejection`: whoever believes in a foreign configuration gets refusals, never wrong values, whomever he asks.
#[test]
fn sharded_rejection() {
    let (mut lab, keys) = (lab(102, 2), keys());
    let mut user = lab.user();
    for (shard, key) in &keys {
        lab.put(&mut user, key, format!("of {shard}").as_bytes());
    }
    let owned = [lab.shards_of(1), lab.shards_of(2)];
    let servers: Vec<usize> = [1, 2].into_iter().flat_map(|gid| lab.servers(gid)).collect();
    let (mut answered, mut refused) = (0, 0);
    for (shard, key) in &keys {
        for (gid, server) in [1, 2].into_iter().flat_map(|gid| servers.iter().map(move |server| (gid, *server))) {
            let (group, key) = (lab.id(gid), Bytes::from(key.as_str()));
            let answer = lab.world.answer_of(server, Request::Get { group, key: key.clone() }, ms(500));
            let right = owned[gid as usize - 1].contains(shard) && lab.world.leader(group) == Some(server);
            match answer.expect("everybody answers") {
                Reply::Value { value, .. } => {
                    assert!(right, "{server} answers for {group} although it should not");
                    assert_eq!(value, Some(Bytes::from(format!("of {shard}").as_str())));
                    answered += 1;
                }
                Reply::Refused(Refusal::WrongGroup { .. } | Refusal::NotLeader { .. } | Refusal::NoSuchGroup) => {
                    assert!(!right, "{server} refuses what it serves");
                    refused += 1;
                }
                other => panic!("neither a value nor a refusal: {other:?}"),
            }
            if !right {
                let (client, seq, op) =
                    (ClientId::new(1 << 40), Seq::new(1), WriteOp::Put { value: Bytes::from("wrong") });
                let answer = lab.world.answer_of(server, Request::Write { group, client, seq, key, op }, ms(500));
                assert!(matches!(answer, Some(Reply::Refused(_))), "{answer:?}");
            }
        }
    }
    assert_eq!((answered, refused), (10, 10 * 2 * 6 - 10));
    for (shard, key) in &keys {
        assert_eq!(lab.get(&mut user, key), Some(format!("of {shard}").into_bytes()), "no wrong write came through");
    }
    lab.pass();
}

/// Row `join-leave`: the data is intact after the old group is killed.
#[test]
fn sharded_join_leave() {
    let (mut lab, keys) = (lab(103, 1), keys());
    let mut user = lab.user();
    lab.serve(&mut user, keys.values());
    lab.join(&[2]);
    lab.settled();
    lab.serve(&mut user, keys.values());
    lab.leave(&[1]);
    lab.settled();
    let old = lab.servers(1);
    lab.until("the old group may be stopped", |world| {
        old.iter().all(|server| world.process(*server).node().is_some_and(|node| node.status().may_be_stopped))
    });
    kill(&mut lab, 1);
    lab.serve(&mut user, keys.values());
    lab.pass();
}

/// Row `snapshot`: data that moved is there after all logs were compacted and everything was restarted.
#[test]
fn sharded_snapshot() {
    const LIMIT: u64 = 1000;
    let (mut lab, keys) = (lab_with_snapshots(104, 1, LIMIT), keys());
    let mut user = lab.user();
    lab.serve(&mut user, keys.values());
    lab.join(&[2, 3]);
    lab.leave(&[1]);
    for _ in 0..5 {
        lab.serve(&mut user, keys.values());
    }
    lab.join(&[1]);
    lab.settled();
    for _ in 0..5 {
        lab.serve(&mut user, keys.values());
    }
    for server in (1..=3).flat_map(|gid| lab.servers(gid)) {
        for replica in lab.statuses(server) {
            let bytes = replica.log_bytes;
            assert!(bytes <= 8 * LIMIT, "the log of {server} has {bytes} bytes");
            assert!(replica.snapshot.get() > 0, "{server} wrote a snapshot of {}", replica.group);
        }
    }
    (1..=3).for_each(|gid| kill(&mut lab, gid));
    (1..=3).for_each(|gid| start(&mut lab, gid));
    lab.serve(&mut user, keys.values());
    lab.pass();
}

/// Row `miss-change`: servers that slept through several configurations are needed afterwards.
#[test]
fn sharded_miss_change() {
    let (mut lab, keys) = (lab(105, 1), keys());
    let mut user = lab.user();
    lab.serve(&mut user, keys.values());
    for (round, changes) in [(0, [2, 3]), (1, [3, 2])].into_iter() {
        let sleepers: Vec<usize> = (1..=3).map(|gid| lab.servers(gid)[round]).collect();
        lab.world.crash_all(sleepers.iter().copied(), Outage::Power { kept: 500 });
        for gid in changes {
            if lab.shards_of(gid).is_empty() {
                lab.join(&[gid])
            } else {
                lab.leave(&[gid])
            }
            lab.serve(&mut user, keys.values());
        }
        lab.leave(&[1]);
        if round == 0 {
            lab.serve(&mut user, keys.values());
            lab.join(&[1]);
        } else {
            lab.join(&[3]);
        }
        lab.serve(&mut user, keys.values());
        sleepers.into_iter().for_each(|server| lab.world.start(server));
        // Now others sleep, and those who slept make the majorities.
        let others: Vec<usize> = (1..=3).map(|gid| lab.servers(gid)[2]).collect();
        lab.world.crash_all(others.iter().copied(), Outage::Power { kept: 500 });
        lab.serve(&mut user, keys.values());
        others.into_iter().for_each(|server| lab.world.start(server));
        lab.settled();
    }
    lab.pass();
}

/// Row `challenge-1-delete`: 30 keys of 1 kB go twice through all groups, the groups that left come back, and directly after
/// that, at the moment when the lab looks, the 9 servers hold at most 117,000 bytes of log and snapshots.
///
/// The lab's order of joins, leaves, sleeps and checks, and the lab's snapshot at every entry: no part of the state is
/// waited for, and no entry is kept below a snapshot. Nothing but the lab's own sleeps lets copies be collected, snapshots
/// be synced, and what they replace be deleted.
#[test]
fn sharded_challenge_1_delete() {
    const BOUND: u64 = 117_000;
    let mut limits = small_limits();
    (limits.snapshot_log_bytes, limits.snapshot_state_percent) = (1, 0);
    limits.raft.trailing_entries = 0;
    let mut lab = Lab::sharded(3, 0, Setup { seed: 106, limits, ..Setup::default() });
    let mut user = lab.user();
    lab.join(&[1]);
    fill(&mut lab, &mut user);
    check(&mut lab, &mut user, 3);
    for _ in 0..2 {
        lab.join(&[2]);
        lab.leave(&[1]);
        lab.join(&[3]);
        lab.run(3000);
        check(&mut lab, &mut user, 3);
        lab.leave(&[2]);
        lab.join(&[1]);
        lab.leave(&[3]);
        lab.run(3000);
        check(&mut lab, &mut user, 3);
    }
    lab.join(&[2]);
    lab.join(&[3]);
    for _ in 0..3 {
        lab.run(1000);
        check(&mut lab, &mut user, 3);
    }
    let (live, total) = sizes(&lab, |_, _| {});
    assert!((90_000..91_000).contains(&live), "every key on three servers, and nothing else: {live} bytes");
    assert!(total <= BOUND, "{total} bytes of log and snapshots");
    check(&mut lab, &mut user, KEYS);
    lab.pass();
    challenge_1_where_snapshots_wait_for_the_state();
}

/// The second part: the same with snapshots as they are taken unless somebody asks for more: when one saves as much as it writes, so that a
/// large state is not written again for every few commands. At each server log and snapshot take at most twice the state
/// and a little, and in the end, with the first group left with one shard, the row's bound holds too.
fn challenge_1_where_snapshots_wait_for_the_state() {
    const BOUND: u64 = 117_000;
    // What a snapshot takes without any data (the configuration, sessions), and one entry of the log.
    const LITTLE: u64 = 2500;
    let mut lab = lab_with_snapshots(106, 1, 1);
    assert_eq!(lab.world.setup.limits.snapshot_state_percent, 100);
    let mut user = lab.user();
    fill(&mut lab, &mut user);
    for _ in 0..2 {
        for (joins, leaves) in [(2, 1), (3, 2), (1, 3)] {
            lab.join(&[joins]);
            lab.settled();
            lab.leave(&[leaves]);
            lab.settled();
            check(&mut lab, &mut user, KEYS);
        }
    }
    lab.join(&[2, 3]);
    for shard in &lab.shards_of(1)[1..] {
        lab.shift(*shard, 2);
    }
    lab.settled();
    lab.run(3000);
    let (live, total) = sizes(&lab, |data, kept| {
        assert!(kept <= 2 * data + LITTLE, "{kept} bytes of log and snapshots for {data}");
    });
    assert!((90_000..91_000).contains(&live), "every key on three servers, and nothing else: {live} bytes");
    assert!(total <= BOUND, "{total} bytes of log and snapshots");
    lab.pass();
}

/// The keys of `challenge-1-delete`.
const KEYS: usize = 30;
/// What each of them holds.
const VALUE: [u8; 1000] = [b'v'; 1000];

fn fill(lab: &mut Lab, user: &mut User) {
    for number in 0..KEYS {
        lab.put(user, &number.to_string(), &VALUE);
    }
}

/// Reads the first so many of them.
fn check(lab: &mut Lab, user: &mut User, count: usize) {
    for number in 0..count {
        assert_eq!(lab.get(user, &number.to_string()).as_deref(), Some(VALUE.as_slice()));
    }
}

/// Bytes of data, and of log and snapshots, of the servers of all three groups; `each` is asked about every server's. None
/// may keep a copy of what it gave away.
fn sizes(lab: &Lab, each: impl Fn(u64, u64)) -> (u64, u64) {
    let (mut live, mut total) = (0, 0);
    for server in (1..=3).flat_map(|gid| lab.servers(gid)) {
        let statuses = lab.statuses(server);
        assert!(statuses.len() == 1 && statuses[0].frozen.is_empty(), "no copy is kept: {statuses:?}");
        let files = lab.world.process(server).directory.snapshots.files();
        let (log, snapshots) = (lab.log_bytes(server), files.iter().map(|(_, length)| *length).sum::<u64>());
        let data = statuses[0].data_bytes;
        println!("server {server}: {data} bytes of data, {log} of log, {snapshots} of snapshots");
        each(data, log + snapshots);
        (live, total) = (live + data, total + log + snapshots);
    }
    println!("{live} bytes of data, {total} of log and snapshots");
    (live, total)
}

/// Row `challenge-2-unaffected`: what a group had already it serves while what is on its way does not arrive.
#[test]
fn sharded_challenge_2_unaffected() {
    let (mut lab, keys) = (lab(107, 2), keys());
    let mut user = lab.user();
    lab.serve(&mut user, keys.values());
    let own = lab.shards_of(2);
    kill(&mut lab, 1);
    lab.leave(&[1]);
    let config = lab.query(None).num;
    lab.until("group 2 adopts the configuration", |world| {
        world.nodes().flat_map(|(_, node)| node.groups()).any(|group| group.machine().config().num == config)
    });
    lab.serve(&mut user, own.iter().map(|shard| &keys[shard]));
    start(&mut lab, 1);
    lab.within(PATIENCE, "the rest arrives", |world| world.is_settled());
    lab.serve(&mut user, keys.values());
    lab.pass();
}

/// Row `challenge-2-partial`: what has arrived is served while the rest does not.
#[test]
fn sharded_challenge_2_partial() {
    let (mut lab, keys) = (lab(108, 3), keys());
    let mut user = lab.user();
    lab.serve(&mut user, keys.values());
    let coming = lab.shards_of(3);
    assert!(!coming.is_empty());
    kill(&mut lab, 1);
    lab.leave(&[1, 3]);
    lab.serve(&mut user, coming.iter().map(|shard| &keys[shard]));
    start(&mut lab, 1);
    lab.serve(&mut user, keys.values());
    lab.pass();
}
