//! A small world of whole nodes: one durable lane each, a network that loses, delays, duplicates and reorders, timers
//! that fire when the world likes, crashes that keep any prefix of what was not synced. Everything from one seed.

use quorate_core::bytes::Bytes;
use quorate_core::controller::Controller;
use quorate_core::durable::{Durable, Images};
use quorate_core::effect::{Effects, SnapshotWork, TimerChange, Write};
use quorate_core::input::{Input, Restarted, Timer};
use quorate_core::limits::{Limits, RaftLimits};
use quorate_core::message::{Message, Peer, Reply, Request};
use quorate_core::node::Node;
use quorate_core::raft::{LogPosition, Mark};
use quorate_core::shard::ShardGroup;
use quorate_spec::ids::{Boot, GroupId, NodeId, Stamp, Ticket, WriteId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A small generator, the same on every machine (xorshift64*).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize) % bound.max(1)
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// The snapshot files of one node.
#[derive(Clone, Default)]
struct Files {
    controller: BTreeMap<LogPosition, Controller>,
    data: BTreeMap<(GroupId, LogPosition), ShardGroup>,
}

impl Images for Files {
    fn controller(&mut self, mark: &Mark) -> Controller {
        self.controller.get(&mark.last).expect("a marked snapshot has a file").clone()
    }

    fn data(&mut self, group: GroupId, mark: &Mark) -> ShardGroup {
        self.data.get(&(group, mark.last)).expect("a marked snapshot has a file").clone()
    }
}

/// A process and its disk.
struct Process {
    node: Node,
    boot: u64,
    durable: Durable,
    files: Files,
    pending: VecDeque<(WriteId, Write)>,
    timers: BTreeSet<Timer>,
    snapshots: Vec<SnapshotWork>,
}

/// The world.
pub(crate) struct World {
    pub(crate) random: Random,
    processes: BTreeMap<NodeId, Process>,
    controllers: BTreeMap<NodeId, Bytes>,
    network: Vec<(Peer, NodeId, Message)>,
    pub(crate) replies: BTreeMap<Ticket, Reply>,
    /// How often each action was taken.
    pub(crate) actions: BTreeMap<&'static str, u64>,
    /// Percent of messages lost, and sent twice.
    pub(crate) loss: usize,
    shards: u32,
}

/// Limits small enough that snapshots, chunks and windows all come into play.
fn limits() -> Limits {
    Limits {
        raft: RaftLimits {
            append_bytes: 300,
            inflight_appends: 3,
            chunk_bytes: 120,
            trailing_entries: 4,
            ..RaftLimits::default()
        },
        shard_chunk_bytes: 60,
        snapshot_log_bytes: 1500,
        ..Limits::default()
    }
}

fn address(node: NodeId) -> Bytes {
    Bytes::from(format!("host{}:1", node.get()).as_str())
}

impl World {
    /// Nodes 1 to `nodes`, of which the first `controllers` are the controller's members.
    pub(crate) fn new(seed: u64, nodes: u64, controllers: u64, shards: u32) -> Self {
        let controllers = (1..=controllers).map(NodeId::new).map(|node| (node, address(node))).collect();
        let mut world = Self {
            random: Random::new(seed),
            processes: BTreeMap::new(),
            controllers,
            network: Vec::new(),
            replies: BTreeMap::new(),
            actions: BTreeMap::new(),
            loss: 5,
            shards,
        };
        for node in (1..=nodes).map(NodeId::new) {
            world.boot(node, 1, Durable::default(), Files::default());
        }
        world
    }

    pub(crate) fn nodes(&self) -> Vec<NodeId> {
        self.processes.keys().copied().collect()
    }

    fn boot(&mut self, id: NodeId, boot: u64, durable: Durable, files: Files) {
        let me = Peer { node: id, stamp: Stamp::new(u128::from(id.get()) + 1000), boot: Boot::new(boot) };
        let (controllers, shards) = (self.controllers.clone(), self.shards);
        let restarted = Restarted { me, address: address(id), controllers, shards, durable: durable.clone() };
        let (node, effects) = Node::new(restarted, limits());
        let (pending, timers, snapshots) = (VecDeque::new(), BTreeSet::new(), Vec::new());
        self.processes.insert(id, Process { node, boot, durable, files, pending, timers, snapshots });
        self.perform(id, effects);
    }

    /// Loses everything volatile and all but a prefix of the writes that were not synced; starts again at once.
    pub(crate) fn crash(&mut self, id: NodeId) {
        let process = self.processes.remove(&id).expect("the node exists");
        let Process { boot, mut durable, mut files, mut pending, .. } = process;
        let kept = self.random.below(pending.len() + 1);
        for (_, write) in pending.drain(..kept) {
            durable.fold(write, &mut files).expect("a node's lane is consistent");
        }
        self.boot(id, boot + 1, durable, files);
    }

    pub(crate) fn ask(&mut self, node: NodeId, ticket: Ticket, request: Request) {
        self.input(node, Input::Requests { requests: vec![(ticket, request)] });
    }

    fn input(&mut self, id: NodeId, input: Input) {
        let process = self.processes.get_mut(&id).expect("the node exists");
        let effects = process.node.step(input);
        self.perform(id, effects);
    }

    fn perform(&mut self, id: NodeId, effects: Effects) {
        let process = self.processes.get_mut(&id).expect("the node exists");
        assert!(effects.halt.is_none(), "node {id} is refused: {:?}", effects.halt);
        process.pending.extend(effects.writes);
        process.snapshots.extend(effects.snapshots);
        for change in effects.timers {
            match change {
                TimerChange::Arm(timer) => process.timers.insert(timer),
                TimerChange::Disarm(timer) => process.timers.remove(&timer),
            };
        }
        let me = process.node.me();
        for (to, message) in effects.sends {
            if self.random.chance(self.loss) {
                continue;
            }
            if self.random.chance(self.loss) {
                self.network.push((me, to, message.clone()));
            }
            self.network.push((me, to, message));
        }
        self.replies.extend(effects.replies);
        for label in effects.labels {
            *self.actions.entry(label.action.name()).or_default() += 1;
        }
    }

    /// What a person needs to see when a run is stuck.
    pub(crate) fn report(&self) -> String {
        let line = |(id, process): (&NodeId, &Process)| {
            format!("{id}: timers {:?} pending {} {:?}\n", process.timers, process.pending.len(), process.node.status())
        };
        self.processes.iter().map(line).collect()
    }

    /// One random event: mostly a delivery or a sync, now and then a timer or a finished snapshot.
    pub(crate) fn tick(&mut self) {
        let nodes = self.nodes();
        let id = nodes[self.random.below(nodes.len())];
        match self.random.below(100) {
            0..70 => self.deliver(),
            70..90 => self.sync(id),
            90..94 => self.finish_snapshot(id),
            _ => self.fire(id),
        }
    }

    fn deliver(&mut self) {
        if !self.network.is_empty() {
            let place = self.random.below(self.network.len().min(60));
            let (from, to, message) = self.network.remove(place);
            self.input(to, Input::Received { from, message });
        }
    }

    fn sync(&mut self, id: NodeId) {
        let process = self.processes.get_mut(&id).expect("the node exists");
        let count = self.random.below(process.pending.len() + 1);
        let mut last = None;
        for (id, write) in process.pending.drain(..count) {
            process.durable.fold(write, &mut process.files).expect("a node's lane is consistent");
            last = Some(id);
        }
        if let Some(write) = last {
            self.input(id, Input::Synced { write });
        }
    }

    fn finish_snapshot(&mut self, id: NodeId) {
        let process = self.processes.get_mut(&id).expect("the node exists");
        let Some(work) = process.snapshots.pop() else { return };
        let (group, last) = match work {
            SnapshotWork::Controller(work) => {
                process.files.controller.insert(work.mark.last, work.image);
                (GroupId::CONTROLLER, work.mark.last)
            }
            SnapshotWork::Data { group, work } => {
                process.files.data.insert((group, work.mark.last), work.image);
                (group, work.mark.last)
            }
        };
        self.input(id, Input::SnapshotWritten { group, last });
    }

    /// Fires an armed timer. Elections are rarer than the rest, as they are in time.
    fn fire(&mut self, id: NodeId) {
        let timers: Vec<Timer> = self.processes[&id].timers.iter().copied().collect();
        if timers.is_empty() {
            return;
        }
        let timer = timers[self.random.below(timers.len())];
        let slow = matches!(
            timer,
            Timer::Raft { timer: quorate_core::raft::Timer::Election | quorate_core::raft::Timer::CheckQuorum, .. }
        );
        if slow && self.random.chance(92) {
            return;
        }
        self.processes.get_mut(&id).expect("the node exists").timers.remove(&timer);
        self.input(id, Input::Fired { timer });
    }
}
