//! Replication, the follower's side: taking entries in (Raft paper 5.3).
//!
//! Entries are removed only where one of another term stands in their place, never because an append ends before them
//! (`truncate-on-any-append`) and never at or below the commit index. What is acknowledged and what may be committed is
//! what the append itself verified, not what happens to stand behind it (`commit-beyond-append`).

use super::messages::{Conflict, Message, Replication};
use super::outbox::Speech;
use super::surface::Effects;
use super::types::{Entry, LogPosition, Payload, Write};
use super::{Replica, check};
use crate::mutants::mutant;
use alloc::sync::Arc;
use alloc::vec::Vec;
use quorate_spec::action::Action;
use quorate_spec::ids::{LogIndex, NodeId, ReadContext, Term};

impl<P: Payload> Replica<P> {
    /// Appends what follows `prev`, or says where the logs may part.
    pub(super) fn handle_append(
        &mut self,
        from: NodeId,
        term: Term,
        prev: LogPosition,
        entries: Vec<Arc<Entry<P>>>,
        commit: LogIndex,
        out: &mut Effects<P>,
    ) {
        if term == self.hard.term && !self.follow(from, out) {
            return;
        }
        let conflict = if term < self.hard.term {
            Some(Conflict::Short { last: self.log.last_index() })
        } else {
            self.conflict_at(prev)
        };
        let (count, accepted) = (entries.len() as u64, conflict.is_none());
        out.labels.push(Action::HandleAppend { from, term, prev: prev.index, count, accepted });
        if let Some(conflict) = conflict {
            // What is of an old term is refused at an index that is news to nobody: should its sender come to lead this
            // term, that must not be an answer to anything that it sends in it.
            let rejected = if term == self.hard.term { prev.index } else { LogIndex::ZERO };
            let term = self.hard.term;
            self.promise(from, Speech::AppendRefused { term, rejected, conflict });
            return;
        }
        let matched = prev.index.plus(count);
        if mutant!(CompletionByIndex) && matched <= self.log.last_index() {
            self.promise(from, Speech::Appended { term, matched });
            self.take_in(prev.index.next(), entries, out);
        } else {
            self.take_in(prev.index.next(), entries, out);
            if mutant!(AckBeforeSync) {
                out.sends.push((from, Speech::Appended { term, matched }.into_message()));
            } else {
                self.promise(from, Speech::Appended { term, matched });
            }
        }
        let verified = if mutant!(CommitBeyondAppend) { self.log.last_index() } else { matched };
        self.commit_to(commit.min(verified), out);
    }

    /// Why nothing can follow `prev` in this log, if so. What is compacted is committed, so it matches every leader.
    fn conflict_at(&self, prev: LogPosition) -> Option<Conflict> {
        if prev.index < self.log.base().index {
            return None;
        }
        match self.log.term_at(prev.index) {
            None => Some(Conflict::Short { last: self.log.last_index() }),
            Some(term) if term == prev.term => None,
            Some(_) if mutant!(PrevTermUnchecked) => None,
            Some(_) if mutant!(CompactedTermZeroMatches) && prev.term == Term::ZERO => None,
            Some(term) => Some(Conflict::Term { term, first: self.log.first_of_term(term) }),
        }
    }

    /// Makes the log hold these entries from `first` on: those it has stay, and from the first that differs on they
    /// replace what was there.
    fn take_in(&mut self, first: LogIndex, mut entries: Vec<Arc<Entry<P>>>, out: &mut Effects<P>) {
        let compacted = self.log.base().index.next().since(first);
        let known = entries.iter().zip(0..).take_while(|(entry, offset)| {
            *offset < compacted || self.log.term_at(first.plus(*offset)) == Some(entry.term)
        });
        let known =
            if mutant!(DeleteThenAppendCrash) { (compacted as usize).min(entries.len()) } else { known.count() };
        entries.drain(..known);
        let first = first.plus(known as u64);
        if mutant!(TruncateOnAnyAppend) && entries.is_empty() && first <= self.log.last_index() {
            self.log.truncate(first);
            self.write(Write::Truncate { from: first }, out);
        }
        if entries.is_empty() {
            return;
        }
        if first <= self.log.last_index() {
            check::truncation(first, self.commit);
            self.log.truncate(first);
            if !mutant!(TruncateNotWritten) {
                self.write(Write::Truncate { from: first }, out);
            }
        }
        self.log.append(entries.iter().cloned());
        self.write(Write::Append { first, entries }, out);
    }

    /// The leader is alive. It names a commit position, and a read round. A heartbeat of an old term is told the new one
    /// and confirms no round: its sender may come to lead the new term, where rounds are counted anew.
    ///
    /// The leader knows from an acknowledgement that this log holds the position. A disk that lied about a sync has lost
    /// it since, and may hold what a former leader never committed there: the log itself is asked.
    pub(super) fn handle_heartbeat(
        &mut self,
        from: NodeId,
        term: Term,
        commit: LogPosition,
        read: ReadContext,
        out: &mut Effects<P>,
    ) {
        let current = term == self.hard.term;
        if current {
            if !self.follow(from, out) {
                return;
            }
            out.labels.push(Action::HandleHeartbeat { from, term });
            self.commit_if_held(commit, out);
        }
        let confirms = current || mutant!(OldRoundConfirmed);
        let (term, read) = (self.hard.term, if confirms { read } else { ReadContext::ZERO });
        out.sends.push((from, Message::Replication(Replication::HeartbeatAck { term, read })));
    }
}
