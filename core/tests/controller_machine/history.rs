//! Configurations and where each shard's data is to be found through joins, leaves and moves.

use crate::support::*;
use quorate_core::controller::{Answer, Controller, Refusal};
use quorate_core::spec::ids::GroupId;

#[test]
fn at_genesis_there_is_configuration_0_and_every_shard_has_nobody() {
    let controller = Controller::genesis(4);
    assert_eq!(controller.latest().num, config(0));
    assert_eq!(owners(controller.latest()), [0, 0, 0, 0]);
    assert!(controller.latest().shards.iter().all(|shard| shard.origin.is_none()));
    assert!(controller.latest().groups.is_empty());
    assert_eq!((controller.shards(), controller.next_client(), controller.live_sessions()), (4, client(1), 0));
}

/// Lab `basic`: the whole history answers queries, and an old configuration never changes.
#[test]
fn every_configuration_is_kept_as_it_was() {
    let mut cluster = Cluster::new(10);
    let mut seen = vec![cluster.latest()];
    let changes = [
        join(&[(1, &[1, 2, 3])]),
        join(&[(2, &[4, 5, 6])]),
        move_shard(0, 2),
        join(&[(3, &[1]), (4, &[2])]),
        leave(&[1, 3]),
        raise_floor(1),
        leave(&[2, 4]),
    ];
    for (number, change) in (1..).zip(changes) {
        assert_eq!(cluster.change(change), changed(number));
        seen.push(cluster.latest());
    }
    for (number, config) in (0..).map(crate::support::config).zip(&seen) {
        assert_eq!(cluster.controller.query(Some(number)), *config);
        assert_eq!(config.num, number);
    }
    let latest = seen.last().expect("configurations");
    assert_eq!(cluster.controller.query(None), *latest);
    assert_eq!(cluster.controller.query(Some(config(8))), *latest, "beyond the latest is the latest");
    assert_eq!(cluster.controller.query(Some(config(u64::MAX))), *latest);
    assert_eq!(cluster.controller.configs_after(config(2), 3), seen[3..6]);
    assert_eq!(cluster.controller.configs_after(config(0), 100), seen[1..]);
    assert!(cluster.controller.configs_after(config(7), 100).is_empty());
    assert!(cluster.controller.configs_after(config(u64::MAX), 100).is_empty());
}

#[test]
fn a_shard_that_never_had_an_owner_starts_empty_and_one_that_moves_names_where_it_froze() {
    let mut cluster = Cluster::new(4);
    cluster.change(join(&[(1, &[1])]));
    assert_eq!(cluster.owners(), [1, 1, 1, 1]);
    assert_eq!(cluster.origins(), [None; 4]);
    cluster.change(join(&[(2, &[2])]));
    assert_eq!(cluster.owners(), [1, 1, 2, 2]);
    let moved = origin(group(1, 1), 2);
    assert_eq!(cluster.origins(), [None, None, moved, moved]);
    cluster.change(move_shard(2, 1));
    assert_eq!(cluster.owners(), [1, 1, 1, 2], "only that shard, without rebalancing");
    assert_eq!(cluster.origins(), [None, None, origin(group(2, 2), 3), moved]);
}

/// Lab: a later Join or Leave may undo a Move.
#[test]
fn a_move_sticks_until_the_next_join_or_leave() {
    let mut cluster = Cluster::new(6);
    cluster.change(join(&[(1, &[1]), (2, &[2])]));
    for shard in 3..6 {
        assert_eq!(cluster.change(move_shard(shard, 1)), changed(shard - 1));
    }
    assert_eq!(cluster.owners(), [1, 1, 1, 1, 1, 1]);
    cluster.change(raise_floor(1));
    assert_eq!(cluster.owners(), [1, 1, 1, 1, 1, 1], "a new floor moves nothing");
    cluster.change(join(&[(3, &[3])]));
    assert_eq!(cluster.owners(), [1, 1, 2, 2, 3, 3]);
    assert_eq!(cluster.origins()[3], origin(group(1, 1), 6), "not where it froze before that: {:?}", cluster.origins());
}

#[test]
fn when_all_leave_nobody_owns_anything_and_whoever_comes_finds_the_data() {
    let mut cluster = Cluster::new(4);
    cluster.change(join(&[(1, &[1]), (2, &[2])]));
    cluster.change(leave(&[1, 2]));
    assert_eq!(cluster.owners(), [0, 0, 0, 0]);
    let (first, second) = (origin(group(1, 1), 2), origin(group(2, 1), 2));
    assert_eq!(cluster.origins(), [first, first, second, second]);
    cluster.change(raise_floor(1));
    assert_eq!(cluster.origins(), [first, first, second, second], "kept while nobody owns them");
    cluster.change(join(&[(3, &[3])]));
    assert_eq!(cluster.owners(), [3, 3, 3, 3]);
    assert_eq!(cluster.origins(), [first, first, second, second], "where the data is, not nothing");
}

#[test]
fn a_gid_that_joins_again_is_a_new_group_with_an_origin_of_its_own() {
    let mut cluster = Cluster::new(2);
    cluster.change(join(&[(1, &[1, 2])]));
    cluster.change(leave(&[1]));
    assert_eq!(cluster.change(join(&[(1, &[1, 2])])), changed(3), "the same gid and servers");
    let (old, new) = (group(1, 1), group(1, 3));
    assert_eq!(cluster.latest().groups[&gid(1)].id, new);
    assert_eq!(cluster.latest().shards[0].owner, Some(new));
    assert_eq!(cluster.origins(), [origin(old, 2); 2], "the new group takes over from the old one");
    assert_eq!(cluster.controller.directory().groups.keys().copied().collect::<Vec<_>>(), [old, new]);
    cluster.change(leave(&[1]));
    assert_eq!(cluster.origins(), [origin(new, 4); 2]);
    assert_eq!(cluster.controller.query(Some(config(1))).groups[&gid(1)].id, old, "history is as it was");
}

#[test]
fn a_group_stays_in_the_directory_until_it_retires() {
    let mut cluster = Cluster::new(4);
    cluster.change(join(&[(1, &[1]), (2, &[2])]));
    let (first, second) = (group(1, 1), group(2, 1));
    assert_eq!(cluster.retire(first), refused(Refusal::NotRetirable), "it is in the latest configuration");
    cluster.change(leave(&[1]));
    assert!(cluster.controller.directory().groups.contains_key(&first), "it still holds frozen shards");
    let before = cluster.controller.directory().version;
    assert_eq!(cluster.retire(first), Answer::Retired);
    assert_eq!(cluster.controller.directory().groups.keys().copied().collect::<Vec<_>>(), [second]);
    assert_eq!(cluster.controller.directory().version, before.next());
    assert_eq!(cluster.retire(first), Answer::Retired, "again, without effect");
    assert_eq!(cluster.controller.directory().version, before.next());
    assert_eq!(cluster.retire(GroupId::CONTROLLER), refused(Refusal::NotRetirable));
}

#[test]
fn a_group_does_not_retire_with_data_that_nobody_took_over() {
    let mut cluster = Cluster::new(4);
    cluster.change(join(&[(1, &[1]), (2, &[2])]));
    cluster.change(leave(&[1, 2]));
    assert_eq!(cluster.retire(group(1, 1)), refused(Refusal::NotRetirable));
    cluster.change(join(&[(2, &[2])]));
    assert_eq!(cluster.retire(group(1, 1)), Answer::Retired);
    assert_eq!(cluster.retire(group(2, 1)), Answer::Retired, "the group it was, not the one that joined again");
    assert_eq!(cluster.retire(group(2, 3)), refused(Refusal::NotRetirable));
}

#[test]
fn the_directory_names_the_latest_configuration_under_a_growing_version() {
    let mut cluster = Cluster::new(4);
    for change in [join(&[(1, &[1])]), join(&[(2, &[1])]), move_shard(0, 2), raise_floor(1), leave(&[1])] {
        let before = cluster.controller.directory().version;
        cluster.change(change);
        assert_eq!(cluster.controller.directory().version, before.next());
        assert_eq!(cluster.controller.directory().config, cluster.latest().num);
    }
    let before = cluster.controller.directory().clone();
    assert_eq!(cluster.change(join(&[(2, &[1])])), unchanged(5));
    assert_eq!(*cluster.controller.directory(), before, "what changes nothing makes no version");
}

/// Lab `multi`: several groups per call, and groups may share servers.
#[test]
fn several_groups_join_and_leave_at_once() {
    let mut cluster = Cluster::new(10);
    assert_eq!(cluster.change(join(&[(1, &[3, 1, 2]), (2, &[2, 3]), (3, &[1])])), changed(1));
    assert_eq!(cluster.latest().groups[&gid(1)].servers, [1, 2, 3].map(node), "in ascending order");
    assert_eq!(cluster.owners(), [1, 1, 1, 1, 2, 2, 2, 3, 3, 3]);
    assert_eq!(cluster.change(leave(&[1, 3])), changed(2));
    assert_eq!(cluster.owners(), [2; 10]);
}

/// Lab `more-groups-than-shards`.
#[test]
fn more_groups_than_shards() {
    let mut cluster = Cluster::new(2);
    cluster.change(join(&[(1, &[1]), (2, &[2]), (3, &[3]), (4, &[4])]));
    assert_eq!(cluster.owners(), [1, 2]);
    assert_eq!(cluster.change(join(&[(5, &[5])])), changed(2), "a new configuration, though no shard moves");
    assert_eq!(cluster.owners(), [1, 2]);
    cluster.change(leave(&[1, 3]));
    assert_eq!(cluster.owners(), [4, 2]);
}
