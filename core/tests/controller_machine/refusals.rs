//! What is refused changes nothing, and what is already so is said to be so.

use crate::support::*;
use quorate_core::controller::{Change, Refusal};

/// Asserts that the change is refused and leaves no trace but the session's record.
#[track_caller]
fn assert_refused(cluster: &mut Cluster, change: Change, refusal: Refusal) {
    let (latest, directory) = (cluster.latest(), cluster.controller.directory().clone());
    assert_eq!(cluster.change(change), refused(refusal));
    assert_eq!(cluster.latest(), latest);
    assert_eq!(*cluster.controller.directory(), directory);
}

fn two_groups() -> Cluster {
    let mut cluster = Cluster::new(4);
    assert_eq!(cluster.change(join(&[(1, &[1, 2]), (2, &[3])])), changed(1));
    cluster
}

#[test]
fn joins_that_make_no_sense() {
    let cluster = &mut two_groups();
    assert_refused(cluster, join(&[]), Refusal::NothingNamed);
    assert_refused(cluster, join(&[(0, &[1])]), Refusal::ReservedGid);
    assert_refused(cluster, join(&[(3, &[])]), Refusal::NoServers { gid: gid(3) });
    assert_refused(cluster, join(&[(3, &[4, 5, 4])]), Refusal::ServerTwice { gid: gid(3), node: node(4) });
    assert_refused(cluster, join(&[(3, &[4, 99])]), Refusal::UnknownServer { gid: gid(3), node: node(99) });
    assert_refused(cluster, join(&[(1, &[1])]), Refusal::GroupExists { gid: gid(1) });
    assert_refused(cluster, join(&[(1, &[1, 2, 3])]), Refusal::GroupExists { gid: gid(1) });
    assert_refused(cluster, join(&[(1, &[1, 1, 2])]), Refusal::ServerTwice { gid: gid(1), node: node(1) });
    assert_refused(cluster, join(&[(3, &[4]), (4, &[99])]), Refusal::UnknownServer { gid: gid(4), node: node(99) });
    assert_refused(cluster, join(&[(2, &[4]), (3, &[4])]), Refusal::GroupExists { gid: gid(2) });
}

#[test]
fn joining_what_exists_changes_nothing_and_says_so() {
    let mut cluster = two_groups();
    assert_eq!(cluster.change(join(&[(1, &[2, 1])])), unchanged(1), "the order of servers does not matter");
    assert_eq!(cluster.change(join(&[(1, &[1, 2]), (2, &[3])])), unchanged(1));
    assert_eq!(cluster.change(join(&[(1, &[1, 2]), (3, &[4])])), changed(2), "what is new joins");
    assert_eq!(cluster.latest().groups[&gid(1)].id, group(1, 1), "what exists stays the group it is");
    assert_eq!(cluster.latest().groups[&gid(3)].id, group(3, 2));
}

#[test]
fn leaves_and_moves_that_make_no_sense() {
    let cluster = &mut two_groups();
    assert_refused(cluster, leave(&[]), Refusal::NothingNamed);
    assert_refused(cluster, leave(&[3]), Refusal::UnknownGroup { gid: gid(3) });
    assert_refused(cluster, leave(&[1, 3]), Refusal::UnknownGroup { gid: gid(3) });
    assert_refused(cluster, move_shard(0, 3), Refusal::UnknownGroup { gid: gid(3) });
    assert_refused(cluster, move_shard(0, 0), Refusal::UnknownGroup { gid: gid(0) });
    assert_refused(
        cluster,
        move_shard(4, 1),
        Refusal::UnknownShard { shard: quorate_core::spec::ids::ShardId::new(4) },
    );
    assert_eq!(cluster.change(move_shard(0, 1)), unchanged(1), "it is there already");
}

#[test]
fn the_floor_only_rises_and_only_over_sessions_issued() {
    let cluster = &mut two_groups();
    cluster.register_client(1_000);
    assert_refused(cluster, raise_floor(0), Refusal::BadFloor);
    assert_refused(cluster, raise_floor(4), Refusal::BadFloor);
    assert_eq!(cluster.change(raise_floor(1)), changed(2));
    assert_refused(cluster, raise_floor(1), Refusal::BadFloor);
    assert_eq!(cluster.change(raise_floor(3)), changed(3), "up to the next session: all have ended");
    assert_eq!((cluster.controller.floor(), cluster.controller.live_sessions()), (client(3), 0));
}
