//! What nodes say to each other, and what clients and nodes say to each other.

use crate::bytes::Bytes;
use crate::controller::{self, Configuration, Directory, NodeInfo};
use crate::raft;
use crate::shard::{self, ShardMessage, WriteAnswer, WriteOp};
use crate::status::NodeStatus;
use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;
use quorate_spec::ids::{Boot, ClientId, ConfigNum, DirectoryVersion, GroupId, NodeId, Position, Seq, ShardId, Stamp};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// Who sent a message: what the sender's hello said. The core decides whether to believe it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Peer {
    /// The node.
    pub node: NodeId,
    /// The stamp of its data directory.
    pub stamp: Stamp,
    /// The opening of that directory that it is.
    pub boot: Boot,
}

/// A message between nodes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum Message {
    /// Raft of the controller group.
    Controller(raft::Message<controller::Command>),
    /// Raft of a data group.
    Data {
        /// The group.
        group: GroupId,
        /// The message.
        message: raft::Message<shard::Command>,
    },
    /// Moving a shard.
    Shard(ShardMessage),
    /// Configurations and the directory.
    Directory(DirectoryMessage),
    /// A peer's messages are refused; it should stop. It goes back by the way that the refused message came: the address
    /// that is known for the id may lead to another process.
    Refused {
        /// The very process that is meant, as it named itself: nobody else is.
        whom: Peer,
        /// Why.
        reason: PeerRefusal,
    },
}

/// Why a node's messages are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum PeerRefusal {
    /// The id belongs to another data directory.
    OtherStamp,
    /// A later boot of the same directory was seen: this one is an old copy.
    OlderBoot {
        /// The latest boot seen.
        seen: Boot,
    },
    /// A controller member was started with another number of shards or other members.
    OtherBootstrap,
}

/// How configurations and the directory spread. Everything in it is committed by the controller, so any replica of the
/// controller may answer from what it has applied; an old answer only delays.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum DirectoryMessage {
    /// What comes after these?
    Fetch {
        /// The first configuration that the asker lacks.
        config: ConfigNum,
        /// The directory that the asker has.
        version: DirectoryVersion,
    },
    /// The configurations from there on (a bounded number) and the latest one, and the directory if it is newer.
    News {
        /// Configurations, ascending.
        configs: Vec<Arc<Configuration>>,
        /// The newer directory.
        directory: Option<Arc<Directory>>,
    },
    /// There is news: fetch it.
    Changed {
        /// The latest configuration.
        config: ConfigNum,
        /// The latest directory.
        version: DirectoryVersion,
    },
    /// Please register me. Forwarded to the controller's leader as a command.
    Register {
        /// The asker.
        node: NodeId,
        /// Its address and stamp.
        info: NodeInfo,
    },
    /// This group holds nothing any more: please retire it.
    Retire {
        /// The group.
        group: GroupId,
    },
    /// A controller member makes itself known to another, until each has pinned the other's stamp.
    Greet(Greeting),
    /// The answer of a member that has pinned all others.
    Greeted(Greeting),
}

/// How controller members make themselves known to each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Greeting {
    /// The number of shards that the sender was started with.
    pub shards: u32,
    /// The controller members that it was started with.
    pub members: BTreeSet<NodeId>,
    /// The stamp under which the sender has durably pinned the receiver, if it has.
    pub pinned: Option<Stamp>,
}

/// What a client asks of a node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum Request {
    /// The newest configuration and directory that the node knows, if newer than the asker's. Any node answers.
    Map {
        /// The configuration that the asker has.
        config: ConfigNum,
        /// The directory that the asker has.
        version: DirectoryVersion,
    },
    /// A session. Only the controller's leader answers.
    RegisterClient,
    /// A change of the configuration. Only the controller's leader answers.
    Change {
        /// The session.
        client: ClientId,
        /// The request's number in it.
        seq: Seq,
        /// The change.
        change: controller::Change,
    },
    /// The configuration of this number; the latest for `None` or a number beyond it. Linearizable: only the
    /// controller's leader answers.
    Query {
        /// Which one.
        num: Option<ConfigNum>,
    },
    /// The value of a key, linearizable. Only the leader of the group that serves its shard answers.
    Get {
        /// The group that the asker believes in.
        group: GroupId,
        /// The key.
        key: Bytes,
    },
    /// A write. Only the leader of the group that serves its shard answers.
    Write {
        /// The group that the asker believes in.
        group: GroupId,
        /// The session.
        client: ClientId,
        /// The request's number in it.
        seq: Seq,
        /// The key.
        key: Bytes,
        /// What to do.
        op: WriteOp,
    },
    /// Hand the leadership of a group over to one of its voters. Only its leader can.
    TransferLeadership {
        /// The group.
        group: GroupId,
        /// The voter.
        to: NodeId,
    },
    /// The node's state, for people.
    Status,
}

/// What a node answers a client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum Reply {
    /// The newest configuration and directory, where newer than the asker's.
    Map {
        /// A newer configuration.
        config: Option<Arc<Configuration>>,
        /// A newer directory.
        directory: Option<Arc<Directory>>,
    },
    /// The controller's answer.
    Controller(controller::Answer),
    /// What a read found.
    Value {
        /// The value; `None` for a missing key.
        value: Option<Bytes>,
        /// The shard.
        shard: ShardId,
        /// The state that it was read from.
        position: Position,
    },
    /// A write's answer: the first one, on every retry.
    Written {
        /// What it answered.
        answer: WriteAnswer,
        /// The shard.
        shard: ShardId,
        /// Where it took effect, at the first attempt that did.
        position: Position,
    },
    /// The transfer was begun.
    TransferStarted,
    /// The node's state.
    Status(Arc<NodeStatus>),
    /// Refused.
    Refused(Refusal),
}

/// Why a node refused a client. Unless it says so, the request was not and will not be executed by this attempt.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum Refusal {
    /// This node does not lead the group; maybe that one does.
    NotLeader {
        /// The leader, if known.
        leader: Option<NodeId>,
    },
    /// This node led the group when the attempt arrived and no longer does: the attempt may still take effect.
    LeadershipLost,
    /// This node has no replica of the group.
    NoSuchGroup,
    /// Another group serves the shard.
    WrongGroup {
        /// The configuration that the refusing group has adopted.
        config: ConfigNum,
    },
    /// The group owns the shard and its data has not arrived.
    NotYetHere {
        /// The configuration that the refusing group has adopted.
        config: ConfigNum,
    },
    /// Too much is uncommitted: try later.
    Overloaded,
    /// The node cannot take writes now (its disk is full): try later.
    DiskFull,
    /// The session is below the floor. Not executed, now or later; whether an earlier attempt was is unknown.
    SessionExpired,
    /// The session executed a later request in this shard: this one is neither executed nor answered.
    Superseded,
    /// The session used this number for another command.
    SeqReused,
    /// The key is over the limit.
    KeyTooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// The value is over the limit.
    ValueTooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// The target is not a voter of the group, or is the leader already.
    BadTransferTarget,
}
