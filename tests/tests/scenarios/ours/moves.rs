//! Shards with data in them on the move, under load.

use super::{fill, keys, lab, users};
use crate::lab::{Lab, ms};
use quorate_core::bytes::Bytes;
use quorate_core::client::{Operation as Asked, Outcome as Told};
use quorate_core::group::Machine;
use quorate_core::limits::{Limits, RaftLimits};
use quorate_core::shard::WriteOp;
use quorate_spec::history::{Call, Operation};
use quorate_spec::ids::ShardId;
use quorate_tests::sim::disk::Outage;
use quorate_tests::sim::judge::PATIENCE;
use quorate_tests::sim::operator::{join, shift};
use quorate_tests::sim::setup::Setup;
use quorate_tests::sim::workload::Workload;
use std::time::Duration;

/// Row `move-with-live-data`.
#[test]
fn ours_move_with_live_data() {
    let (mut lab, keys) = (lab(141, 2), keys());
    lab.work(6, &users());
    for key in keys.values() {
        fill(&mut lab, key, 3, 4000);
    }
    for (from, to) in [(1, 2), (2, 1), (1, 2)] {
        for shard in lab.shards_of(from) {
            lab.shift(shard, to);
        }
        lab.settled();
        assert_eq!(lab.shards_of(to).len(), 10);
        lab.progress(50);
    }
    lab.pass();
}

/// Row `partition-inside-groups during a migration`: both groups lose their leaders while a shard is under way between them;
/// those who are left finish the move.
#[test]
fn ours_partition_inside_groups_during_a_migration() {
    let (mut lab, keys) = (lab(142, 2), keys());
    lab.work(6, &users());
    for (from, to) in [(1, 2), (2, 1)] {
        let moving = lab.shards_of(from)[0];
        fill(&mut lab, &keys[&moving], 8, 4000);
        let (sources, targets) = (lab.servers(from), lab.servers(to));
        // As long as the groups do not hear each other the move stays in its middle.
        lab.world.network.partition(&[&sources, &targets]);
        lab.shift(moving, to);
        let shard = ShardId::new(moving);
        lab.until("the shard is frozen here and awaited there", |world| {
            let machines = || world.nodes().flat_map(|(_, node)| node.groups()).map(|group| group.machine());
            let frozen = machines().any(|machine| machine.frozen().any(|(it, ..)| it == shard));
            frozen && machines().any(|machine| machine.awaiting().any(|(it, ..)| it == shard))
        });
        let leaders = [from, to].map(|gid| lab.world.leader(lab.id(gid)).expect("the group has a leader"));
        lab.world.network.heal();
        leaders.iter().for_each(|leader| lab.world.isolate(*leader, false, true));
        lab.until("the shard arrives at those who are left", |world| {
            let mut left = targets.iter().filter(|server| !leaders.contains(server));
            left.any(|server| {
                let node = world.process(*server).node().expect("it is up");
                node.groups().any(|group| group.machine().serves(shard))
            })
        });
        lab.progress(50);
        lab.world.network.heal();
        lab.settled();
    }
    lab.pass();
}

/// The longest answered operation of some.
fn longest<'a>(operations: impl Iterator<Item = &'a Operation>) -> Duration {
    let took = operations.filter_map(|operation| Some(operation.returned?.saturating_sub(operation.invoked)));
    Duration::from_nanos(took.max().unwrap_or(0))
}

/// Row `large-shard`: a shard of 64 MiB moves between groups of three servers while keys of every shard are written and
/// read; the limits are nearly those of a real node. Keys of other shards do not wait for it, and those of its own no
/// longer than the slowest disk and network need for each part. The values are few and large, and what fills the shard is
/// no part of the history: with debug assertions a replica looks at its whole log at every step, so snapshots come early.
/// On real processes it is many values, and every byte is judged.
#[test]
fn ours_large_shard() {
    const SHARD: u64 = 64 << 20;
    const VALUES: u64 = 17;
    let bytes = SHARD.div_ceil(VALUES) as usize;
    let raft = RaftLimits { trailing_entries: 2, ..RaftLimits::default() };
    let limits = Limits { value_bytes: bytes, snapshot_log_bytes: 1 << 20, raft, ..Limits::default() };
    let setup = Setup { seed: 143, limits, segment_bytes: 64 << 20, ..Setup::default() };
    let longest_pause = part_time(&setup) * (VALUES as u32 + 1) + begin_time(&setup);
    let (mut lab, keys) = (Lab::sharded(2, 2, setup), keys());
    let moving = lab.shards_of(1)[0];
    let key = |number: u64| Bytes::from(format!("{{{}}}:{number}", keys[&moving]).as_str());
    let value = |number: u64| Bytes::from(vec![number as u8; bytes].as_slice());
    for number in 0..VALUES {
        let op = WriteOp::Put { value: value(number) };
        let told = lab.world.call_and_wait(lab.operator, Asked::Write { key: key(number), op });
        assert!(matches!(told, Some(Told::Written { .. })), "{told:?}");
    }
    lab.work(8, &Workload { keys: 30, think: ms(20), ..users() });
    lab.progress(50);
    let begun = lab.world.now().as_nanos() as u64;
    let change = shift(moving, 2);
    lab.world.call(lab.operator, change);
    // From when the old owner's leader no longer serves it until the new one's does.
    let served_by = |lab: &Lab, gid| {
        let leader = lab.world.leader(lab.id(gid)).and_then(|leader| lab.world.process(leader).node());
        leader.is_some_and(|node| node.groups().any(|group| group.machine().serves(ShardId::new(moving))))
    };
    let wait = |lab: &mut Lab, done: &dyn Fn(&Lab) -> bool| {
        while !done(lab) {
            lab.run(1);
        }
        lab.world.now()
    };
    let frozen = wait(&mut lab, &|lab| !served_by(lab, 1));
    let unavailable = wait(&mut lab, &|lab| served_by(lab, 2)) - frozen;
    println!("the shard is served by nobody for {unavailable:?}, of {longest_pause:?} at most");
    assert!(unavailable <= longest_pause, "no key is unavailable for longer than {longest_pause:?}: {unavailable:?}");
    lab.settled();
    let ended = lab.world.now().as_nanos() as u64;
    lab.progress(50);
    let (sources, targets) = (lab.servers(1), lab.servers(2));
    lab.until("the old owner has collected its copies", |world| {
        let nodes = sources.iter().filter_map(|server| world.process(*server).node());
        nodes.flat_map(|node| node.groups()).all(|group| group.machine().bytes() < SHARD / VALUES)
    });
    lab.until("all of it is at every server of the new one", |world| {
        let nodes = targets.iter().filter_map(|server| world.process(*server).node());
        let mut machines = nodes.flat_map(|node| node.groups()).map(|group| group.machine());
        machines.all(|machine| machine.serves(ShardId::new(moving)) && machine.bytes() >= SHARD)
    });
    for number in [0, VALUES / 2, VALUES - 1] {
        match lab.world.peek(lab.operator, &key(number)) {
            Some(Told::Value { value: found, .. }) => assert!(found == Some(value(number)), "value {number}"),
            told => panic!("the read is answered: {told:?}"),
        }
    }
    let meanwhile = |it: &&Operation| it.invoked < ended && it.returned.is_some_and(|returned| returned > begun);
    let history = lab.world.history.iter().filter(meanwhile);
    let (moved, unmoved): (Vec<_>, Vec<_>) =
        history.partition(|it| it.place.is_some_and(|(shard, _)| shard.get() == moving));
    let writes = |of: &[&Operation]| of.iter().filter(|it| !matches!(it.call, Call::Get)).count();
    let counts = [moved.len(), writes(&moved), unmoved.len(), writes(&unmoved)];
    assert!(counts[1] > 0 && counts[2] >= 20 && counts[3] > 0, "keys of all shards were written and read: {counts:?}");
    let (moved, unmoved) = (longest(moved.into_iter()), longest(unmoved.into_iter()));
    println!("longest pause: {moved:?} on the moving shard, {unmoved:?} on the others");
    assert!(unmoved < moved, "who does not move does not wait: {unmoved:?}, {moved:?}");
    let longest_pause = longest_pause + ms(256);
    assert!(moved <= longest_pause, "with the back-off no user waits longer than {longest_pause:?}: {moved:?}");
    lab.pass();
}

/// The longest time that one part of a shard takes: asked for and sent, given to the followers, synced, and acknowledged.
fn part_time(setup: &Setup) -> Duration {
    4 * setup.links.slowest + 2 * setup.sync.1
}

/// The longest time until both groups have heard of a configuration and adopted it.
fn begin_time(setup: &Setup) -> Duration {
    setup.poll + setup.drive + 2 * part_time(setup)
}

/// Row `live data with more groups than shards`: 12 groups on 3 servers for 10 shards, and half of them leave again.
#[test]
fn ours_live_data_with_more_groups_than_shards() {
    let (mut lab, keys) = (lab(144, 1), keys());
    lab.work(6, &users());
    for key in keys.values() {
        fill(&mut lab, key, 1, 2000);
    }
    let servers = lab.servers(2);
    let groups: Vec<(u64, &[usize])> = (2..=12).map(|gid| (gid, servers.as_slice())).collect();
    lab.change(join(&groups));
    lab.settled();
    lab.progress(50);
    lab.leave(&[1, 2, 3, 4, 5, 6]);
    lab.settled();
    lab.progress(50);
    lab.pass();
}

/// Row `A -> B -> A while B sleeps`: the shard's data comes back although B never had it until it wakes.
#[test]
fn ours_there_and_back_while_the_other_sleeps() {
    let (mut lab, keys) = (lab(145, 2), keys());
    let mut user = lab.user();
    lab.serve(&mut user, keys.values());
    let moving = lab.shards_of(1);
    let sleepers = lab.servers(2);
    lab.world.crash_all(sleepers.iter().copied(), Outage::Power { kept: 500 });
    for shard in &moving {
        lab.shift(*shard, 2);
    }
    lab.run(1000);
    for shard in &moving {
        lab.shift(*shard, 1);
    }
    lab.run(2000);
    assert!(!lab.world.is_settled(), "what is at B's place is awaited");
    sleepers.into_iter().for_each(|server| lab.world.start(server));
    lab.within(PATIENCE, "B passes on what it never had", |world| world.is_settled());
    assert_eq!(lab.shards_of(1), moving);
    lab.serve(&mut user, keys.values());
    lab.pass();
}

/// Row `all groups leave, another returns and finds the data`.
#[test]
fn ours_all_groups_leave_and_another_finds_the_data() {
    let (mut lab, keys) = (lab(146, 2), keys());
    let mut user = lab.user();
    lab.serve(&mut user, keys.values());
    let before: Vec<_> = keys.values().map(|key| lab.get(&mut user, key)).collect();
    lab.leave(&[1, 2]);
    lab.run(3000);
    assert!(lab.query(None).shards.iter().all(|shard| shard.owner.is_none()), "nobody owns anything");
    let mut owned = 0;
    for server in [1, 2].into_iter().flat_map(|gid| lab.servers(gid)) {
        owned += lab.statuses(server).iter().map(|replica| replica.frozen.len()).sum::<usize>();
    }
    assert_eq!(owned, 3 * 10, "each shard's last owner keeps it, on three servers");
    lab.join(&[3]);
    lab.settled();
    let after: Vec<_> = keys.values().map(|key| lab.get(&mut user, key)).collect();
    assert_eq!(before, after);
    lab.serve(&mut user, keys.values());
    lab.pass();
}

/// Row `a gid leaves and joins again with other servers`: it is a new group, and the old one passes its shards on.
#[test]
fn ours_a_gid_joins_again_with_other_servers() {
    let (mut lab, keys) = (lab(147, 2), keys());
    lab.work(6, &users());
    let mut user = lab.user();
    lab.serve(&mut user, keys.values());
    let old = lab.id(1);
    lab.leave(&[1]);
    let others = lab.servers(3);
    lab.change(join(&[(1, &others)]));
    lab.settled();
    let new = lab.id(1);
    assert!(new.gid == old.gid && new != old, "{old} is not {new}");
    assert_eq!(lab.shards_of(1).len(), 5);
    lab.serve(&mut user, keys.values());
    lab.until("the old group retires", |world| !world.groups().contains(&old));
    lab.run(500);
    lab.pass();
}
