//! Whose messages are believed: a node is its id *and* the stamp of its data directory, and its latest boot.
//!
//! A stamp is pinned durably when the node is first heard of (from the controller's directory; controller members from
//! each other at bootstrap). Another stamp under a pinned id is a wiped or copied directory and is refused, so it cannot
//! vote under its old name. An older boot than one already seen is an old copy, refused as long as a peer remembers.

use super::{KnownPeer, Node};
use crate::controller::NodeInfo;
use crate::effect::{Effects, Halt, Write};
use crate::message::{DirectoryMessage, Message, Peer, PeerRefusal};
use crate::mutants::mutant;
use quorate_spec::action::Action;
use quorate_spec::ids::{Boot, NodeId, Stamp};

/// Whether a claimed stamp is the one that is known.
pub(crate) fn is_same(known: Stamp, claimed: Stamp) -> bool {
    known == claimed || mutant!(WipedDiskVotes)
}

impl Node {
    /// Whether a message is let in. Refuses known nodes that are not who they were.
    ///
    /// A refusal counts only from the directory that is pinned under the sender's id: an impostor must not stop a node,
    /// and neither must another cluster that some node was pointed at.
    pub(super) fn believes(&mut self, from: Peer, message: &Message, effects: &mut Effects) -> bool {
        if from.node == self.me.node {
            return false;
        }
        let Some(known) = self.peers.get_mut(&from.node) else {
            return self.believes_stranger(from, message);
        };
        let refusal = if !is_same(known.info.stamp, from.stamp) {
            PeerRefusal::OtherStamp
        } else if from.boot < known.boot && !mutant!(OlderBootBelieved) {
            PeerRefusal::OlderBoot { seen: known.boot }
        } else {
            known.boot = known.boot.max(from.boot);
            return true;
        };
        Self::label(Action::RefusePeer { node: from.node }, effects);
        effects.refused = Some(refusal);
        false
    }

    /// A node that is not pinned may ask for the directory and to be registered. News comes from controllers only, who
    /// are named on this node's command line; and they greet each other to be pinned. A refusal, too, is believed from
    /// them: a wiped node has nothing pinned, and they are the ones who can tell it.
    fn believes_stranger(&self, from: Peer, message: &Message) -> bool {
        match message {
            Message::Directory(DirectoryMessage::Fetch { .. }) => true,
            Message::Directory(DirectoryMessage::Register { node, info }) => {
                *node == from.node && info.stamp == from.stamp || self.controllers.contains_key(&from.node)
            }
            Message::Directory(
                DirectoryMessage::News { .. }
                | DirectoryMessage::Changed { .. }
                | DirectoryMessage::Greet(_)
                | DirectoryMessage::Greeted(_),
            )
            | Message::Refused { .. } => self.controllers.contains_key(&from.node),
            Message::Directory(DirectoryMessage::Retire { .. })
            | Message::Controller(_)
            | Message::Data { .. }
            | Message::Shard(_) => false,
        }
    }

    /// Remembers a peer's stamp and address durably. A pinned stamp never changes; the address may.
    pub(super) fn pin(&mut self, node: NodeId, info: NodeInfo, effects: &mut Effects) {
        if node == self.me.node {
            return;
        }
        let boot = match self.peers.get(&node) {
            Some(known) if known.info == info || known.info.stamp != info.stamp => return,
            Some(known) => known.boot,
            None => Boot::ZERO,
        };
        self.peers.insert(node, KnownPeer { info: info.clone(), boot });
        effects.addresses.push((node, info.address.clone()));
        effects.pins.push((node, info.stamp));
        self.last_pin = self.write(Write::Pin { node, info }, effects);
        Self::label(Action::PinPeer { node }, effects);
    }

    /// Remembers that this boot of a pinned peer was seen.
    pub(super) fn note_boot(&mut self, peer: Peer) {
        if let Some(known) = self.peers.get_mut(&peer.node).filter(|known| known.info.stamp == peer.stamp) {
            known.boot = known.boot.max(peer.boot);
        }
    }

    /// A peer refuses `whom`. That is this process only if id, stamp and boot are its own: a refusal that was meant for an
    /// impostor, or for an earlier run, is nothing to it, however late or by whatever way it comes.
    pub(super) fn refused(&mut self, by: NodeId, whom: Peer, reason: PeerRefusal, effects: &mut Effects) {
        let holds = match reason {
            PeerRefusal::OtherStamp => true,
            PeerRefusal::OlderBoot { seen } => self.me.boot < seen,
            PeerRefusal::OtherBootstrap => self.controllers.contains_key(&self.me.node) && self.controller.is_none(),
        };
        if whom == self.me && holds {
            effects.halt = Some(Halt::Refused { by, reason });
        }
    }
}
