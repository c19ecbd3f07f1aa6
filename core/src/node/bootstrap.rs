//! How the controller group begins: every member pins every other one durably, and knows that all have pinned it.
//!
//! Only then does a member's replica begin. So whenever a member takes part, no other member will ever believe another
//! directory under its id: one that loses its disk cannot vote again under its old name (`wiped-disk-votes`). One
//! direction is not enough: a member that nobody has pinned yet could be wiped and be pinned by its new stamp.

use super::Node;
use super::peers::is_same;
use crate::controller::{Controller, NodeInfo};
use crate::effect::{Effects, Write};
use crate::message::{DirectoryMessage, Greeting, Message, Peer, PeerRefusal};
use crate::mutants::mutant;
use crate::raft::Durable;
use alloc::collections::BTreeSet;
use quorate_spec::action::Action;
use quorate_spec::ids::{GroupId, NodeId};

impl Node {
    /// A controller member that has no replica yet makes itself known to the others.
    pub(super) fn greet(&mut self, effects: &mut Effects) {
        if self.controller.is_some() || !self.controllers.contains_key(&self.me.node) {
            return;
        }
        let others: BTreeSet<NodeId> = self.controllers.keys().copied().filter(|to| *to != self.me.node).collect();
        for to in others {
            let greeting = self.greeting(to);
            effects.sends.push((to, Message::Directory(DirectoryMessage::Greet(greeting))));
        }
    }

    fn pins_are_durable(&self) -> bool {
        self.lane.is_synced(self.last_pin) || mutant!(PinBeforeDurable)
    }

    fn greeting(&self, to: NodeId) -> Greeting {
        let durable = self.pins_are_durable();
        let pinned = self.peers.get(&to).filter(|_| durable).map(|known| known.info.stamp);
        Greeting { shards: self.shards, members: self.controllers.keys().copied().collect(), pinned }
    }

    /// Another controller member made itself known: pin it. One that was started otherwise is refused.
    pub(super) fn greeted(&mut self, peer: Peer, greeting: &Greeting, answer: bool, effects: &mut Effects) {
        let from = peer.node;
        let Some(address) = self.controllers.get(&from).cloned() else { return };
        if !self.controllers.contains_key(&self.me.node) {
            return;
        }
        if greeting.shards != self.shards || !greeting.members.iter().eq(self.controllers.keys()) {
            effects.refused = Some(PeerRefusal::OtherBootstrap);
            return;
        }
        self.pin(from, NodeInfo { address, stamp: peer.stamp }, effects);
        self.note_boot(peer);
        if greeting.pinned.is_some_and(|pinned| is_same(self.me.stamp, pinned)) {
            self.pinned_by.insert(from);
        }
        self.bootstrap_controller(effects);
        if answer && self.controller.is_some() {
            let greeting = self.greeting(from);
            self.send(from, Message::Directory(DirectoryMessage::Greeted(greeting)), effects);
        }
    }

    /// The controller's replica begins when every other member is pinned durably, and has said the same of this one.
    pub(super) fn bootstrap_controller(&mut self, effects: &mut Effects) {
        let member = self.controllers.contains_key(&self.me.node);
        let known =
            |node: &NodeId| self.peers.contains_key(node) && (self.pinned_by.contains(node) || mutant!(OneWayPinning));
        let all = self.controllers.keys().all(|node| *node == self.me.node || known(node));
        if self.controller.is_some() || !member || !all || !self.pins_are_durable() {
            return;
        }
        let voters: BTreeSet<NodeId> = self.controllers.keys().copied().collect();
        let durable = Durable::genesis(voters, Controller::genesis(self.shards));
        let shards = self.shards;
        self.write(Write::CreateController { mark: durable.mark.clone(), shards }, effects);
        Self::label(Action::CreateReplica { group: GroupId::CONTROLLER }, effects);
        self.start_controller(durable, effects);
    }
}
