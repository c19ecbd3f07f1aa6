//! The world of the stack: processes with disks, one network for everything, clients, an operator, and what is remembered
//! to judge them by.
//!
//! Everything is shared until it changes, so that a step costs what it touches.

use super::ghost::Ghost;
use quorate_core::bytes::Bytes;
use quorate_core::client::{self, CallId, Client};
use quorate_core::controller::Controller;
use quorate_core::durable::{Durable, Images};
use quorate_core::effect::{SnapshotWork, Write};
use quorate_core::input::Timer;
use quorate_core::message::{Message, Peer, Reply, Request};
use quorate_core::node::Node;
use quorate_core::raft::{LogPosition, Mark};
use quorate_core::shard::ShardGroup;
use quorate_spec::Violation;
use quorate_spec::ids::{Boot, GroupId, NodeId, Ticket, WriteId};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// The whole world.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// By node id, from 1.
    pub(super) processes: Vec<Arc<Process>>,
    /// What is on its way, oldest first.
    pub(super) network: VecDeque<Arc<Envelope>>,
    /// The operator is the first.
    pub(super) clients: Vec<Arc<ClientSide>>,
    pub(super) ghost: Arc<Ghost>,
    /// Steps taken.
    pub(super) steps: u64,
    /// Rounds of the fair schedule so far. In a walk it stands still: there, no timer is older than another.
    pub(super) round: u64,
    /// Which change the operator asks for next.
    pub(super) script: usize,
    /// Messages sent so far, which names them.
    pub(super) sent: u64,
    pub(super) violation: Option<Violation>,
}

/// A process and its disk.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Process {
    pub(super) node: Node,
    pub(super) boot: Boot,
    pub(super) disk: Arc<Disk>,
    pub(super) pending: VecDeque<(WriteId, Write)>,
    /// The armed ones, and the round in which each was armed.
    pub(super) timers: BTreeMap<Timer, u64>,
    pub(super) snapshots: VecDeque<SnapshotWork>,
}

/// What survives a crash.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Disk {
    pub(super) durable: Durable,
    pub(super) files: Files,
}

/// Snapshot files, the newest of each group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Files {
    pub(super) controller: BTreeMap<LogPosition, Controller>,
    pub(super) data: BTreeMap<(GroupId, LogPosition), ShardGroup>,
}

impl Images for Files {
    fn controller(&mut self, mark: &Mark) -> Controller {
        self.controller.get(&mark.last).expect("a marked snapshot has a file").clone()
    }

    fn data(&mut self, group: GroupId, mark: &Mark) -> ShardGroup {
        self.data.get(&(group, mark.last)).expect("a marked snapshot has a file").clone()
    }
}

impl Disk {
    /// A write becomes durable.
    pub(super) fn fold(&mut self, write: Write) {
        self.durable.fold(write, &mut self.files).expect("a node's lane is consistent");
    }

    /// A snapshot file becomes durable. Older ones than the durable mark are not needed any more.
    pub(super) fn keep(&mut self, work: SnapshotWork) -> (GroupId, LogPosition) {
        match work {
            SnapshotWork::Controller(work) => {
                let mark = self.durable.controller.as_ref().map(|durable| durable.mark.last);
                self.files.controller.retain(|last, _| Some(*last) >= mark);
                self.files.controller.insert(work.mark.last, work.image);
                (GroupId::CONTROLLER, work.mark.last)
            }
            SnapshotWork::Data { group, work } => {
                let mark = self.durable.data.get(&group).map(|durable| durable.mark.last);
                self.files.data.retain(|(other, last), _| *other != group || Some(*last) >= mark);
                self.files.data.insert((group, work.mark.last), work.image);
                (group, work.mark.last)
            }
        }
    }
}

/// Something on its way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Envelope {
    /// Names it in drawings; a repetition bears the same.
    pub(super) id: u64,
    pub(super) parcel: Parcel,
}

/// What travels.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Parcel {
    /// Between nodes.
    Peer { from: Peer, to: NodeId, message: Message },
    /// From a client to a node.
    Request { client: usize, ticket: Ticket, to: NodeId, request: Request },
    /// From a node to a client.
    Reply { from: NodeId, client: usize, ticket: Ticket, reply: Reply },
}

impl Parcel {
    /// Whether it can arrive twice. A client's attempt travels on one connection: it arrives once or never, and a refusal
    /// speaks for it only because of that (a client that tries again makes another attempt).
    pub(super) const fn may_repeat(&self) -> bool {
        match self {
            Self::Peer { .. } | Self::Reply { .. } => true,
            Self::Request { .. } => false,
        }
    }

    /// Whether it comes from this node or goes there.
    pub(super) fn touches(&self, node: Option<NodeId>) -> bool {
        let ends = match self {
            Self::Peer { from, to, .. } => [Some(from.node), Some(*to)],
            Self::Request { to, .. } => [None, Some(*to)],
            Self::Reply { from, .. } => [Some(*from), None],
        };
        node.is_some() && ends.contains(&node)
    }
}

/// A client machine and its user.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ClientSide {
    pub(super) machine: Client,
    /// The armed ones, and the round in which each was armed.
    pub(super) timers: BTreeMap<client::Timer, u64>,
    /// What the user waits for.
    pub(super) call: Option<(CallId, Call)>,
    pub(super) calls: u64,
    /// Calls that ended with an answer.
    pub(super) answered: u64,
}

/// A user's call, as the ghost needs it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Call {
    /// Appends a token that nobody else appends.
    Append { key: usize, token: Token },
    /// Reads. Everything up to `floor` tokens was there before.
    Get { key: usize, floor: usize },
    /// Something of the operator.
    Operate,
}

/// What one append adds: unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Token {
    pub(super) client: usize,
    pub(super) call: u64,
}

impl Token {
    /// As it is appended.
    pub(super) fn bytes(self) -> Bytes {
        Bytes::from(format!("{}.{};", self.client, self.call).as_str())
    }

    /// The tokens of a value, in order.
    pub(super) fn parse(value: &[u8]) -> Vec<Self> {
        let text = std::str::from_utf8(value).unwrap_or_default();
        let token = |part: &str| {
            let (client, call) = part.split_once('.')?;
            Some(Self { client: client.parse().ok()?, call: call.parse().ok()? })
        };
        text.split_terminator(';').filter_map(token).collect()
    }
}

/// The key of this number.
pub(super) fn key_name(key: usize) -> Bytes {
    Bytes::from(format!("k{key}").as_str())
}

/// Where a node is reached.
pub(super) fn address(node: NodeId) -> Bytes {
    Bytes::from(format!("host{}:1", node.get()).as_str())
}

/// The node that is reached there.
pub(super) fn node_at(address: &[u8]) -> Option<NodeId> {
    let digits = std::str::from_utf8(address).ok()?.strip_prefix("host")?.strip_suffix(":1")?;
    digits.parse().ok().map(NodeId::new)
}
