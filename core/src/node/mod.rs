//! A node: replicas of any number of groups, one disk, one identity. It routes, and decides only who is believed.
//!
//! - `requests`: local clients, batched by group;
//! - `peers`: whose messages are believed (pinned stamps, later boots);
//! - `bootstrap`: how the controller group begins;
//! - `directory`: learning configurations and who is where; creating and destroying replicas;
//! - `migration`: moving shards between groups;
//! - `lane`: one order of writes for all groups.
//!
//! What must never happen: two replicas of one group under one node id with different disks (`wiped-disk-votes`,
//! `replica-recreated`), or a message of an unknown directory reaching a replica.

mod bootstrap;
mod directory;
mod lane;
mod machines;
mod migration;
mod peers;
mod requests;
mod status;

use crate::bytes::Bytes;
use crate::controller::{self, Controller, NodeInfo};
use crate::effect::{Effects, Label, SnapshotWork, TimerChange, Write};
use crate::group::{Group, Outcome};
use crate::input::{Input, Restarted, Timer};
use crate::limits::Limits;
use crate::message::{Message, Peer};
#[cfg(debug_assertions)]
use crate::mutants;
use crate::raft;
use crate::shard::{self, Migrator, ShardGroup};
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;
use directory::Map;
use lane::Lane;
pub(crate) use peers::is_same;
use quorate_spec::action::Action;
use quorate_spec::ids::{Boot, GroupId, NodeId, Ticket, WriteId};

/// A data group's replica and the driver of its migrations.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct DataGroup {
    group: Group<ShardGroup>,
    migrator: Migrator,
    /// Whether its `Drive` timer is armed.
    driven: bool,
}

/// A known peer: what was pinned durably, and the latest boot seen since this node's own boot.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct KnownPeer {
    info: NodeInfo,
    boot: Boot,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    me: Peer,
    address: Bytes,
    /// The controller's members and where they were said to be at the start.
    controllers: BTreeMap<NodeId, Bytes>,
    shards: u32,
    limits: Limits,
    peers: BTreeMap<NodeId, KnownPeer>,
    /// The last write that pins a peer: a controller member takes no part before all pins are durable.
    last_pin: WriteId,
    /// Controller members that have said, in this boot, that they have durably pinned this node's stamp.
    pinned_by: BTreeSet<NodeId>,
    tombstones: BTreeSet<GroupId>,
    controller: Option<Group<Controller>>,
    data: BTreeMap<GroupId, DataGroup>,
    map: Map,
    lane: Lane,
    disk_full: bool,
    /// Which controller to ask next.
    next_controller: usize,
    /// Messages to this node itself, delivered before the step ends.
    loopback: VecDeque<Message>,
}

impl Node {
    /// Starts a node from its identity and what its disk kept.
    pub fn new(restarted: Restarted, limits: Limits) -> (Self, Effects) {
        let Restarted { me, address, controllers, shards, durable } = restarted;
        let known = |info| KnownPeer { info, boot: Boot::ZERO };
        let mut node = Self {
            me,
            address,
            controllers,
            shards,
            limits,
            peers: durable.peers.into_iter().map(|(node, info)| (node, known(info))).collect(),
            last_pin: WriteId::ZERO,
            pinned_by: BTreeSet::new(),
            tombstones: durable.tombstones,
            controller: None,
            data: BTreeMap::new(),
            map: Map::default(),
            lane: Lane::default(),
            disk_full: false,
            next_controller: 0,
            loopback: VecDeque::new(),
        };
        let mut effects = Effects::default();
        // What was pinned may be out of date; what the operator says now is not: a controller that moved to another
        // address could otherwise never be reached to learn the new one.
        effects.addresses.extend(node.peers.iter().map(|(id, peer)| (*id, peer.info.address.clone())));
        effects.addresses.extend(node.controllers.clone());
        effects.pins.extend(node.peers.iter().map(|(id, peer)| (*id, peer.info.stamp)));
        // Before the controller's: what that has applied may name groups that are here already.
        for (group, durable) in durable.data {
            node.start_data(group, durable, &mut effects);
        }
        if let Some(durable) = durable.controller {
            node.start_controller(durable, &mut effects);
        }
        node.bootstrap_controller(&mut effects);
        node.poll(&mut effects);
        node.settle(&mut effects);
        (node, effects)
    }

    /// Takes one input and says everything that it wants done. Never fails, never blocks.
    #[must_use]
    pub fn step(&mut self, input: Input) -> Effects {
        let mut effects = Effects::default();
        match input {
            Input::Received { from, message } => self.receive(from, message, &mut effects),
            Input::Synced { write } => self.synced(write, &mut effects),
            Input::Fired { timer } => self.fired(timer, &mut effects),
            Input::Requests { requests } => self.requests(requests, &mut effects),
            Input::SnapshotWritten { group, last } => self.snapshot_written(group, last, &mut effects),
            Input::DiskFull { full } => self.disk_full = full,
        }
        self.settle(&mut effects);
        effects
    }

    /// This node's identity and boot.
    pub const fn me(&self) -> Peer {
        self.me
    }

    /// The controller group's replica, if this node has one.
    pub const fn controller(&self) -> Option<&Group<Controller>> {
        self.controller.as_ref()
    }

    /// The data groups' replicas.
    pub fn groups(&self) -> impl Iterator<Item = &Group<ShardGroup>> {
        self.data.values().map(|data| &data.group)
    }

    fn receive(&mut self, from: Peer, message: Message, effects: &mut Effects) {
        if self.believes(from, &message, effects) {
            self.deliver(from, message, effects);
        }
    }

    /// Routes a message that is believed.
    fn deliver(&mut self, peer: Peer, message: Message, effects: &mut Effects) {
        let from = peer.node;
        match message {
            Message::Controller(message) => {
                self.with_controller(effects, |group, limits| group.receive(from, message, limits))
            }
            Message::Data { group, message } => {
                self.with_data(group, effects, |group, limits| group.receive(from, message, limits));
            }
            Message::Shard(message) => self.shard_message(from, message, effects),
            Message::Directory(message) => self.directory_message(peer, message, effects),
            Message::Refused { whom, reason } => self.refused(from, whom, reason, effects),
        }
    }

    /// Delivers what this node sent to itself. Each delivery answers at most a bounded part, so this ends.
    fn settle(&mut self, effects: &mut Effects) {
        while let Some(message) = self.loopback.pop_front() {
            self.deliver(self.me, message, effects);
        }
        #[cfg(debug_assertions)]
        self.check();
    }

    fn synced(&mut self, write: WriteId, effects: &mut Effects) {
        for (group, own) in self.lane.synced(write) {
            if group == GroupId::CONTROLLER {
                self.with_controller(effects, |group, limits| group.synced(own, limits));
            } else {
                self.with_data(group, effects, |group, limits| group.synced(own, limits));
            }
        }
        self.bootstrap_controller(effects);
    }

    fn fired(&mut self, timer: Timer, effects: &mut Effects) {
        match timer {
            Timer::Raft { group: GroupId::CONTROLLER, timer } => {
                self.with_controller(effects, |group, limits| group.fired(timer, limits));
            }
            Timer::Raft { group, timer } => self.with_data(group, effects, |group, limits| group.fired(timer, limits)),
            Timer::Drive { group } => {
                if let Some(data) = self.data.get_mut(&group) {
                    data.driven = false;
                }
                self.drive(group, true, effects);
            }
            Timer::Poll => self.poll(effects),
        }
    }

    fn snapshot_written(&mut self, group: GroupId, last: raft::LogPosition, effects: &mut Effects) {
        if group == GroupId::CONTROLLER {
            self.with_controller(effects, |group, limits| group.snapshot_written(last, limits));
        } else {
            self.with_data(group, effects, |group, limits| group.snapshot_written(last, limits));
        }
    }

    /// Steps the controller's replica, if there is one, and hands its outcome on.
    fn with_controller(
        &mut self,
        effects: &mut Effects,
        step: impl FnOnce(&mut Group<Controller>, &Limits) -> Outcome<controller::Command>,
    ) {
        if let Some(group) = &mut self.controller {
            let outcome = step(group, &self.limits);
            self.controller_outcome(outcome, effects);
        }
    }

    /// Steps a data group's replica, if there is one, and hands its outcome on.
    fn with_data(
        &mut self,
        id: GroupId,
        effects: &mut Effects,
        step: impl FnOnce(&mut Group<ShardGroup>, &Limits) -> Outcome<shard::Command>,
    ) {
        if let Some(data) = self.data.get_mut(&id) {
            let outcome = step(&mut data.group, &self.limits);
            self.data_outcome(id, outcome, effects);
        }
    }

    fn controller_outcome(&mut self, outcome: Outcome<controller::Command>, effects: &mut Effects) {
        let stirred = outcome.stirred;
        let id = GroupId::CONTROLLER;
        for (own, write) in outcome.writes {
            effects.writes.push((self.lane.issue_for(id, own), Write::Controller(write)));
        }
        effects.sends.extend(outcome.sends.into_iter().map(|(to, message)| (to, Message::Controller(message))));
        effects.timers.extend(outcome.timers.into_iter().map(|change| name_timer(id, change)));
        effects.snapshots.extend(outcome.snapshots.into_iter().map(SnapshotWork::Controller));
        effects.replies.extend(outcome.replies);
        effects.labels.extend(outcome.labels);
        if stirred {
            self.controller_changed(effects);
        }
    }

    fn data_outcome(&mut self, id: GroupId, outcome: Outcome<shard::Command>, effects: &mut Effects) {
        let stirred = outcome.stirred;
        for (own, write) in outcome.writes {
            effects.writes.push((self.lane.issue_for(id, own), Write::Data { group: id, write }));
        }
        let data = |(to, message)| (to, Message::Data { group: id, message });
        effects.sends.extend(outcome.sends.into_iter().map(data));
        effects.timers.extend(outcome.timers.into_iter().map(|change| name_timer(id, change)));
        let snapshot = |work| SnapshotWork::Data { group: id, work };
        effects.snapshots.extend(outcome.snapshots.into_iter().map(snapshot));
        effects.replies.extend(outcome.replies);
        effects.labels.extend(outcome.labels);
        if stirred {
            self.drive(id, false, effects);
        }
    }

    fn start_controller(&mut self, durable: raft::Durable<controller::Command>, effects: &mut Effects) {
        let (group, outcome) = Group::new(GroupId::CONTROLLER, self.me.node, durable, &self.limits);
        self.controller = Some(group);
        self.controller_outcome(outcome, effects);
    }

    fn start_data(&mut self, id: GroupId, durable: raft::Durable<shard::Command>, effects: &mut Effects) {
        let (group, outcome) = Group::new(id, self.me.node, durable, &self.limits);
        self.data.insert(id, DataGroup { group, migrator: Migrator::new(), driven: false });
        self.data_outcome(id, outcome, effects);
    }

    /// Sends a message, to this node itself by the loopback.
    fn send(&mut self, to: NodeId, message: Message, effects: &mut Effects) {
        if to == self.me.node {
            self.loopback.push_back(message);
        } else {
            effects.sends.push((to, message));
        }
    }

    /// A write of the node itself.
    fn write(&mut self, write: Write, effects: &mut Effects) -> WriteId {
        let id = self.lane.issue();
        effects.writes.push((id, write));
        id
    }

    fn label(action: Action, effects: &mut Effects) {
        effects.labels.push(Label { group: None, action });
    }

    /// Local invariants of every replica here: the same functions that the checkers call.
    #[cfg(debug_assertions)]
    fn check(&self) {
        assert!(self.loopback.is_empty(), "the loopback is drained within a step");
        for tombstone in &self.tombstones {
            assert!(
                !self.data.contains_key(tombstone) || mutants::any_selected(),
                "a destroyed replica is never created again"
            );
        }
    }
}

const fn name_timer(group: GroupId, change: raft::TimerChange) -> TimerChange {
    match change {
        raft::TimerChange::Arm(timer) => TimerChange::Arm(Timer::Raft { group, timer }),
        raft::TimerChange::Disarm(timer) => TimerChange::Disarm(Timer::Raft { group, timer }),
    }
}

/// A local client's request that waits in a batch.
type Asked<T> = Vec<(Ticket, T)>;
