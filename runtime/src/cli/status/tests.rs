//! How a cluster is shown: one made-up cluster with everything that can be seen at once.
//!
//! The controller on 1, 2 and 3; group 1 on 4, 5 and 6, of which 6 is down; group 2 on 7 and 8, which awaits a shard of
//! group 3; group 3, which has left, on 9; node 10 is a spare; node 11 is gone and nothing needs it.

use super::*;
use quorate_core::controller::{Assignment, GroupInfo, NodeInfo};
use quorate_core::raft::Lag;
use quorate_core::status::{AwaitedShard, FrozenCopy, HostStatus, ReplicaStatus, SnapshotFile};
use quorate_spec::ids::{Boot, ClientId, ConfigNum, Gid, GroupId, LogIndex, NodeId, ShardId, Stamp, Term};
use quorate_spec::views::{Origin, Role};
use serde_json::json;

const CONTROLLER: GroupId = GroupId::CONTROLLER;

fn group(gid: u64) -> GroupId {
    GroupId::new(Gid::new(gid), ConfigNum::new(gid))
}

fn origin() -> Origin {
    Origin { group: group(3), config: ConfigNum::new(4) }
}

fn replica(id: GroupId, voters: &[u64], leader: u64, leads: bool) -> ReplicaStatus {
    ReplicaStatus {
        group: id,
        voters: voters.iter().copied().map(NodeId::new).collect(),
        role: if leads { Role::Leader } else { Role::Follower },
        leader: Some(NodeId::new(leader)),
        term: Term::new(3),
        last: LogIndex::new(90),
        commit: LogIndex::new(80),
        snapshot: LogIndex::ZERO,
        log_bytes: 2048,
        lag: Vec::new(),
        config: ConfigNum::new(4),
        sessions: 2,
        floor: ClientId::ZERO,
        data_bytes: 3 << 20,
        serving: vec![ShardId::new(id.gid.get())],
        awaiting: Vec::new(),
        frozen: Vec::new(),
    }
}

fn node(id: u64, replicas: Vec<ReplicaStatus>) -> (u64, Answer) {
    let host = HostStatus {
        cluster: "shop".into(),
        version: "0.1.0".into(),
        memory_bytes: Some(40 << 20),
        wal_bytes: 128 << 20,
        snapshots: vec![SnapshotFile { group: group(1), last: LogIndex::new(70), bytes: 1536 }],
        free_bytes: Some(5 << 30),
    };
    let status = NodeStatus {
        node: NodeId::new(id),
        address: format!("h{id}:7001").as_str().into(),
        boot: Boot::new(2),
        config: ConfigNum::new(4),
        may_be_stopped: replicas.is_empty(),
        replicas,
        disk_full: id == 5,
        host: Some(host),
    };
    (id, Ok(Arc::new(status)))
}

fn behind(node: u64, entries: u64, by_snapshot: bool) -> Lag {
    Lag { node: NodeId::new(node), entries, bytes: entries * 512, by_snapshot }
}

fn answers() -> BTreeMap<u64, Answer> {
    let awaiting = |total_bytes| {
        vec![AwaitedShard { shard: ShardId::new(3), origin: origin(), received_bytes: 1 << 20, total_bytes }]
    };
    let controller = |id, leads| node(id, vec![replica(CONTROLLER, &[1, 2, 3], 1, leads)]);
    let one = |lag, leads, snapshot| ReplicaStatus {
        lag,
        snapshot: LogIndex::new(snapshot),
        ..replica(group(1), &[4, 5, 6], 4, leads)
    };
    let two = |lag, leads| ReplicaStatus { lag, awaiting: awaiting(None), ..replica(group(2), &[7, 8], 7, leads) };
    let copy = FrozenCopy { shard: ShardId::new(3), config: ConfigNum::new(4), bytes: 4 << 20 };
    let three = ReplicaStatus { serving: Vec::new(), frozen: vec![copy], ..replica(group(3), &[9], 9, true) };
    BTreeMap::from([
        controller(1, true),
        controller(2, false),
        controller(3, false),
        node(4, vec![one(vec![behind(5, 3, false), behind(6, 90, true)], true, 70)]),
        node(5, vec![one(Vec::new(), false, 0)]),
        (6, Err("connection refused".into())),
        node(7, vec![two(vec![behind(8, 0, false)], true)]),
        node(8, vec![two(Vec::new(), false)]),
        node(9, vec![three]),
        node(10, Vec::new()),
        (11, Err("no answer within 2 s".into())),
    ])
}

fn seen() -> Seen {
    let info = |id: u64| NodeInfo { address: format!("h{id}:7001").as_str().into(), stamp: Stamp::new(u128::from(id)) };
    let of = |nodes: &[u64]| nodes.iter().copied().map(NodeId::new).collect::<Vec<_>>();
    let servers =
        [(CONTROLLER, of(&[1, 2, 3])), (group(1), of(&[4, 5, 6])), (group(2), of(&[7, 8])), (group(3), of(&[9]))];
    let listed = |gid: u64, nodes: &[u64]| (Gid::new(gid), GroupInfo { id: group(gid), servers: of(nodes) });
    let owned = |gid: u64| Assignment { owner: Some(group(gid)), origin: None };
    let config = Configuration {
        num: ConfigNum::new(4),
        shards: vec![owned(1), owned(1), owned(2), Assignment { owner: Some(group(2)), origin: Some(origin()) }],
        groups: BTreeMap::from([listed(1, &[4, 5, 6]), listed(2, &[7, 8])]),
        ..Configuration::default()
    };
    let directory = Directory {
        nodes: (1..=11).map(|id| (NodeId::new(id), info(id))).collect(),
        groups: BTreeMap::from(servers),
        config: ConfigNum::new(4),
        ..Directory::default()
    };
    let (config, directory) = (Arc::new(config), Arc::new(directory));
    Seen { config, directory, answers: answers(), silent_seeds: BTreeMap::new() }
}

#[test]
fn everything_is_shown_at_a_glance() {
    let shown = text::render(&Overview::of(&seen()));
    assert_eq!(shown, include_str!("golden.txt"), "as it is now:\n{shown}");
}

#[test]
fn json_has_all_of_it() {
    let json = Overview::of(&seen()).json();
    assert_eq!((&json["cluster"], &json["config"], &json["shards"]), (&json!("shop"), &json!(4), &json!(4)));
    assert_eq!((&json["sessions"], &json["floor"]), (&json!(2), &json!(0)));
    let moving = json!([{ "shard": 3, "from": 3, "to": 2, "received_bytes": 1 << 20, "total_bytes": 4 << 20 }]);
    assert_eq!(json["migrations"], moving);
    let follower = &json["nodes"][7];
    assert_eq!((&follower["node"], &follower["address"]), (&json!(8), &json!("h8:7001")));
    let awaited = &follower["replicas"][0]["awaiting"][0];
    assert_eq!(awaited["total_bytes"], json!(4 << 20), "a follower knows what the origin's nodes say");
    let lag = &json["nodes"][3]["replicas"][0]["lag"][0];
    assert_eq!(*lag, json!({ "node": 5, "entries": 3, "bytes": 1536, "by_snapshot": false }));
    let gone = &json["nodes"][5];
    assert_eq!((&gone["reachable"], &gone["why"]), (&json!(false), &json!("connection refused")));
    let stops: Vec<bool> = json["nodes"].as_array().unwrap().iter().map(|it| it["may_be_stopped"] == true).collect();
    assert_eq!(stops, [false, false, false, false, false, false, false, false, false, true, true]);
    assert_eq!(json["groups"][3]["left"], json!(true));
}

#[test]
fn a_group_without_a_majority_says_what_it_needs() {
    let mut seen = seen();
    seen.answers.insert(5, Err("no answer within 2 s".into()));
    let overview = Overview::of(&seen);
    assert_eq!(overview.groups[1].state, ["no majority: 1 of 3 nodes answer"]);
    assert!(
        overview.problems.iter().any(|it| it.contains("until 2 of its nodes 4,5,6 run")),
        "{:?}",
        overview.problems
    );
}

#[test]
fn a_group_whose_shards_nobody_takes_over_says_so() {
    let mut seen = seen();
    let mut config = Configuration::clone(&seen.config);
    config.shards[3].owner = None;
    seen.config = Arc::new(config);
    let problems = Overview::of(&seen).problems;
    assert!(
        problems.iter().any(|it| it.starts_with("no group takes over shards 3 of group 3@3 (left)")),
        "{problems:?}"
    );
}

#[test]
fn a_lonely_seed_is_enough_and_a_silent_one_is_named() {
    let (id, answer) = node(1, vec![replica(CONTROLLER, &[1, 2, 3], 2, false)]);
    let silent_seeds = BTreeMap::from([("h2:7001".to_owned(), "connection refused".to_owned())]);
    let seen = Seen { answers: BTreeMap::from([(id, answer)]), silent_seeds, ..Seen::default() };
    let shown = text::render(&Overview::of(&seen));
    assert!(shown.contains("no majority: 1 of 3 nodes answer"), "{shown}");
    assert!(shown.contains("the seed h2:7001 does not answer (connection refused)"), "{shown}");
}

#[test]
fn a_seed_that_is_behind_is_told_apart_from_a_cluster_that_is() {
    let mut seen = seen();
    let mut config = Configuration::clone(&seen.config);
    config.num = ConfigNum::new(3);
    seen.config = Arc::new(config);
    let problems = Overview::of(&seen).problems;
    assert!(
        problems.iter().any(|it| it.contains("knows configuration 4, the seed that answered only 3")),
        "{problems:?}"
    );
}
