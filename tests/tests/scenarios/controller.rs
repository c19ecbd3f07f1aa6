//! The controller: three servers, and groups that may share theirs.

use crate::lab::{Lab, SHARDS};
use quorate_core::client::{Operation as Asked, Outcome as Told};
use quorate_core::controller::{Configuration, Refusal};
use quorate_spec::ids::{Gid, GroupId};
use quorate_tests::sim::disk::Outage;
use quorate_tests::sim::operator::{join, leave, shift};
use quorate_tests::sim::setup::Setup;
use quorate_tests::world::key_per_shard;
use std::collections::BTreeMap;
use std::sync::Arc;

fn lab(seed: u64) -> Lab {
    Lab::sharded(1, 0, Setup { seed, ..Setup::default() })
}

/// The change that lets groups join, each on one of the three servers.
fn joining(gids: impl IntoIterator<Item = u64>) -> Asked {
    let groups: Vec<(u64, [usize; 1])> = gids.into_iter().map(|gid| (gid, [3 + gid as usize % 3])).collect();
    join(&groups.iter().map(|(gid, servers)| (*gid, servers.as_slice())).collect::<Vec<_>>())
}

/// How many shards each group has.
fn loads(config: &Configuration) -> BTreeMap<Gid, usize> {
    let mut loads: BTreeMap<Gid, usize> = config.groups.keys().map(|gid| (*gid, 0)).collect();
    for owner in config.shards.iter().filter_map(|shard| shard.owner) {
        *loads.get_mut(&owner.gid).expect("an owner is a group") += 1;
    }
    loads
}

/// The latest configuration, which must be of these groups and balanced within one.
#[track_caller]
fn balanced(lab: &mut Lab, gids: &[u64]) -> Arc<Configuration> {
    let config = lab.query(None);
    let loads = loads(&config);
    assert_eq!(loads.keys().map(|gid| gid.get()).collect::<Vec<_>>(), gids);
    let (least, most) = (loads.values().min(), loads.values().max());
    if let (Some(least), Some(most)) = (least, most) {
        assert!(most - least <= 1, "balanced within one: {loads:?}");
        assert_eq!(loads.values().sum::<usize>(), SHARDS as usize, "every shard has an owner");
    }
    config
}

/// Every shard is served: the groups themselves have followed.
fn serves(lab: &mut Lab) {
    lab.settled();
    let mut user = lab.user();
    lab.serve(&mut user, key_per_shard(SHARDS, "k").values());
}

/// Row `basic`.
#[test]
fn controller_basic() {
    let mut lab = lab(91);
    assert!(lab.query(None).groups.is_empty());
    let mut history = vec![lab.query(None)];
    let changes = [
        (joining([1]), vec![1]),
        (joining([2]), vec![1, 2]),
        (joining([3]), vec![1, 2, 3]),
        (leave(&[1]), vec![2, 3]),
        (leave(&[2]), vec![3]),
    ];
    for (change, gids) in changes {
        lab.change(change);
        history.push(balanced(&mut lab, &gids));
    }
    history_is_kept(&mut lab, &history);
    concurrent_changes(&mut lab);
    moves(&mut lab);
    serves(&mut lab);
    lab.pass();
}

/// With each server down in turn, every configuration is told as it was made; beyond the latest is the latest.
fn history_is_kept(lab: &mut Lab, history: &[Arc<Configuration>]) {
    for server in 0..3 {
        lab.world.crash(server, Outage::Power { kept: 500 });
        for (num, config) in (0..).zip(history) {
            assert_eq!(lab.query(Some(num)), *config, "with server {server} down");
        }
        assert_eq!(Some(&lab.query(Some(1_000_000_000))), history.last());
        assert_eq!(Some(&lab.query(None)), history.last());
        lab.world.start(server);
        lab.run(1000);
    }
}

/// 10 operators, each with Join, Join and Leave of the first, all at once.
fn concurrent_changes(lab: &mut Lab) {
    let operators: Vec<(usize, u64)> = (0..10).map(|number| (lab.world.add_client(), 100 + number)).collect();
    let changes: [fn(u64) -> Asked; 3] = [|gid| joining([gid]), |gid| joining([gid + 100]), |gid| leave(&[gid])];
    for change in changes {
        let calls: Vec<_> =
            operators.iter().map(|(client, gid)| (*client, lab.world.call(*client, change(*gid)))).collect();
        for (client, call) in calls {
            lab.until("every change is answered", |world| world.outcome(client, call).is_some());
            let told = lab.world.outcome(client, call);
            assert!(matches!(told, Some(Told::Changed { changed: true, .. })), "{told:?}");
        }
    }
    let gids: Vec<u64> = [3].into_iter().chain((0..10).map(|number| 200 + number)).collect();
    balanced(lab, &gids);
    lab.leave(&gids[3..]);
    balanced(lab, &gids[..3]);
}

/// A Move raises the number, moves one shard and sticks; of an unknown group or shard it changes nothing.
fn moves(lab: &mut Lab) {
    let before = lab.query(None);
    let to = before.groups.keys().find(|gid| before.shards[0].owner.is_none_or(|owner| owner.gid != **gid));
    let to = to.expect("another group than the owner").get();
    lab.shift(0, to);
    let after = lab.query(None);
    assert_eq!(after.num, before.num.next());
    assert_eq!(after.shards[0].owner.map(|owner| owner.gid.get()), Some(to));
    assert_eq!(after.shards[1..], before.shards[1..], "no other shard moves");
    for (change, refusal) in [
        (shift(0, 77), Refusal::UnknownGroup { gid: Gid::new(77) }),
        (shift(99, to), Refusal::UnknownShard { shard: quorate_spec::ids::ShardId::new(99) }),
        (leave(&[77]), Refusal::UnknownGroup { gid: Gid::new(77) }),
    ] {
        let told = lab.world.call_and_wait(lab.operator, change);
        assert_eq!(told, Some(Told::RefusedByController(refusal)));
    }
    lab.run(2000);
    assert_eq!(lab.query(None), after, "it sticks, and what is refused changes nothing");
}

/// Row `multi`: several groups per call; after the leader's death the next one tells the same configuration.
#[test]
fn controller_multi() {
    let mut lab = lab(92);
    lab.change(joining([1, 2]));
    balanced(&mut lab, &[1, 2]);
    lab.change(joining([3, 4, 5]));
    balanced(&mut lab, &[1, 2, 3, 4, 5]);
    lab.leave(&[1, 3]);
    let config = balanced(&mut lab, &[2, 4, 5]);
    let leader = lab.world.leader(GroupId::CONTROLLER).expect("the controller has a leader");
    lab.world.crash(leader, Outage::Power { kept: 500 });
    assert_eq!(lab.query(None), config);
    assert_ne!(lab.world.leader(GroupId::CONTROLLER), Some(leader));
    serves(&mut lab);
    lab.pass();
}

/// The fewest shards that must move so that the groups of `after` are balanced within one: all but those that can stay.
/// Of N shards and G groups N mod G groups have one more than the rest; best those that had most.
fn fewest_moves(before: &Configuration, after: &Configuration) -> usize {
    let (shards, groups) = (before.shards.len(), after.groups.len());
    if groups == 0 {
        return shards;
    }
    let had = loads(before);
    let mut kept: Vec<usize> = after.groups.keys().map(|gid| had.get(gid).copied().unwrap_or(0)).collect();
    kept.sort_unstable_by(|a, b| b.cmp(a));
    let room = |place: usize| shards / groups + usize::from(place < shards % groups);
    shards - kept.iter().enumerate().map(|(place, had)| (*had).min(room(place))).sum::<usize>()
}

/// Row `minimal`: 5 joins, then 5 leaves. Between consecutive configurations exactly as many shards move as must.
#[test]
fn controller_minimal() {
    let mut lab = lab(93);
    let mut configs = vec![lab.query(None)];
    let changes = (1..=5).map(|gid| joining([gid])).chain((1..=5).map(|gid| leave(&[gid])));
    for (change, count) in changes.zip([1, 2, 3, 4, 5, 4, 3, 2, 1, 0]) {
        lab.change(change);
        let config = lab.query(None);
        assert_eq!(config.groups.len(), count);
        configs.push(config);
    }
    for pair in configs.windows(2) {
        let (before, after) = (&pair[0], &pair[1]);
        let moved = before.shards.iter().zip(&after.shards).filter(|(one, other)| one.owner != other.owner).count();
        let gids: Vec<u64> = after.groups.keys().map(|gid| gid.get()).collect();
        assert_eq!(moved, fewest_moves(before, after), "to {gids:?}");
        println!("to {gids:?}: {moved} of {SHARDS} shards move");
    }
    lab.change(joining([6]));
    serves(&mut lab);
    lab.pass();
}

/// Row `more-groups-than-shards`: 15 groups for 10 shards.
#[test]
fn controller_more_groups_than_shards() {
    let mut lab = lab(94);
    lab.change(joining(1..=15));
    let config = balanced(&mut lab, &(1..=15).collect::<Vec<_>>());
    assert_eq!(loads(&config).values().filter(|load| **load == 0).count(), 5, "five have none");
    serves(&mut lab);
    lab.leave(&[1, 2, 3, 4, 5, 6, 7]);
    balanced(&mut lab, &[8, 9, 10, 11, 12, 13, 14, 15]);
    serves(&mut lab);
    lab.pass();
}
