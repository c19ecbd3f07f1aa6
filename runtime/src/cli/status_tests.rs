//! How nodes are shown.

use super::*;
use quorate_core::bytes::Bytes;
use quorate_spec::ids::{ClientId, ConfigNum, Gid, GroupId, LogIndex, NodeId, ShardId, Term};
use quorate_spec::views::Role;
use std::sync::Arc;

fn replica() -> ReplicaStatus {
    ReplicaStatus {
        group: GroupId::new(Gid::new(1), ConfigNum::new(2)),
        voters: vec![NodeId::new(4)],
        role: Role::Leader,
        leader: Some(NodeId::new(4)),
        term: Term::new(3),
        last: LogIndex::new(9),
        commit: LogIndex::new(8),
        snapshot: LogIndex::ZERO,
        log_bytes: 100,
        lag: Vec::new(),
        config: ConfigNum::new(2),
        sessions: 1,
        floor: ClientId::ZERO,
        data_bytes: 2048,
        serving: vec![ShardId::new(0), ShardId::new(1)],
        awaiting: Vec::new(),
        frozen: Vec::new(),
    }
}

fn statuses(replicas: Vec<ReplicaStatus>) -> Statuses {
    let address = Bytes::from("h:1");
    let status =
        NodeStatus { node: NodeId::new(4), address, config: ConfigNum::new(2), replicas, may_be_stopped: true };
    BTreeMap::from([(4, Arc::new(status))])
}

#[test]
fn a_replica_is_a_row() {
    let shown = rows(4, "h:1", &statuses(vec![replica()])).concat().join(" ");
    assert_eq!(shown, "4 h:1 1@2 leader 4 3 8 9 2 2 0 0 2.0 KiB yes");
}

#[test]
fn spare_and_silent_nodes_have_a_row_too() {
    assert!(rows(4, "h:1", &statuses(Vec::new())).concat().join(" ").starts_with("4 h:1 - spare"));
    assert_eq!(rows(5, "h:2", &Statuses::new()).concat().join(" "), "5 h:2 - NO ANSWER");
}

#[test]
fn json_says_who_answered() {
    let json = node_json(4, "h:1", &statuses(vec![replica()]));
    assert_eq!((&json["reachable"], &json["replicas"][0]["data_bytes"]), (&json!(true), &json!(2048)));
    assert_eq!(node_json(5, "h:2", &Statuses::new()), json!({ "node": 5, "address": "h:2", "reachable": false }));
}
