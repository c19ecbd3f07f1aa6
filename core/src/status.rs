//! A node's state for people: what `quorate status` shows. Built on demand, never part of the hashed state.

use crate::bytes::Bytes;
use crate::raft::Lag;
use alloc::string::String;
use alloc::vec::Vec;
use quorate_spec::ids::{Boot, ClientId, ConfigNum, GroupId, LogIndex, NodeId, ShardId, Term};
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
    /// How often its data directory was opened, this time included.
    pub boot: Boot,
    /// The newest configuration it knows.
    pub config: ConfigNum,
    /// Its replicas.
    pub replicas: Vec<ReplicaStatus>,
    /// Whether it may be stopped for good: it is registered, and no group that exists names it.
    pub may_be_stopped: bool,
    /// Whether its disk is full: it refuses writes until there is space.
    pub disk_full: bool,
    /// What the process around the core adds; the core leaves it out.
    pub host: Option<HostStatus>,
}

/// What only the process around the core knows of itself. Measured now and then, not at the moment of the question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct HostStatus {
    /// The name of the cluster that it belongs to.
    pub cluster: String,
    /// The version of the program.
    pub version: String,
    /// Bytes of memory that the process occupies (resident), if the system tells.
    pub memory_bytes: Option<u64>,
    /// Bytes that the write-ahead log of all groups takes on the disk, with the space that it has reserved.
    pub wal_bytes: u64,
    /// The newest snapshot file of each group.
    pub snapshots: Vec<SnapshotFile>,
    /// Bytes that are free on the disk, if the system tells.
    pub free_bytes: Option<u64>,
}

/// One snapshot file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct SnapshotFile {
    /// The group.
    pub group: GroupId,
    /// The last log index that it covers.
    pub last: LogIndex,
    /// Its length.
    pub bytes: u64,
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
    /// On a leader: how far each other voter's log is behind.
    pub lag: Vec<Lag>,
    /// A data group's adopted configuration (the controller's latest one).
    pub config: ConfigNum,
    /// Session records held (for the controller: sessions issued and not ended).
    pub sessions: u64,
    /// The session floor.
    pub floor: ClientId,
    /// Bytes of keys and values, in all copies.
    pub data_bytes: u64,
    /// Shards that the group serves.
    pub serving: Vec<ShardId>,
    /// Shards on their way here.
    pub awaiting: Vec<AwaitedShard>,
    /// Frozen copies, kept until their takers have them.
    pub frozen: Vec<FrozenCopy>,
}

/// A shard on its way to a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct AwaitedShard {
    /// The shard.
    pub shard: ShardId,
    /// The copy that it comes from.
    pub origin: Origin,
    /// Bytes that have arrived and are replicated: the same on every replica that has applied as much.
    pub received_bytes: u64,
    /// Bytes of the whole copy. The group's leader knows it from the first part on; every replica of the origin knows it
    /// as the size of the frozen copy.
    pub total_bytes: Option<u64>,
}

/// A copy of a shard that a configuration took away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct FrozenCopy {
    /// The shard.
    pub shard: ShardId,
    /// The configuration that froze it.
    pub config: ConfigNum,
    /// Its bytes.
    pub bytes: u64,
}
