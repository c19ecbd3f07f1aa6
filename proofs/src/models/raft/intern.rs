//! One copy of each different node, and one execution of each different step of one.
//!
//! Millions of states are made of some thousands of different nodes. Each is kept once, with its views and its hashes, and
//! states share it. What a node does with an input depends on nothing but itself and the input (that is what sans-IO
//! means), so it is done once and remembered. Neither changes what is explored: the key is the whole content.

use super::actions::Deed;
use super::local::{Local, Manner, Told};
use super::network::Envelope;
use super::symmetry::Renamings;
use quorate_core::raft::Message;
use quorate_spec::Violation;
use quorate_spec::ids::NodeId;
use quorate_spec::invariants;
use quorate_spec::views::{DurableView, ReplicaView};
use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash};
use std::sync::{Arc, Mutex};

/// A node with what everybody asks about it.
#[derive(Clone, Debug)]
pub struct Shared {
    /// The node.
    pub local: Local,
    /// Its replica, as the invariants see it.
    pub view: ReplicaView,
    /// Its disk, as the invariants see it.
    pub disk: DurableView,
    /// What is wrong with it by itself.
    pub(super) violation: Option<Violation>,
    /// Its derived hash under each renaming.
    pub(super) hashes: Vec<u64>,
}

/// There is one copy of each, so it is compared by its content or, sooner, by its address.
impl PartialEq for Shared {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other) || self.local == other.local
    }
}

/// What a step of one node led to.
#[derive(Debug)]
pub(super) struct Done {
    /// The node after it.
    pub(super) after: Arc<Shared>,
    /// Messages that left.
    pub(super) sends: Vec<Arc<Envelope>>,
    /// What else others see.
    pub(super) told: Told,
    /// Whether the node changed.
    pub(super) changed: bool,
    /// Whether its views changed, so that the group has to be judged anew.
    pub(super) shows: bool,
    /// What is wrong with the step, or with the node after it.
    pub(super) violation: Option<Violation>,
}

type Fixed = BuildHasherDefault<DefaultHasher>;
type Shards<K, V> = Vec<Mutex<HashMap<K, V, Fixed>>>;

/// Locks are held for a look-up only; there are many, so that threads seldom meet at one.
const SHARDS: usize = 128;

/// The nodes and steps met so far.
#[derive(Debug)]
pub(super) struct Tables {
    nodes: Shards<Local, Arc<Shared>>,
    envelopes: Shards<(NodeId, NodeId, Message<super::payload::Byte>), Arc<Envelope>>,
    steps: Shards<(usize, (u8, u64), bool), Arc<Done>>,
}

fn shards<K, V>() -> Shards<K, V> {
    (0..SHARDS).map(|_| Mutex::default()).collect()
}

fn shard<'a, K: Hash, V>(shards: &'a Shards<K, V>, key: &K) -> &'a Mutex<HashMap<K, V, Fixed>> {
    &shards[Fixed::default().hash_one(key) as usize % SHARDS]
}

/// The value of a key; made without holding a lock, so that a panic while making it breaks nothing.
fn get_or<K: Hash + Eq + Clone, V: Clone>(shards: &Shards<K, V>, key: &K, make: impl FnOnce() -> V) -> V {
    let shard = shard(shards, key);
    if let Some(known) = shard.lock().expect("no thread panics in a look-up").get(key) {
        return known.clone();
    }
    let made = make();
    shard.lock().expect("no thread panics in a look-up").entry(key.clone()).or_insert(made).clone()
}

impl Tables {
    pub(super) fn new() -> Self {
        Self { nodes: shards(), envelopes: shards(), steps: shards() }
    }

    /// The one copy of a node.
    pub(super) fn node(&self, local: Local, renamings: &Renamings) -> Arc<Shared> {
        get_or(&self.nodes, &local, || {
            let view = local.replica.view();
            Arc::new(Shared {
                hashes: renamings.hashes(|name| local.renamed(&name)),
                violation: invariants::local(&view).err(),
                disk: local.disk.view(local.replica.me()),
                view,
                local: local.clone(),
            })
        })
    }

    /// The one copy of a message.
    pub(super) fn envelope(&self, from: NodeId, to: NodeId, message: &Message<super::payload::Byte>) -> Arc<Envelope> {
        let key = (from, to, message.clone());
        get_or(&self.envelopes, &key, || Arc::new(Envelope::new(from, to, message.clone())))
    }

    /// What a node does.
    pub(super) fn done(
        &self,
        before: &Arc<Shared>,
        deed: &Deed,
        at_once: bool,
        manner: &Manner,
        renamings: &Renamings,
        lost: impl Fn(&Message<super::payload::Byte>) -> bool,
    ) -> Arc<Done> {
        // The table of nodes keeps every node for ever, so its address names it.
        let key = (Arc::as_ptr(before) as usize, deed.key(), at_once);
        get_or(&self.steps, &key, || {
            let (local, told) = deed.act(&before.local, at_once, manner);
            let after = self.node(local, renamings);
            let from = after.local.replica.me();
            let kept = told.sends.iter().filter(|(_, message)| !lost(message));
            let sends = kept.map(|(to, message)| self.envelope(from, *to, message)).collect();
            let changed = !Arc::ptr_eq(before, &after);
            let stepped = || invariants::step(&before.view, &after.view).err().filter(|_| !deed.is_crash());
            Arc::new(Done {
                sends,
                changed,
                shows: before.view != after.view || before.disk != after.disk,
                violation: told.violation.clone().or_else(|| after.violation.clone()).or_else(stepped),
                after,
                told,
            })
        })
    }
}
