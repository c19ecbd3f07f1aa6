//! Which directory is meant by a node's id, as the core has pinned it: what is meant for a node goes to no other directory
//! that answers at its address, and connections of nodes that nobody knows are limited.

use super::lock;
use quorate_core::message::Peer;
use quorate_spec::ids::{NodeId, Stamp};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// The pinned stamps: the driver writes, connections read. A pinned stamp never changes.
#[derive(Debug, Default)]
pub struct Pins(Mutex<BTreeMap<NodeId, Stamp>>);

impl Pins {
    /// `node` is the directory `stamp`.
    pub fn pin(&self, node: NodeId, stamp: Stamp) {
        lock(&self.0).entry(node).or_insert(stamp);
    }

    /// Whether `peer` is a node that is known, by its own directory.
    pub fn knows(&self, peer: Peer) -> bool {
        lock(&self.0).get(&peer.node) == Some(&peer.stamp)
    }

    /// Whether `peer` bears a known node's id without being its directory.
    pub fn contradicts(&self, peer: Peer) -> bool {
        lock(&self.0).get(&peer.node).is_some_and(|stamp| *stamp != peer.stamp)
    }
}
