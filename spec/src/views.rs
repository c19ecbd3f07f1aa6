//! Plain views of protocol state: what the invariants may look at, and nothing else.
//!
//! The core, the models and the simulation build them; the invariants judge them. A mutant never changes a view.

use crate::ids::{ClientId, ConfigNum, Gid, GroupId, LogIndex, NodeId, Seq, ShardId, Term};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

/// A Raft role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Role {
    /// Follows a leader or waits for one.
    Follower,
    /// Asks whether it could win an election.
    PreCandidate,
    /// Asks for votes in its term.
    Candidate,
    /// Leads its term.
    Leader,
}

/// One log entry as the invariants see it: equal content has an equal digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EntryView {
    /// The term in which a leader appended it.
    pub term: Term,
    /// A digest of the payload.
    pub digest: u64,
}

/// A log: entries after a base that stands for everything compacted away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LogView {
    /// The index of the last compacted entry; 0 if nothing was compacted.
    pub base_index: LogIndex,
    /// Its term.
    pub base_term: Term,
    /// The entries from `base_index + 1` on, without gaps.
    pub entries: Vec<EntryView>,
}

impl LogView {
    /// The index of the last entry (or of the base).
    pub fn last_index(&self) -> LogIndex {
        self.base_index.plus(self.entries.len() as u64)
    }

    /// The term of the last entry (or of the base).
    pub fn last_term(&self) -> Term {
        self.entries.last().map_or(self.base_term, |entry| entry.term)
    }

    /// The entry at `index`, if it is in the log and not compacted.
    pub fn get(&self, index: LogIndex) -> Option<&EntryView> {
        if index <= self.base_index {
            return None;
        }
        self.entries.get((index.since(self.base_index) - 1) as usize)
    }

    /// The term at `index`, the base included.
    pub fn term_at(&self, index: LogIndex) -> Option<Term> {
        if index == self.base_index { Some(self.base_term) } else { self.get(index).map(|entry| entry.term) }
    }
}

/// One replica of a Raft group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReplicaView {
    /// The node that holds it.
    pub node: NodeId,
    /// The nodes whose majority decides.
    pub voters: BTreeSet<NodeId>,
    /// Its current term.
    pub term: Term,
    /// Whom it voted for in that term.
    pub voted_for: Option<NodeId>,
    /// Its role.
    pub role: Role,
    /// Its commit index.
    pub commit: LogIndex,
    /// How far its state machine has applied.
    pub applied: LogIndex,
    /// Its log in memory.
    pub log: LogView,
    /// A leader's knowledge of how far each voter's durable log matches its own (itself included).
    pub matched: BTreeMap<NodeId, LogIndex>,
}

/// What one node's disk holds for a replica: what would be left after a crash now.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DurableView {
    /// The node.
    pub node: NodeId,
    /// The durable term.
    pub term: Term,
    /// The durable vote.
    pub voted_for: Option<NodeId>,
    /// The durable log.
    pub log: LogView,
    /// The last index covered by a durable snapshot.
    pub snapshot: LogIndex,
}

/// Where a shard's data last froze: the group that held it and the configuration that took it away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Origin {
    /// The group that holds (or held) the frozen copy.
    pub group: GroupId,
    /// The configuration whose adoption froze it.
    pub config: ConfigNum,
}

/// One configuration, as the invariants see it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ConfigurationView {
    /// Its number.
    pub num: ConfigNum,
    /// Per shard, in order: the owner and the origin.
    pub shards: Vec<(Option<GroupId>, Option<Origin>)>,
    /// The groups and their servers.
    pub groups: BTreeMap<Gid, (GroupId, Vec<NodeId>)>,
    /// Sessions below it have ended.
    pub floor: ClientId,
}

/// What a data group holds of one shard's role.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RoleView {
    /// The group does not own the shard.
    Absent,
    /// The group serves the shard.
    Serving(CopyView),
    /// The group owns the shard and waits for its data.
    Awaiting(Origin),
}

/// One copy of a shard.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct CopyView {
    /// A digest of the data.
    pub digest: u64,
    /// The last request of each session.
    pub sessions: BTreeMap<ClientId, Seq>,
    /// Sessions below it have ended.
    pub floor: ClientId,
}

/// One data group's applied state (of one replica, or of the group as an atomic log).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GroupView {
    /// The group.
    pub group: GroupId,
    /// The configuration it has adopted.
    pub config: ConfigNum,
    /// Its role for every shard.
    pub roles: BTreeMap<ShardId, RoleView>,
    /// Its frozen copies, by shard and by the configuration that froze them.
    pub frozen: BTreeMap<(ShardId, ConfigNum), CopyView>,
}
