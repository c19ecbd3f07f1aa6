//! What a checker needs to see that two worlds are one world: nodes under other names, writes under other numbers, and
//! hints that nothing will ever ask for.
//!
//! Nothing here is used by a driver. A replica decides by comparing names, never by their order, so a replica under other
//! names does the same under them; and it compares numbers of writes only with each other.

use super::Replica;
use super::progress::Flow;
use super::role::State;
use super::types::{HardState, Payload};
use alloc::collections::BTreeSet;
use quorate_spec::ids::NodeId;

/// What a checker may make a replica forget, because the world that it explores never asks for it again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Hints {
    /// That a leader was heard of: only the answer to a pre-vote depends on it.
    pub heard: bool,
    /// Who a follower takes for its leader: only refusals to clients and the end of a snapshot depend on it.
    pub leader: bool,
    /// Which followers a leader heard of lately: only the check of the quorum and compaction depend on it.
    pub recent: bool,
    /// For how many heartbeats a chunk went unanswered: only its repetition depends on it.
    pub repeats: bool,
}

impl<P: Payload> Replica<P> {
    /// This replica in a world whose nodes bear other names. `name` maps the voters onto themselves, one to one.
    pub fn renamed(&self, name: &impl Fn(NodeId) -> NodeId) -> Self {
        let all = |nodes: &BTreeSet<NodeId>| nodes.iter().map(|node| name(*node)).collect();
        let state = match &self.state {
            State::Follower => State::Follower,
            State::PreCandidate { granted } => State::PreCandidate { granted: all(granted) },
            State::Candidate { votes } => State::Candidate { votes: all(votes) },
            State::Leader(leader) => {
                let mut leader = leader.clone();
                leader.progress = leader.progress.into_iter().map(|(node, progress)| (name(node), progress)).collect();
                leader.transfer = leader.transfer.map(name);
                State::Leader(leader)
            }
        };
        Self {
            me: name(self.me),
            hard: HardState { term: self.hard.term, voted_for: self.hard.voted_for.map(name) },
            state,
            leader: self.leader.map(name),
            outbox: self.outbox.renamed(name),
            limits: self.limits.clone(),
            mark: self.mark.clone(),
            log: self.log.clone(),
            commit: self.commit,
            heard: self.heard,
            writing: self.writing.clone(),
            incoming: self.incoming.clone(),
        }
    }

    /// Counts writes from the last one that is synced. Returns the number that became 0.
    pub fn renumber_writes(&mut self) -> u64 {
        self.outbox.renumber()
    }

    /// Forgets hints, and that the same was promised twice: in a world that repeats messages anyway, a repeated request
    /// to a slow disk would be answered any number of times.
    pub fn forget(&mut self, hints: Hints) {
        self.outbox.forget_repeats();
        self.heard &= !hints.heard;
        let State::Leader(leader) = &mut self.state else {
            self.leader = self.leader.filter(|_| !hints.leader);
            return;
        };
        for progress in leader.progress.values_mut() {
            progress.recent &= !hints.recent;
            if hints.repeats
                && let Flow::Snapshot { sending: Some(sending) } = &mut progress.flow
            {
                sending.forget_repeats();
            }
        }
    }
}
