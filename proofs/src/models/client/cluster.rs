//! The abstract cluster: what it has executed, and who is where.
//!
//! Two groups: g1 on nodes 1 and 2, g2 on node 3; the controller is on node 1. Shard 0 may move from g1 to g2 once; shard
//! 1 stays. Each shard has one history, wherever it is served: the model of data groups shows that it does.

use quorate_core::bytes::Bytes;
use quorate_core::client::Endpoint;
use quorate_core::controller::{Answer, Assignment, Configuration, Directory, GroupInfo, NodeInfo};
use quorate_core::keyspace::shard_of;
use quorate_core::message::{Refusal, Reply, Request};
use quorate_core::shard::{WriteAnswer, WriteOp};
use quorate_spec::ids::{
    ClientId, ConfigNum, DirectoryVersion, Gid, GroupId, LogIndex, NodeId, Position, Seq, ShardId, Stamp,
};
use quorate_spec::views::Origin;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many shards there are.
const SHARDS: u32 = 2;

/// What does not change: the two configurations, the directory, a key of each shard.
#[derive(Debug)]
pub(super) struct Map {
    pub(super) configs: [Arc<Configuration>; 2],
    pub(super) directory: Arc<Directory>,
    keys: Vec<Bytes>,
}

pub(super) const fn group(gid: u64) -> GroupId {
    GroupId::new(Gid::new(gid), ConfigNum::new(1))
}

pub(super) fn endpoint(node: u64) -> Endpoint {
    Bytes::from(format!("n{node}:1").as_str())
}

/// The node of an endpoint.
pub(super) fn node_of(endpoint: &Endpoint) -> u64 {
    (1..=3).find(|node| self::endpoint(*node) == *endpoint).unwrap_or_default()
}

/// The members of a group.
pub(super) const fn members(group: GroupId) -> &'static [u64] {
    match group.gid.get() {
        0 => &[1],
        1 => &[1, 2],
        _ => &[3],
    }
}

impl Map {
    pub(super) fn new() -> Self {
        let info = |gid: u64| {
            let servers = members(group(gid)).iter().map(|node| NodeId::new(*node)).collect();
            (Gid::new(gid), GroupInfo { id: group(gid), servers })
        };
        let stays = Assignment { owner: Some(group(1)), origin: None };
        let origin = Some(Origin { group: group(1), config: ConfigNum::new(2) });
        let moved = Assignment { owner: Some(group(2)), origin };
        let config = |num: u64, first: Assignment| {
            let groups = BTreeMap::from([info(1), info(2)]);
            let (num, shards) = (ConfigNum::new(num), vec![first, stays]);
            Arc::new(Configuration { num, shards, groups, floor: ClientId::ZERO })
        };
        let node =
            |node: u64| (NodeId::new(node), NodeInfo { address: endpoint(node), stamp: Stamp::new(u128::from(node)) });
        let servers = |gid: u64| {
            let id = if gid == 0 { GroupId::CONTROLLER } else { group(gid) };
            (id, members(id).iter().map(|node| NodeId::new(*node)).collect())
        };
        let directory = Directory {
            version: DirectoryVersion::new(1),
            config: ConfigNum::new(1),
            nodes: (1..=3).map(node).collect(),
            groups: (0..=2).map(servers).collect(),
        };
        let name = |shard: u64| {
            let named = (b'a'..=b'z').map(|letter| Bytes::from([letter].as_slice()));
            named.into_iter().find(|key| shard_of(key, SHARDS) == ShardId::new(shard))
        };
        let keys = (0..u64::from(SHARDS)).map(|shard| name(shard).expect("letters fall into both shards")).collect();
        Self { configs: [config(1, stays), config(2, moved)], directory: Arc::new(directory), keys }
    }

    pub(super) fn key(&self, shard: u64) -> Bytes {
        self.keys[shard as usize].clone()
    }
}

/// What the last write of a session in a shard did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Record {
    seq: Seq,
    position: Position,
}

/// What the cluster has done.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cluster {
    /// Whether shard 0 has moved.
    pub moved: bool,
    /// Sessions below it have ended.
    pub floor: ClientId,
    /// The session that is issued next.
    pub next: ClientId,
    records: BTreeMap<(ShardId, ClientId), Record>,
    /// The numbers of the calls that were executed, in their order, by shard.
    pub history: BTreeMap<ShardId, Vec<u8>>,
}

/// What an execution led to.
pub(super) struct Executed {
    pub(super) reply: Reply,
    /// The call that took effect, and where.
    pub(super) effect: Option<(u8, Position)>,
}

impl Cluster {
    pub(super) fn new() -> Self {
        let (records, history) = (BTreeMap::new(), BTreeMap::new());
        Self { moved: false, floor: ClientId::ZERO, next: ClientId::new(1), records, history }
    }

    /// The configuration that stands.
    pub(super) fn config(&self) -> ConfigNum {
        ConfigNum::new(1 + u64::from(self.moved))
    }

    /// Who serves a shard.
    pub(super) fn owner(&self, shard: ShardId) -> GroupId {
        group(if self.moved && shard == ShardId::ZERO { 2 } else { 1 })
    }

    /// Whether the group that a request names could execute it now.
    pub(super) fn serves(&self, request: &Request) -> bool {
        match request {
            Request::RegisterClient => true,
            Request::Write { group, key, .. } | Request::Get { group, key } => {
                self.owner(shard_of(key, SHARDS)) == *group
            }
            _ => false,
        }
    }

    /// Whether a write can still have an effect.
    pub(super) fn may_execute(&self, client: ClientId, seq: Seq, key: &Bytes) -> bool {
        let last = self.records.get(&(shard_of(key, SHARDS), client));
        client >= self.floor && last.is_none_or(|last| last.seq < seq)
    }

    /// Executes a request that the named group serves.
    pub(super) fn execute(&mut self, request: &Request) -> Executed {
        match request {
            Request::RegisterClient => {
                let client = self.next;
                self.next = client.next();
                Executed { reply: Reply::Controller(Answer::ClientRegistered { client }), effect: None }
            }
            Request::Get { key, .. } => {
                let shard = shard_of(key, SHARDS);
                let value = self.history.get(&shard).map(|calls| Bytes::from(calls.as_slice()));
                Executed { reply: Reply::Value { value, shard, position: self.here(shard) }, effect: None }
            }
            Request::Write { client, seq, key, op, .. } => self.write(*client, *seq, shard_of(key, SHARDS), op),
            _ => Executed { reply: Reply::Refused(Refusal::NoSuchGroup), effect: None },
        }
    }

    fn write(&mut self, client: ClientId, seq: Seq, shard: ShardId, op: &WriteOp) -> Executed {
        let refused = |refusal| Executed { reply: Reply::Refused(refusal), effect: None };
        let written = |position| Reply::Written { answer: WriteAnswer::Done, shard, position };
        if client < self.floor {
            return refused(Refusal::SessionExpired);
        }
        match self.records.get(&(shard, client)) {
            Some(last) if seq < last.seq => return refused(Refusal::Superseded),
            Some(last) if seq == last.seq => return Executed { reply: written(last.position), effect: None },
            Some(_) | None => {}
        }
        let call = call_of(op);
        self.history.entry(shard).or_default().push(call);
        let position = self.here(shard);
        self.records.insert((shard, client), Record { seq, position });
        Executed { reply: written(position), effect: Some((call, position)) }
    }

    /// Where a shard's history stands.
    fn here(&self, shard: ShardId) -> Position {
        let length = self.history.get(&shard).map_or(0, Vec::len) as u64;
        Position { config: self.config(), index: LogIndex::new(length) }
    }

    /// Ends every session issued so far.
    pub(super) fn end_sessions(&mut self) {
        self.floor = self.next;
        let floor = self.floor;
        self.records.retain(|(_, client), _| *client >= floor);
    }
}

/// The call that a write belongs to: its value says so.
pub(super) fn call_of(op: &WriteOp) -> u8 {
    op.value().first().copied().unwrap_or_default()
}
