//! What the invariants may look at: a replica as the plain view of the specification.
//!
//! Built on demand, in time linear in the log. Entries appear as digests; equal content has an equal digest.

use super::Replica;
use super::role::State;
use super::types::{Durable, Entry, LogPosition, Payload};
use crate::digest::digest_of;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use quorate_spec::ids::{LogIndex, NodeId};
use quorate_spec::trace::After;
use quorate_spec::views::{DurableView, EntryView, LogView, ReplicaView};

fn entry_view<P: Payload>(entry: &Arc<Entry<P>>) -> EntryView {
    EntryView { term: entry.term, digest: digest_of(&entry.kind) }
}

impl<P: Payload> Replica<P> {
    /// The replica as the invariants see it. What is committed counts as applied: the caller applies it at once.
    pub fn view(&self) -> ReplicaView {
        self.view_after(LogIndex::ZERO)
    }

    /// The same, as if its log were compacted up to `index`, or as far below as it is committed: in time linear in the
    /// rest.
    pub fn view_after(&self, index: LogIndex) -> ReplicaView {
        let base = index.min(self.commit).min(self.log.last_index()).max(self.log.base().index);
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
            log: self.log_view(base),
            matched,
        }
    }

    /// The replica as a trace tells it.
    pub fn told(&self) -> After {
        let memory = DurableView {
            node: self.me,
            term: self.hard.term,
            voted_for: self.hard.voted_for,
            log: self.log_view(self.log.base().index),
            snapshot: self.mark.last.index,
        };
        After { memory, role: self.role(), commit: self.commit }
    }

    fn log_view(&self, base: LogIndex) -> LogView {
        LogView {
            base_index: base,
            base_term: self.log.position(base).term,
            entries: self.log.iter_after(base).map(entry_view).collect(),
        }
    }
}

impl<P: Payload> Durable<P> {
    /// What the disk of `node` holds, as the invariants see it.
    pub fn view(&self, node: NodeId) -> DurableView {
        self.view_after(node, LogIndex::ZERO)
    }

    /// The same, as if a snapshot covered the log up to `index`, or as far below as it goes: in time linear in the rest.
    pub fn view_after(&self, node: NodeId, index: LogIndex) -> DurableView {
        let below = index.since(self.base.index).min(self.entries.len() as u64) as usize;
        let base = match below {
            0 => self.base,
            _ => LogPosition { index: self.base.index.plus(below as u64), term: self.entries[below - 1].term },
        };
        let snapshot = if below == 0 { self.mark.last.index } else { self.mark.last.index.max(base.index) };
        DurableView {
            node,
            term: self.hard.term,
            voted_for: self.hard.voted_for,
            log: LogView {
                base_index: base.index,
                base_term: base.term,
                entries: self.entries[below..].iter().map(entry_view).collect(),
            },
            snapshot,
        }
    }
}
