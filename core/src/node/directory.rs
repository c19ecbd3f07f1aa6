//! Learning configurations and who is where, and what follows: replicas are created and destroyed here.
//!
//! Everything learned is committed by the controller: configurations are immutable and directories only replace older
//! ones, so a late or repeated message does no harm. What must never happen: a replica created twice
//! (`replica-recreated`), or destroyed while its group exists.

use super::Node;
use super::peers::is_same;
use crate::controller::{self, Configuration, Controller, Directory, NodeInfo};
use crate::effect::{Effects, Halt, TimerChange, Write};
use crate::input::Timer;
use crate::message::{DirectoryMessage, Message, Peer, PeerRefusal};
use crate::mutants::mutant;
use crate::raft::{Durable, Timer as RaftTimer};
use crate::shard::ShardGroup;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;
use quorate_spec::action::Action;
use quorate_spec::ids::{ConfigNum, DirectoryVersion, GroupId, NodeId};

/// How many configurations one answer carries at most.
const CONFIGS_PER_ANSWER: u64 = 16;

/// What a node knows of the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Map {
    /// The latest configuration, and those that groups here still need.
    configs: BTreeMap<ConfigNum, Arc<Configuration>>,
    /// The newest directory.
    directory: Arc<Directory>,
    /// The directory that this node, leading the controller, last announced.
    announced: DirectoryVersion,
}

impl Map {
    pub(super) fn latest(&self) -> Option<&Arc<Configuration>> {
        self.configs.last_key_value().map(|(_, config)| config)
    }

    pub(super) fn get(&self, num: ConfigNum) -> Option<&Arc<Configuration>> {
        self.configs.get(&num)
    }

    pub(super) const fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }
}

impl Node {
    /// Asks for what this node lacks: pins, a registration, configurations.
    pub(super) fn poll(&mut self, effects: &mut Effects) {
        effects.timers.push(TimerChange::Arm(Timer::Poll));
        self.greet(effects);
        let mine = NodeInfo { address: self.address.clone(), stamp: self.me.stamp };
        if self.map.directory.nodes.get(&self.me.node) != Some(&mine) {
            let node = self.me.node;
            self.tell_controller(DirectoryMessage::Register { node, info: mine }, effects);
        }
        self.controller_changed(effects);
        if self.controller.is_none() {
            self.next_controller += 1;
            if let Some(to) = self.controllers.keys().nth(self.next_controller % self.controllers.len().max(1)) {
                self.fetch(*to, effects);
            }
        }
    }

    pub(super) fn directory_message(&mut self, peer: Peer, message: DirectoryMessage, effects: &mut Effects) {
        let from = peer.node;
        match message {
            DirectoryMessage::Fetch { config, version } => self.answer_fetch(from, config, version, effects),
            DirectoryMessage::News { configs, directory } if self.controllers.contains_key(&from) => {
                self.news(from, configs, directory, effects);
            }
            DirectoryMessage::News { .. } => {}
            DirectoryMessage::Changed { version, .. } => {
                if version > self.map.directory.version && self.controller.is_none() {
                    self.fetch(from, effects);
                }
            }
            DirectoryMessage::Register { node, info } => self.register(from, node, info, effects),
            DirectoryMessage::Retire { group } => self.retire(from, group, effects),
            DirectoryMessage::Greet(greeting) => self.greeted(peer, &greeting, true, effects),
            DirectoryMessage::Greeted(greeting) => self.greeted(peer, &greeting, false, effects),
        }
    }

    /// The controller's replica here has applied something: its state is this node's knowledge, and if it leads it tells
    /// the others.
    pub(super) fn controller_changed(&mut self, effects: &mut Effects) {
        let Some(group) = &self.controller else { return };
        let machine = group.machine();
        let (config, version) = (machine.latest().num, machine.directory().version);
        let leads = group.replica().is_leader();
        if version > self.map.directory.version || self.missing().is_some() {
            let mut directory = Directory::clone(machine.directory());
            directory.groups.insert(GroupId::CONTROLLER, group.replica().voters().iter().copied().collect());
            self.learn_directory(Arc::new(directory), effects);
            // The latest one in any case: a group here that has adopted it needs only those to come, clients do not.
            let from = self.first_lacking().map_or(config, |first| first.min(config));
            let configs = self.controller.as_ref().map(|group| configs_from(group.machine(), from, u64::MAX));
            self.learn(configs.unwrap_or_default(), effects);
        }
        if leads && version > self.map.announced {
            self.map.announced = version;
            let nodes: Vec<NodeId> = self.map.directory.nodes.keys().copied().collect();
            for node in nodes.into_iter().filter(|node| *node != self.me.node) {
                let message = DirectoryMessage::Changed { config, version };
                effects.sends.push((node, Message::Directory(message)));
            }
        }
    }

    /// Takes in news. What it makes needed and does not hold is asked for at once, as long as there is progress.
    fn news(
        &mut self,
        from: NodeId,
        configs: Vec<Arc<Configuration>>,
        directory: Option<Arc<Directory>>,
        effects: &mut Effects,
    ) {
        let newer = directory.is_some_and(|directory| self.learn_directory(directory, effects));
        if (self.learn(configs, effects) || newer) && self.missing().is_some() {
            self.fetch(from, effects);
        }
    }

    /// Takes in a directory. True if it is newer.
    fn learn_directory(&mut self, directory: Arc<Directory>, effects: &mut Effects) -> bool {
        let newer = directory.version > self.map.directory.version;
        if directory.nodes.get(&self.me.node).is_some_and(|mine| !is_same(mine.stamp, self.me.stamp)) {
            // This directory was wiped or copied: the id belongs to another one, and so does all that it is to host.
            effects.halt = Some(Halt::Refused { by: self.me.node, reason: PeerRefusal::OtherStamp });
            return false;
        }
        if newer {
            for (node, info) in &directory.nodes {
                self.pin(*node, info.clone(), effects);
            }
            self.map.directory = directory;
        }
        newer
    }

    /// Takes in configurations and does what follows from all that is known. True if one was new and needed.
    fn learn(&mut self, configs: Vec<Arc<Configuration>>, effects: &mut Effects) -> bool {
        let mut new = false;
        for config in configs {
            new |= self.map.configs.insert(config.num, config).is_none();
        }
        self.reconcile(effects);
        new
    }

    /// Brings the replicas here in line with the directory, and hands groups their next configuration.
    fn reconcile(&mut self, effects: &mut Effects) {
        let directory = Arc::clone(&self.map.directory);
        for (id, servers) in &directory.groups {
            let ended = self.tombstones.contains(id) && !mutant!(ReplicaRecreated);
            let hosted = self.data.contains_key(id) || ended || *id == GroupId::CONTROLLER;
            if servers.contains(&self.me.node) && !hosted {
                self.create(*id, servers, effects);
            }
        }
        let retired = |id: &GroupId| directory.config >= id.born && !directory.groups.contains_key(id);
        let retired: Vec<GroupId> = self.data.keys().copied().filter(retired).collect();
        for id in retired {
            self.destroy(id, effects);
        }
        let hosted: Vec<GroupId> = self.data.keys().copied().collect();
        for id in hosted {
            self.drive(id, false, effects);
        }
        let needed = self.needed();
        let latest = self.map.configs.last_key_value().map(|(num, _)| *num);
        self.map.configs.retain(|num, _| Some(*num) == latest || needed.is_some_and(|needed| *num >= needed));
    }

    /// A group names this node: its replica begins at the configuration before the group's creation. Waits until that
    /// configuration is known.
    fn create(&mut self, id: GroupId, servers: &[NodeId], effects: &mut Effects) {
        let before = ConfigNum::new(id.born.get().saturating_sub(1));
        let Some(config) = self.map.get(before).cloned() else { return };
        let voters: BTreeSet<NodeId> = servers.iter().copied().collect();
        let durable = Durable::genesis(voters, ShardGroup::genesis(id, Arc::clone(&config)));
        self.write(Write::CreateData { group: id, mark: durable.mark.clone(), config }, effects);
        Self::label(Action::CreateReplica { group: id }, effects);
        self.start_data(id, durable, effects);
    }

    /// The group has retired: nobody needs anything of it. A tombstone stays.
    fn destroy(&mut self, id: GroupId, effects: &mut Effects) {
        let Some(mut data) = self.data.remove(&id) else { return };
        effects.replies.extend(data.group.abandon());
        for timer in [RaftTimer::Election, RaftTimer::Heartbeat, RaftTimer::CheckQuorum] {
            effects.timers.push(TimerChange::Disarm(Timer::Raft { group: id, timer }));
        }
        effects.timers.push(TimerChange::Disarm(Timer::Drive { group: id }));
        self.tombstones.insert(id);
        self.write(Write::Tombstone { group: id }, effects);
        Self::label(Action::DestroyReplica { group: id }, effects);
    }

    /// The first configuration that a group here needs, if any does.
    fn needed(&self) -> Option<ConfigNum> {
        let next = self.data.values().map(|data| data.group.machine().config().num.next());
        let directory = &self.map.directory;
        let unborn = directory.groups.iter().filter(|(id, servers)| {
            let ended = self.tombstones.contains(id) && !mutant!(ReplicaRecreated);
            let hosted = self.data.contains_key(id) || ended || **id == GroupId::CONTROLLER;
            servers.contains(&self.me.node) && !hosted
        });
        next.chain(unborn.map(|(id, _)| ConfigNum::new(id.born.get().saturating_sub(1)))).min()
    }

    /// The first configuration that a group here needs and this node lacks, whether or not it exists by now.
    fn first_lacking(&self) -> Option<ConfigNum> {
        let mut num = self.needed()?;
        while self.map.configs.contains_key(&num) {
            num = num.next();
        }
        Some(num)
    }

    /// The same, if it exists by now.
    fn missing(&self) -> Option<ConfigNum> {
        self.first_lacking().filter(|num| *num <= self.map.directory.config)
    }

    fn fetch(&mut self, to: NodeId, effects: &mut Effects) {
        let config =
            self.missing().unwrap_or_else(|| self.map.latest().map_or(ConfigNum::ZERO, |latest| latest.num.next()));
        let version = self.map.directory.version;
        self.send(to, Message::Directory(DirectoryMessage::Fetch { config, version }), effects);
    }

    fn answer_fetch(&mut self, to: NodeId, config: ConfigNum, version: DirectoryVersion, effects: &mut Effects) {
        let Some(group) = &self.controller else { return };
        let configs = configs_from(group.machine(), config, CONFIGS_PER_ANSWER);
        let directory = (self.map.directory.version > version).then(|| Arc::clone(&self.map.directory));
        if directory.is_some() || !configs.is_empty() {
            self.send(to, Message::Directory(DirectoryMessage::News { configs, directory }), effects);
        }
    }

    /// Says something to the controller's leader, as far as it can be guessed.
    pub(super) fn tell_controller(&mut self, message: DirectoryMessage, effects: &mut Effects) {
        if self.controller.is_some() {
            let me = self.me;
            self.directory_message(me, message, effects);
        } else {
            let turn = self.next_controller % self.controllers.len().max(1);
            if let Some(to) = self.controllers.keys().nth(turn).copied() {
                self.send(to, Message::Directory(message), effects);
            }
        }
    }

    fn register(&mut self, from: NodeId, node: NodeId, info: NodeInfo, effects: &mut Effects) {
        let Some(group) = &self.controller else { return };
        if !group.replica().is_leader() {
            return self.forward(from, DirectoryMessage::Register { node, info }, effects);
        }
        match group.machine().directory().nodes.get(&node) {
            Some(known) if *known == info => {}
            // It is told by the member that it asks next: every one that has applied the directory has pinned the id.
            Some(known) if known.stamp != info.stamp => {}
            _ => self.command(controller::Command::RegisterNode { node, info }, effects),
        }
    }

    fn retire(&mut self, from: NodeId, id: GroupId, effects: &mut Effects) {
        let Some(group) = &self.controller else { return };
        if !group.replica().is_leader() {
            return self.forward(from, DirectoryMessage::Retire { group: id }, effects);
        }
        // Only the group itself knows that it holds nothing; a controller member hands its word on.
        let servers = group.machine().directory().groups.get(&id);
        let speaks = |servers: &Vec<NodeId>| servers.contains(&from) || self.controllers.contains_key(&from);
        if servers.is_some_and(speaks) {
            self.command(controller::Command::Retire { group: id }, effects);
        }
    }

    /// Hands a message on to the controller's leader: once, so that stale hints cannot send it around in circles.
    fn forward(&mut self, from: NodeId, message: DirectoryMessage, effects: &mut Effects) {
        let first_hop = from == self.me.node || !self.controllers.contains_key(&from);
        let leader = self.controller.as_ref().and_then(|group| group.replica().leader());
        if let Some(leader) = leader.filter(|leader| first_hop && *leader != self.me.node) {
            self.send(leader, Message::Directory(message), effects);
        }
    }

    fn command(&mut self, command: controller::Command, effects: &mut Effects) {
        self.with_controller(effects, |group, limits| group.propose([(None, command)].into(), limits));
    }
}

/// The configurations from `from` on, `most` of them, and the latest if it lies beyond.
fn configs_from(machine: &Controller, from: ConfigNum, most: u64) -> Vec<Arc<Configuration>> {
    let latest = machine.latest();
    let mut configs: Vec<_> = (from.get()..=latest.num.get())
        .take(usize::try_from(most).unwrap_or(usize::MAX))
        .map(|num| machine.query(Some(ConfigNum::new(num))))
        .collect();
    if configs.last().is_some_and(|last| last.num < latest.num) {
        configs.push(Arc::clone(latest));
    }
    configs
}
