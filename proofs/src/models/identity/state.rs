//! The world of the model: processes with their disks, the network, and what has to be remembered.

use super::scopes::{Scope, Start};
use super::{IdentityModel, news};
use quorate_core::bytes::Bytes;
use quorate_core::controller::Controller;
use quorate_core::durable::{Durable, Images};
use quorate_core::effect::Write;
use quorate_core::input::{Restarted, Timer};
use quorate_core::limits::Limits;
use quorate_core::message::{Message, Peer};
use quorate_core::node::Node;
use quorate_core::raft::Mark;
use quorate_core::shard::ShardGroup;
use quorate_spec::Violation;
use quorate_spec::ids::{Boot, GroupId, NodeId, Stamp, Term, WriteId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// The shards of the cluster.
pub(super) const SHARDS: u32 = 1;

/// The node of which a second directory may exist.
pub(super) const DOUBLED: u64 = 1;

/// One state of the world.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct IdentityState {
    /// The processes: nodes 1 to 3, then those started a second time.
    pub processes: Vec<Arc<Process>>,
    /// Every message that was sent, by its hash: it may arrive at any time, again and again, or never.
    pub network: BTreeMap<u64, Arc<Envelope>>,
    /// Who led each term.
    pub leaders: BTreeMap<Term, NodeId>,
    /// The latest boot of each directory that each process has taken a message from, by its place.
    pub heard: BTreeMap<(u8, NodeId, Stamp), Boot>,
    /// What was used up.
    pub spent: Spent,
    /// What went wrong on the way here.
    pub violation: Option<Violation>,
}

/// A running process and its directory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Process {
    /// The real node.
    pub node: Node,
    /// What its disk keeps.
    pub disk: Durable,
    /// Writes that are not synced.
    pub pending: VecDeque<(WriteId, Write)>,
    /// Armed timers.
    pub timers: BTreeSet<Timer>,
    /// Groups whose replica ended here, as far as this boot or the disk knows.
    pub ended: BTreeSet<GroupId>,
    /// Whether it was told to stop, and did.
    pub stopped: bool,
}

/// A message on its way.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Envelope {
    /// Who the sender says it is.
    pub from: Peer,
    /// The node that it is for: whichever process is reached under its address.
    pub to: NodeId,
    /// What it says.
    pub message: Message,
}

/// How often each thing happened that a scope bounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Spent {
    /// Crashes.
    pub crashes: u8,
    /// Second directories.
    pub twins: u8,
    /// Old copies.
    pub copies: u8,
    /// Campaigns.
    pub campaigns: u8,
}

/// Snapshots are not taken here.
pub(super) struct NoImages;

impl Images for NoImages {
    fn controller(&mut self, _mark: &Mark) -> Controller {
        unreachable!("no snapshot is written in this model")
    }

    fn data(&mut self, _group: GroupId, _mark: &Mark) -> ShardGroup {
        unreachable!("no snapshot is written in this model")
    }
}

pub(super) fn address(node: u64) -> Bytes {
    Bytes::from(format!("n{node}:1").as_str())
}

/// A directory: of this node, the `copy`th that was made for it.
pub(super) fn stamp(node: u64, copy: u8) -> Stamp {
    Stamp::new(u128::from(node) * 10 + u128::from(copy))
}

/// What a node is told when it starts.
pub(super) fn restarted(me: Peer, scope: &Scope, durable: Durable) -> Restarted {
    let controllers = (1..=scope.members).map(|node| (NodeId::new(node), address(node))).collect();
    Restarted { me, address: address(me.node.get()), controllers, shards: SHARDS, durable }
}

impl IdentityModel {
    /// The state in which the search begins.
    pub(super) fn begin(&self) -> IdentityState {
        let mut state = IdentityState {
            processes: Vec::new(),
            network: BTreeMap::new(),
            leaders: BTreeMap::new(),
            heard: BTreeMap::new(),
            spent: Spent::default(),
            violation: None,
        };
        let nodes = if self.scope.start == Start::News { news::HOST..=news::HOST } else { 1..=self.scope.members };
        let boot = if self.scope.copies > 0 { Boot::new(3) } else { Boot::new(1) };
        for node in nodes {
            let me = Peer { node: NodeId::new(node), stamp: stamp(node, 0), boot };
            self.start(&mut state, me, Durable::default());
        }
        match self.scope.start {
            Start::Empty => {}
            Start::Begun => self.run_until_begun(&mut state),
            Start::News => state.network.extend(news::all().into_iter().map(super::step::keyed)),
        }
        state
    }

    /// Starts a process from a directory, at the next place.
    pub(super) fn start(&self, state: &mut IdentityState, me: Peer, durable: Durable) {
        let process = self.boot(state, me, durable);
        state.processes.push(Arc::new(process));
    }

    /// A process that has just started; what it sends is on its way.
    pub(super) fn boot(&self, state: &mut IdentityState, me: Peer, durable: Durable) -> Process {
        let (node, effects) = Node::new(restarted(me, &self.scope, durable.clone()), Limits::default());
        let ended = durable.tombstones.clone();
        let (pending, timers) = (VecDeque::new(), BTreeSet::new());
        let mut process = Process { node, disk: durable, pending, timers, ended, stopped: false };
        self.perform(state, &mut process, effects);
        process
    }

    /// Everything is delivered and synced until all members have begun; then all that is on its way is lost.
    fn run_until_begun(&self, state: &mut IdentityState) {
        for _ in 0..8 {
            for place in 0..state.processes.len() {
                let place = place as u8;
                let me = state.at(place).node.me().node;
                let inbox: Vec<_> = state.network.values().filter(|it| it.to == me).cloned().collect();
                for envelope in inbox {
                    self.receive(state, place, &envelope);
                }
                self.sync(state, place);
                self.fire(state, place, Timer::Poll);
            }
        }
        assert!(state.violation.is_none(), "the start breaks nothing: {:?}", state.violation);
        assert!(state.processes.iter().all(|process| process.node.controller().is_some()), "all members have begun");
        state.network.clear();
        state.heard.clear();
    }
}

impl IdentityState {
    pub(super) fn at(&self, place: u8) -> &Process {
        &self.processes[usize::from(place)]
    }
}
