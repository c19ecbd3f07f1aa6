//! What must hold within one replica after every step, whatever its peers do. A failure is a bug here: stop.
//!
//! The properties of the whole group are the specification's invariants; these are the local facts that they rest on. All
//! are checked in constant time per voter, in debug builds.

use super::Replica;
use super::role::State;
use super::types::Payload;
use crate::mutants;
use quorate_spec::ids::{LogIndex, Term};

/// Committed entries are never removed.
pub(super) fn truncation(from: LogIndex, commit: LogIndex) {
    assert!(
        from > commit || mutants::any_selected(),
        "entries from {from} on would be removed, but {commit} is committed"
    );
}

/// A leader has every committed entry, so no snapshot is ahead of it (Raft paper 5.4.3).
pub(super) fn install(leader: bool) {
    assert!(!leader || mutants::any_selected(), "a leader lacks committed entries");
}

/// What may only grow, as it was before a step.
#[derive(Clone, Copy)]
pub(super) struct Before {
    term: Term,
    commit: LogIndex,
    base: LogIndex,
    mark: LogIndex,
}

impl<P: Payload> Replica<P> {
    /// To be compared with after the step.
    pub(super) fn before(&self) -> Before {
        Before { term: self.hard.term, commit: self.commit, base: self.log.base().index, mark: self.mark.last.index }
    }

    /// The local facts, after a step.
    pub(super) fn check(&self, before: Before) {
        if !cfg!(debug_assertions) || mutants::any_selected() {
            return;
        }
        let last = self.log.last_index();
        assert!(before.term <= self.hard.term, "the term went back");
        assert!(before.commit <= self.commit, "the commit index went back");
        assert!(before.base <= self.log.base().index, "the base went back");
        assert!(before.mark <= self.mark.last.index, "the snapshot went back");
        assert!(self.log.base().index <= self.mark.last.index, "entries were removed that no snapshot covers");
        assert!(self.mark.last.index <= self.commit && self.commit <= last, "the commit index is not in the log");
        assert!(self.log.last().term <= self.hard.term, "an entry of a term that has not come");
        assert!(self.outbox.is_sound(), "a promise does not rest on a pending write");
        self.check_role(last);
    }

    fn check_role(&self, last: LogIndex) {
        match &self.state {
            State::Follower => {}
            State::PreCandidate { granted } => {
                assert!(granted.contains(&self.me) && !self.heard, "asks for a pre-vote while led");
            }
            State::Candidate { .. } => {
                assert!(self.hard.voted_for == Some(self.me), "a candidate has not voted for itself");
                assert!(self.leader.is_none(), "a candidate knows a leader of its term");
            }
            State::Leader(leader) => {
                assert!(self.hard.voted_for == Some(self.me), "a leader has not voted for itself");
                assert!(self.leader == Some(self.me), "a leader follows another");
                assert!(leader.own <= last, "a leader's own copy is longer than its log");
                for (peer, progress) in &leader.progress {
                    let matched = progress.matched;
                    assert!(matched < progress.next, "{peer} matches up to {matched}, which is to be sent");
                    assert!(matched <= last, "{peer} matches up to {matched}, beyond the log");
                    assert!(progress.next <= last.next(), "{peer} is to be sent what is not there");
                }
            }
        }
    }
}
