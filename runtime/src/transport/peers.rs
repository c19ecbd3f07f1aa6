//! The ways out to all peers, as the driver holds them: one [`Link`] each, made at the first message to a known address.

use super::link::Link;
use super::{Deliver, Identity, Pins};
use quorate_core::message::Message;
use quorate_spec::ids::{NodeId, Stamp};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use tokio::runtime::Handle;

/// Sends messages to peers; never blocks, never fails, may drop.
pub struct Peers {
    identity: Arc<Identity>,
    pins: Arc<Pins>,
    deliver: Deliver,
    runtime: Handle,
    links: BTreeMap<NodeId, Arc<Link>>,
    /// Those that got messages since the last flush.
    touched: Vec<Arc<Link>>,
}

impl fmt::Debug for Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peers").field("links", &self.links).finish_non_exhaustive()
    }
}

impl Peers {
    /// No peers yet; their connections will live on `runtime`. A peer's refusal of this node goes to `deliver`.
    pub fn new(identity: Arc<Identity>, deliver: Deliver, runtime: Handle) -> Self {
        Self { identity, pins: Arc::default(), deliver, runtime, links: BTreeMap::new(), touched: Vec::new() }
    }

    /// From now on `node` is the directory `stamp` and no other.
    pub fn pin(&mut self, node: NodeId, stamp: Stamp) {
        self.pins.pin(node, stamp);
    }

    /// What is pinned, for the accepting side.
    pub fn pins(&self) -> Arc<Pins> {
        Arc::clone(&self.pins)
    }

    /// From now on `node` is at `address` (`host:port`).
    pub fn set_address(&mut self, node: NodeId, address: &str) {
        if node == self.identity.me.node {
            return;
        }
        if let Some(link) = self.links.get(&node) {
            link.set_address(address);
            return;
        }
        let link = Arc::new(Link::new(node, address.to_owned()));
        let (identity, pins) = (Arc::clone(&self.identity), Arc::clone(&self.pins));
        self.runtime.spawn(Arc::clone(&link).run(identity, pins, Arc::clone(&self.deliver)));
        self.links.insert(node, link);
    }

    /// Lets a message wait for its peer, until [`Self::flush`]. Dropped if no address of the peer is known.
    pub fn push(&mut self, to: NodeId, message: Message) {
        let Some(link) = self.links.get(&to) else {
            tracing::debug!(%to, "no address known: message dropped");
            return;
        };
        link.push(message);
        if !self.touched.iter().any(|touched| Arc::ptr_eq(touched, link)) {
            self.touched.push(Arc::clone(link));
        }
    }

    /// Has everything that waits sent.
    pub fn flush(&mut self) {
        for link in self.touched.drain(..) {
            link.wake();
        }
    }
}
