//! Configurations, the directory, and the controller's commands and answers.

use crate::bytes::Bytes;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;
use quorate_spec::ids::{ClientId, ConfigNum, DirectoryVersion, Gid, GroupId, NodeId, Seq, ShardId, Stamp};
use quorate_spec::views::{ConfigurationView, Origin};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// A group as a configuration lists it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct GroupInfo {
    /// Its identity.
    pub id: GroupId,
    /// Its servers: at least one, each once, in ascending order.
    pub servers: Vec<NodeId>,
}

/// One shard's place in a configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Assignment {
    /// The group that serves it, or nobody.
    pub owner: Option<GroupId>,
    /// Where its data last froze: kept while nobody owns it. `None`: it never changed hands, so its data (if any) is
    /// with its only owner; an owner that finds `None` starts empty.
    pub origin: Option<Origin>,
}

/// A numbered configuration. Immutable once made; all are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Configuration {
    /// Its number.
    pub num: ConfigNum,
    /// Per shard, by its number.
    pub shards: Vec<Assignment>,
    /// The groups that can own shards.
    pub groups: BTreeMap<Gid, GroupInfo>,
    /// Sessions below it have ended.
    pub floor: ClientId,
}

impl Configuration {
    /// Configuration 0: no groups, and every shard with nobody since ever.
    pub fn genesis(shards: u32) -> Self {
        Self { shards: (0..shards).map(|_| Assignment::default()).collect(), ..Self::default() }
    }

    /// A shard's place in it; `None` if there is no such shard.
    pub fn assignment(&self, shard: ShardId) -> Option<&Assignment> {
        usize::try_from(shard.get()).ok().and_then(|index| self.shards.get(index))
    }

    /// Whether the cluster still needs the group: it is listed, or data froze there that nobody has taken over since.
    pub fn needs(&self, group: GroupId) -> bool {
        let listed = self.groups.get(&group.gid).is_some_and(|info| info.id == group);
        let keeps = |shard: &Assignment| shard.owner.is_none() && shard.origin.is_some_and(|o| o.group == group);
        listed || self.shards.iter().any(keeps)
    }

    /// What the invariants look at.
    pub fn view(&self) -> ConfigurationView {
        ConfigurationView {
            num: self.num,
            shards: self.shards.iter().map(|shard| (shard.owner, shard.origin)).collect(),
            groups: self.groups.iter().map(|(gid, group)| (*gid, (group.id, group.servers.clone()))).collect(),
            floor: self.floor,
        }
    }
}

/// A registered node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct NodeInfo {
    /// Where others reach it: `host:port`.
    pub address: Bytes,
    /// The stamp of its data directory: another stamp under this id is refused.
    pub stamp: Stamp,
}

/// Who is where: all registered nodes, and every group that still exists (current ones, and ones that left and still
/// hold copies). A group that was born by `config` and is not listed has retired.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Directory {
    /// Grows with every change of the directory.
    pub version: DirectoryVersion,
    /// The latest configuration when this version was made.
    pub config: ConfigNum,
    /// The registered nodes.
    pub nodes: BTreeMap<NodeId, NodeInfo>,
    /// The groups that exist, and their servers.
    pub groups: BTreeMap<GroupId, Vec<NodeId>>,
}

/// A change of the configuration, made under a session.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum Change {
    /// Add groups and rebalance.
    Join {
        /// The new groups and their servers.
        groups: BTreeMap<Gid, Vec<NodeId>>,
    },
    /// Take groups out; their shards go to the least loaded, or to nobody.
    Leave {
        /// The groups.
        gids: BTreeSet<Gid>,
    },
    /// Give one shard to one group, without rebalancing.
    Move {
        /// The shard.
        shard: ShardId,
        /// The group.
        gid: Gid,
    },
    /// End the sessions below `floor`.
    RaiseFloor {
        /// The lowest session that lives on.
        floor: ClientId,
    },
}

/// A command of the controller's log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum Command {
    /// Issue a session. Not under a session: a retried one merely wastes a number. When `limit` sessions are live, the
    /// oldest tenth ends first: the floor rises, by a new configuration.
    RegisterClient {
        /// The most live sessions, as the proposing leader is configured: every replica decides alike.
        limit: u64,
    },
    /// Record a node. Idempotent; the address may change, the stamp may not.
    RegisterNode {
        /// Its id.
        node: NodeId,
        /// Its address and stamp.
        info: NodeInfo,
    },
    /// A change under a session: at most once.
    Change {
        /// The session.
        client: ClientId,
        /// The request's number in it.
        seq: Seq,
        /// The change.
        change: Change,
    },
    /// A group that left holds nothing any more. Proposed by the group's leader; idempotent.
    Retire {
        /// The group.
        group: GroupId,
    },
}

/// What the controller answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum Answer {
    /// A session was issued.
    ClientRegistered {
        /// The session.
        client: ClientId,
    },
    /// The node is registered.
    NodeRegistered,
    /// The change made this configuration.
    Changed {
        /// Its number.
        config: ConfigNum,
    },
    /// The change was asked for what is already so; the latest configuration stays.
    Unchanged {
        /// The latest number.
        config: ConfigNum,
    },
    /// The group is retired.
    Retired,
    /// A configuration (the answer to a query).
    Configuration(Arc<Configuration>),
    /// It was refused and nothing changed.
    Refused(Refusal),
}

/// Why the controller refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum Refusal {
    /// Gid 0 is the controller's own.
    ReservedGid,
    /// A Join names no group, or a Leave none.
    NothingNamed,
    /// A joining group names no server.
    NoServers {
        /// The group.
        gid: Gid,
    },
    /// A joining group names a server twice.
    ServerTwice {
        /// The group.
        gid: Gid,
        /// The server.
        node: NodeId,
    },
    /// A joining group names a server that is not registered.
    UnknownServer {
        /// The group.
        gid: Gid,
        /// The server.
        node: NodeId,
    },
    /// The group exists with other servers.
    GroupExists {
        /// The group.
        gid: Gid,
    },
    /// No such group in the latest configuration.
    UnknownGroup {
        /// The group.
        gid: Gid,
    },
    /// No such shard.
    UnknownShard {
        /// The shard.
        shard: ShardId,
    },
    /// The floor can only rise, and not beyond the sessions issued.
    BadFloor,
    /// The node's id is registered under another stamp: its data directory was wiped or copied.
    OtherStamp {
        /// The node.
        node: NodeId,
    },
    /// The session is below the floor: it was never executed under this request (or its record is gone).
    SessionExpired,
    /// The session has executed a later request: this one is neither executed nor answered.
    Superseded,
    /// The request's number was used for another change.
    SeqReused,
    /// The group cannot retire: it is part of the latest configuration, or holds a shard that nobody has taken over.
    NotRetirable,
}
