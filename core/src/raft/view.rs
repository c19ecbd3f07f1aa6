//! What the invariants may look at: a replica as the plain view of the specification.
//!
//! Built on demand, in time linear in the log. Entries appear as digests; equal content has an equal digest.

use super::Replica;
use super::role::State;
use super::types::{Durable, Entry, Payload};
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::hash::{Hash, Hasher};
use quorate_spec::ids::NodeId;
use quorate_spec::trace::After;
use quorate_spec::views::{DurableView, EntryView, LogView, ReplicaView};

/// FNV-1a with 64 bits, over words of 8 bytes: small, and the same in every process.
struct Fnv(u64);

impl Fnv {
    const fn take(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0x0100_0000_01b3);
    }
}

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks();
        words.iter().for_each(|word| self.take(u64::from_le_bytes(*word)));
        rest.iter().for_each(|byte| self.take(u64::from(*byte)));
    }
}

fn entry_view<P: Payload>(entry: &Arc<Entry<P>>) -> EntryView {
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    entry.kind.hash(&mut hasher);
    EntryView { term: entry.term, digest: hasher.finish() }
}

impl<P: Payload> Replica<P> {
    /// The replica as the invariants see it. What is committed counts as applied: the caller applies it at once.
    pub fn view(&self) -> ReplicaView {
        let matched = match &self.state {
            State::Leader(leader) => {
                let others = leader.progress.iter().map(|(peer, progress)| (*peer, progress.matched));
                others.chain([(self.me, leader.own)]).collect()
            }
            State::Follower | State::PreCandidate { .. } | State::Candidate { .. } => BTreeMap::new(),
        };
        ReplicaView {
            node: self.me,
            voters: self.mark.voters.clone(),
            term: self.hard.term,
            voted_for: self.hard.voted_for,
            role: self.role(),
            commit: self.commit,
            applied: self.commit,
            log: self.log_view(),
            matched,
        }
    }

    /// The replica as a trace tells it.
    pub fn told(&self) -> After {
        let memory = DurableView {
            node: self.me,
            term: self.hard.term,
            voted_for: self.hard.voted_for,
            log: self.log_view(),
            snapshot: self.mark.last.index,
        };
        After { memory, role: self.role(), commit: self.commit }
    }

    fn log_view(&self) -> LogView {
        LogView {
            base_index: self.log.base().index,
            base_term: self.log.base().term,
            entries: self.log.iter().map(entry_view).collect(),
        }
    }
}

impl<P: Payload> Durable<P> {
    /// What the disk of `node` holds, as the invariants see it.
    pub fn view(&self, node: NodeId) -> DurableView {
        DurableView {
            node,
            term: self.hard.term,
            voted_for: self.hard.voted_for,
            log: LogView {
                base_index: self.base.index,
                base_term: self.base.term,
                entries: self.entries.iter().map(entry_view).collect(),
            },
            snapshot: self.mark.last.index,
        }
    }
}
