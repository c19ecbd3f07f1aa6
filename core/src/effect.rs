//! Everything that a step wants done: returned, never performed.

use crate::controller::{self, NodeInfo};
use crate::input::Timer;
use crate::message::{Message, PeerRefusal, Reply};
use crate::raft;
use crate::shard;
use alloc::vec::Vec;
use quorate_spec::action::Action;
use quorate_spec::ids::{GroupId, NodeId, Stamp, Ticket, WriteId};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// One durable write of a node. All writes of a node form one lane: durable in order, each atomic.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum Write {
    /// A replica of the controller group begins with this mark and the initial image.
    CreateController {
        /// The mark (index 0).
        mark: raft::Mark,
        /// How many shards the cluster has.
        shards: u32,
    },
    /// A write of the controller group's replica.
    Controller(raft::Write<controller::Command>),
    /// A replica of a data group begins with this mark and the genesis image made from these.
    CreateData {
        /// The group.
        group: GroupId,
        /// The mark (index 0).
        mark: raft::Mark,
        /// The configuration before the group's creation.
        config: alloc::sync::Arc<controller::Configuration>,
    },
    /// A write of a data group's replica.
    Data {
        /// The group.
        group: GroupId,
        /// The write.
        write: raft::Write<shard::Command>,
    },
    /// A replica is destroyed, for ever: everything of the group is dropped and this stays.
    Tombstone {
        /// The group.
        group: GroupId,
    },
    /// A peer's stamp and address are remembered.
    Pin {
        /// The peer.
        node: NodeId,
        /// Its stamp and address.
        info: NodeInfo,
    },
}

/// A snapshot to be made durable in the background. Answered by `Input::SnapshotWritten`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SnapshotWork {
    /// Of the controller group.
    Controller(raft::SnapshotWork<controller::Command>),
    /// Of a data group.
    Data {
        /// The group.
        group: GroupId,
        /// The work.
        work: raft::SnapshotWork<shard::Command>,
    },
}

/// What to do with a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimerChange {
    /// Start it, or start it anew.
    Arm(Timer),
    /// Stop it.
    Disarm(Timer),
}

/// A protocol step that was taken, in the specification's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    /// The group whose machine took it; `None` for the node itself.
    pub group: Option<GroupId>,
    /// The step.
    pub action: Action,
}

/// Why a node must stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Halt {
    /// A peer refuses this node's identity.
    Refused {
        /// The peer.
        by: NodeId,
        /// Its reason.
        reason: PeerRefusal,
    },
}

/// Everything that a step wants done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// Durable writes, in the order of the lane.
    pub writes: Vec<(WriteId, Write)>,
    /// Messages that may go at once.
    pub sends: Vec<(NodeId, Message)>,
    /// Timers to arm and disarm, in order.
    pub timers: Vec<TimerChange>,
    /// Answers to local clients.
    pub replies: Vec<(Ticket, Reply)>,
    /// Snapshots to be made durable.
    pub snapshots: Vec<SnapshotWork>,
    /// Addresses that became known or changed: where to reach these nodes from now on.
    pub addresses: Vec<(NodeId, crate::bytes::Bytes)>,
    /// Nodes whose stamp is pinned: what is meant for one of them is meant for that directory and no other.
    pub pins: Vec<(NodeId, Stamp)>,
    /// The sender of the message that was taken in is refused: to be told by the way that the message came, as
    /// [`Message::Refused`] for the sender as it named itself.
    pub refused: Option<PeerRefusal>,
    /// The node must stop, and say why.
    pub halt: Option<Halt>,
    /// What was done.
    pub labels: Vec<Label>,
}
