//! Worlds that differ only in the names of their nodes are one state: the only hand-written `Hash` of the models.
//!
//! All replicas run the same code and compare names only for equality, so a renaming of the nodes turns every run into a
//! run. A state's key is the least, over all renamings, of the hash of the renamed state. States themselves stay as they
//! are: the actions of a counterexample name the nodes that took them.
//!
//! The hash of a renamed state is a sum over its parts, each mixed first: nodes (each holds its own name), messages (each
//! holds both ends), and what remains. A sum does not depend on the order of its parts, which the renaming changes. The
//! hashes of nodes are derived, and computed once for each different node; see `intern`. `tests` compares with searches
//! without it.

use super::intern::Shared;
use super::network::{Envelope, Network};
use super::state::{Ghost, RaftState, Spent};
use quorate_spec::ids::NodeId;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

impl Hash for RaftState {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

/// The renamings of the nodes 1 to n: each gives the new name of every node.
#[derive(Clone, Debug)]
pub(super) struct Renamings(Vec<Vec<NodeId>>);

impl Renamings {
    /// All of them, the identity first; or the identity alone.
    pub(super) fn of(nodes: u64, symmetric: bool) -> Self {
        let names: Vec<NodeId> = (1..=nodes).map(NodeId::new).collect();
        if !symmetric {
            return Self(vec![names]);
        }
        let mut all = vec![Vec::new()];
        for _ in &names {
            let longer = |some: &Vec<NodeId>| {
                let free = names.iter().filter(|name| !some.contains(name));
                free.map(|name| some.iter().chain([name]).copied().collect()).collect::<Vec<_>>()
            };
            all = all.iter().flat_map(longer).collect();
        }
        Self(all)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// A derived hash of a part under each renaming.
    pub(super) fn hashes<T: Hash>(&self, renamed: impl Fn(&dyn Fn(NodeId) -> NodeId) -> T) -> Vec<u64> {
        let hash = |names: &Vec<NodeId>| {
            let mut hasher = DefaultHasher::new();
            renamed(&|node: NodeId| names[node.get() as usize - 1]).hash(&mut hasher);
            mixed(hasher.finish())
        };
        self.0.iter().map(hash).collect()
    }

    /// The hash of a message under each renaming: what it says names no nodes.
    pub(super) fn of_envelope<'a>(&'a self, envelope: &'a Envelope) -> impl Iterator<Item = u64> + 'a {
        let ends = |names: &[NodeId]| {
            let name = |node: NodeId| names[node.get() as usize - 1].get();
            name(envelope.from) * 16 + name(envelope.to)
        };
        self.0.iter().map(move |names| mixed(envelope.body ^ mixed(ends(names))))
    }

    /// A state's key.
    pub(super) fn key(
        &self,
        nodes: &[Arc<Shared>],
        network: &Network,
        ghost: &Ghost,
        spent: Spent,
        violated: bool,
    ) -> u64 {
        let mut hasher = DefaultHasher::new();
        (spent, violated).hash(&mut hasher);
        let rest = hasher.finish();
        let key = |renaming: usize| {
            let nodes = nodes.iter().fold(0_u64, |sum, node| sum.wrapping_add(node.hashes[renaming]));
            let parts = mixed(nodes).wrapping_add(network.sums[renaming].rotate_left(17));
            mixed(mixed(parts) ^ ghost.hashes[renaming] ^ rest)
        };
        (0..self.len()).map(key).min().unwrap_or_default()
    }
}

/// Spreads every bit of a number over all of it (the finisher of SplitMix64).
const fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
