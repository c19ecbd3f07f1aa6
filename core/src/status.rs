//! A node's state for people: what `quorate status` shows. Built on demand, never part of the hashed state.

use crate::bytes::Bytes;
use alloc::vec::Vec;
use quorate_spec::ids::{ClientId, ConfigNum, GroupId, LogIndex, NodeId, ShardId, Term};
use quorate_spec::views::{Origin, Role};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// One node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct NodeStatus {
    /// The node.
    pub node: NodeId,
    /// Its advertised address.
    pub address: Bytes,
    /// The newest configuration it knows.
    pub config: ConfigNum,
    /// Its replicas.
    pub replicas: Vec<ReplicaStatus>,
    /// Whether it may be stopped for good: it is registered, and no group that exists names it.
    pub may_be_stopped: bool,
}

/// One replica.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct ReplicaStatus {
    /// The group.
    pub group: GroupId,
    /// The voters.
    pub voters: Vec<NodeId>,
    /// The role.
    pub role: Role,
    /// The leader of the current term, if known.
    pub leader: Option<NodeId>,
    /// The current term.
    pub term: Term,
    /// The last log index.
    pub last: LogIndex,
    /// The commit index.
    pub commit: LogIndex,
    /// The last index covered by the newest durable snapshot.
    pub snapshot: LogIndex,
    /// Bytes of live log entries.
    pub log_bytes: u64,
    /// On a leader: how far each other voter's log is behind, in entries.
    pub lag: Vec<(NodeId, u64)>,
    /// A data group's adopted configuration (the controller's latest one).
    pub config: ConfigNum,
    /// Session records held (for the controller: sessions issued and not ended).
    pub sessions: u64,
    /// The session floor.
    pub floor: ClientId,
    /// Bytes of keys and values.
    pub data_bytes: u64,
    /// Shards that the group serves.
    pub serving: Vec<ShardId>,
    /// Shards on their way here: the origin, bytes received, bytes in all (0 if not known yet).
    pub awaiting: Vec<(ShardId, Origin, u64, u64)>,
    /// Frozen copies: the shard, the configuration that froze it, its bytes.
    pub frozen: Vec<(ShardId, ConfigNum, u64)>,
}
