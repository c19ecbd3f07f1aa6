//! What can happen to a node: the only way in.

pub use crate::durable::Durable;
use crate::message::{Message, Peer, Request};
use crate::raft;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use quorate_spec::ids::{GroupId, NodeId, Ticket, WriteId};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// Something that happened.
#[allow(clippy::large_enum_variant, reason = "messages are most of what happens; a box for each would cost more")]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum Input {
    /// A message came from another node.
    Received {
        /// What the sender's hello said.
        from: Peer,
        /// What it says.
        message: Message,
    },
    /// All writes up to this one are durable.
    Synced {
        /// The last durable write.
        write: WriteId,
    },
    /// An armed timer fired.
    Fired {
        /// Which one.
        timer: Timer,
    },
    /// Local clients ask, in order. A batch: everything that waits is handed over at once.
    Requests {
        /// What each is called, and what it asks.
        requests: Vec<(Ticket, Request)>,
    },
    /// A snapshot file is durable.
    SnapshotWritten {
        /// The group.
        group: GroupId,
        /// What it covers.
        last: raft::LogPosition,
    },
    /// The disk is full, or has space again: while it is full, client writes are refused.
    DiskFull {
        /// Whether it is.
        full: bool,
    },
}

/// A node's timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum Timer {
    /// One of a replica's.
    Raft {
        /// The group.
        group: GroupId,
        /// Which one.
        timer: raft::Timer,
    },
    /// A data group's leader looks after its migrations (short, fixed).
    Drive {
        /// The group.
        group: GroupId,
    },
    /// The node asks the controller for news, and registers itself (short, fixed).
    Poll,
}

/// What a node is told when it is constructed: who it is, and what its disk kept.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Restarted {
    /// This node's own identity and boot.
    pub me: Peer,
    /// The address at which others reach it.
    pub address: crate::bytes::Bytes,
    /// The controller's members (fixed at bootstrap) and their addresses.
    pub controllers: BTreeMap<NodeId, crate::bytes::Bytes>,
    /// How many shards the cluster has.
    pub shards: u32,
    /// What the disk kept; empty on the first boot.
    pub durable: Durable,
}
