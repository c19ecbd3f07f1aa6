//! The network: every message that was ever sent and can still matter, as a set that only grows.
//!
//! A message stays when it is delivered, so it may come again; it may come at any time, so in any order; and it may never
//! come, which is its loss. Nothing else has to be explored for messages to be lost, repeated, delayed and reordered.

use super::payload::Byte;
use quorate_core::raft::Message;
use quorate_spec::ids::NodeId;
use serde::{Deserialize, Serialize};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// A message on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Parts", into = "Parts")]
pub struct Envelope {
    /// The sender.
    pub from: NodeId,
    /// The receiver.
    pub to: NodeId,
    /// What it says. It names no nodes.
    pub message: Message<Byte>,
    /// The hash of what it says.
    pub(super) body: u64,
}

/// An envelope as trace files hold it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename = "Envelope")]
struct Parts {
    from: NodeId,
    to: NodeId,
    message: Message<Byte>,
}

impl From<Parts> for Envelope {
    fn from(Parts { from, to, message }: Parts) -> Self {
        Self::new(from, to, message)
    }
}

impl From<Envelope> for Parts {
    fn from(Envelope { from, to, message, body: _ }: Envelope) -> Self {
        Self { from, to, message }
    }
}

impl Envelope {
    /// A message from one node to another.
    pub fn new(from: NodeId, to: NodeId, message: Message<Byte>) -> Self {
        let mut hasher = DefaultHasher::new();
        message.hash(&mut hasher);
        Self { from, to, message, body: hasher.finish() }
    }

    /// Where it stands among others.
    const fn place(&self) -> (NodeId, NodeId, u64) {
        (self.to, self.from, self.body)
    }
}

/// The set, ordered by receiver and sender; shared between states that differ elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    envelopes: Vec<Arc<Envelope>>,
    /// Under each renaming of the nodes, the sum of the hashes: see `symmetry`.
    pub(super) sums: Vec<u64>,
}

impl Network {
    /// A network without messages, in a world with so many renamings.
    pub(super) fn empty(renamings: usize) -> Self {
        Self { envelopes: Vec::new(), sums: vec![0; renamings] }
    }

    /// All messages, those to the first node first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Envelope>> {
        self.envelopes.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.envelopes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.envelopes.is_empty()
    }

    /// Whether this very message is in it.
    pub fn contains(&self, envelope: &Envelope) -> bool {
        self.place(envelope).is_ok()
    }

    /// Adds a message; `hashes` are its hashes under each renaming. Returns whether it is new.
    pub(super) fn insert(&mut self, envelope: &Arc<Envelope>, hashes: impl Iterator<Item = u64>) -> bool {
        let Err(place) = self.place(envelope) else { return false };
        self.envelopes.insert(place, Arc::clone(envelope));
        self.sums.iter_mut().zip(hashes).for_each(|(sum, hash)| *sum = sum.wrapping_add(hash));
        true
    }

    /// Takes out a message; `hashes` as when it was added.
    pub(super) fn remove(&mut self, envelope: &Envelope, hashes: impl Iterator<Item = u64>) {
        if let Ok(place) = self.place(envelope) {
            self.envelopes.remove(place);
            self.sums.iter_mut().zip(hashes).for_each(|(sum, hash)| *sum = sum.wrapping_sub(hash));
        }
    }

    /// The copy of a message that is in it.
    pub(super) fn copy_of(&self, envelope: &Envelope) -> Option<Arc<Envelope>> {
        self.place(envelope).ok().map(|place| Arc::clone(&self.envelopes[place]))
    }

    /// Two different messages with one hash would be taken for one; they are as unlikely as two states with one.
    fn place(&self, envelope: &Envelope) -> Result<usize, usize> {
        self.envelopes.binary_search_by_key(&envelope.place(), |other| other.place())
    }
}
