//! Who leads and what is settled, from canned statuses.

use super::*;
use quorate_core::bytes::Bytes;
use quorate_core::controller::GroupInfo;
use quorate_core::status::AwaitedShard;
use quorate_spec::ids::{ClientId, ConfigNum, LogIndex, NodeId, Term};
use quorate_spec::views::Origin;

fn replica(gid: u64, born: u64, role: Role, term: u64, config: u64) -> ReplicaStatus {
    ReplicaStatus {
        group: GroupId::new(Gid::new(gid), ConfigNum::new(born)),
        voters: Vec::new(),
        role,
        leader: None,
        term: Term::new(term),
        last: LogIndex::ZERO,
        commit: LogIndex::ZERO,
        snapshot: LogIndex::ZERO,
        log_bytes: 0,
        lag: Vec::new(),
        config: ConfigNum::new(config),
        sessions: 0,
        floor: ClientId::ZERO,
        data_bytes: 0,
        serving: vec![ShardId::new(3)],
        awaiting: Vec::new(),
        frozen: Vec::new(),
    }
}

fn node(id: u64, replicas: Vec<ReplicaStatus>) -> (u64, Arc<NodeStatus>) {
    let address = Bytes::from("127.0.0.1:1");
    let config = ConfigNum::new(2);
    let (node, boot) = (NodeId::new(id), Default::default());
    let (may_be_stopped, disk_full, host) = (false, false, None);
    (id, Arc::new(NodeStatus { node, address, boot, config, replicas, may_be_stopped, disk_full, host }))
}

fn config() -> Configuration {
    let id = GroupId::new(Gid::new(1), ConfigNum::new(1));
    let groups = BTreeMap::from([(id.gid, GroupInfo { id, servers: vec![NodeId::new(4)] })]);
    Configuration { num: ConfigNum::new(2), groups, ..Configuration::default() }
}

#[test]
fn the_leader_of_the_highest_term_leads() {
    let statuses = Statuses::from([
        node(4, vec![replica(1, 1, Role::Leader, 2, 2)]),
        node(5, vec![replica(1, 1, Role::Leader, 3, 2)]),
        node(6, vec![replica(1, 1, Role::Follower, 3, 2)]),
    ]);
    assert_eq!(leader(&statuses, 1), Some(5), "node 4 has not heard of the new term");
    assert_eq!(leader(&statuses, 2), None);
}

#[test]
fn a_group_that_joined_again_is_the_younger_one() {
    let old = replica(1, 1, Role::Leader, 9, 2);
    let statuses = Statuses::from([
        node(4, vec![old, replica(1, 7, Role::Follower, 1, 2)]),
        node(5, vec![replica(1, 7, Role::Leader, 1, 2)]),
    ]);
    assert_eq!(leader(&statuses, 1), Some(5));
}

#[test]
fn a_configuration_is_settled_when_every_leader_has_it_and_waits_for_nothing() {
    let at = |role, config| Statuses::from([node(4, vec![replica(1, 1, role, 1, config)])]);
    assert_eq!(unsettled(&at(Role::Leader, 2), &config()), None);
    assert!(unsettled(&at(Role::Leader, 1), &config()).is_some_and(|why| why.contains("configuration 1 of 2")));
    assert!(unsettled(&at(Role::Follower, 2), &config()).is_some_and(|why| why.contains("no leader")));
    let mut waiting = replica(1, 1, Role::Leader, 1, 2);
    let origin = Origin { group: GroupId::new(Gid::new(2), ConfigNum::new(1)), config: ConfigNum::new(2) };
    let shard = ShardId::new(0);
    waiting.awaiting.push(AwaitedShard { shard, origin, received_bytes: 0, total_bytes: None });
    let statuses = Statuses::from([node(4, vec![waiting])]);
    assert!(unsettled(&statuses, &config()).is_some_and(|why| why.contains("waits for 1 shards")));
}

#[test]
fn a_move_is_under_way_until_the_target_serves() {
    let statuses = Statuses::from([node(4, vec![replica(1, 1, Role::Leader, 1, 2)])]);
    assert!(!in_mid_move(&statuses, 1, 3));
    assert!(in_mid_move(&statuses, 1, 4));
    assert!(in_mid_move(&statuses, 2, 3), "nobody leads the target");
}
