//! Replication, the leader's side: appending, sending, counting (Raft paper 5.3 and 5.4.2).
//!
//! A leader's appends may run ahead of its own disk; its own copy counts only when it is synced. It commits by counting
//! copies of entries of its own term only (`figure-8`), and never sends across its compacted log: a follower that needs
//! what is compacted gets a snapshot (`empty-append-instead-of-snapshot`).

use super::Replica;
use super::log::entry_bytes;
use super::messages::{Conflict, Message, Replication};
use super::outbox::Promise;
use super::progress::{Flow, Progress};
use super::reads::Reads;
use super::role::{Leadership, State};
use super::surface::{Effects, Proposed, Timer, TimerChange};
use super::types::{Entry, EntryKind, LogPosition, Payload, Write};
use crate::mutants::mutant;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use quorate_spec::action::Action;
use quorate_spec::ids::{LogIndex, NodeId, Term};

impl<P: Payload> Replica<P> {
    /// A quorum voted: leads its term, beginning with an empty entry of it, without which nothing could be committed
    /// (`restart-livelock`) and nothing could be read.
    pub(super) fn become_leader(&mut self, out: &mut Effects<P>) {
        let next = self.log.last_index().next();
        out.labels.push(Action::BecomeLeader { term: self.hard.term });
        self.state = State::Leader(Box::new(Leadership {
            progress: self.peers().into_iter().map(|peer| (peer, Progress::unknown(next))).collect(),
            own: LogIndex::ZERO,
            uncommitted: 0,
            batches: VecDeque::new(),
            reads: Reads::default(),
            transfer: None,
        }));
        self.leader = Some(self.me);
        out.timers.extend([
            TimerChange::Disarm(Timer::Election),
            TimerChange::Arm(Timer::Heartbeat),
            TimerChange::Arm(Timer::CheckQuorum),
        ]);
        if !mutant!(RestartLivelock) {
            self.append_own(vec![Arc::new(Entry { term: self.hard.term, kind: EntryKind::Noop })], out);
        }
    }

    /// Appends the clients' commands, in order, as far as the quota of uncommitted bytes goes.
    pub(super) fn propose(&mut self, payloads: Vec<P>, out: &mut Effects<P>) {
        let State::Leader(leader) = &self.state else {
            out.proposed = Some(Proposed::NotLeader { leader: self.leader });
            return;
        };
        if let Some(to) = leader.transfer {
            out.proposed = Some(Proposed::NotLeader { leader: Some(to) });
            return;
        }
        let unsynced = leader.own.max(self.commit).next();
        if mutant!(LeaderCutsOwnLog) && unsynced <= self.log.last_index() {
            self.log.truncate(unsynced);
            self.write(Write::Truncate { from: unsynced }, out);
        }
        let State::Leader(leader) = &self.state else { return };
        let (term, first) = (self.hard.term, self.log.last_index().next());
        let mut uncommitted = leader.uncommitted;
        let mut entries = Vec::with_capacity(payloads.len());
        for payload in payloads {
            let entry = Entry { term, kind: EntryKind::Command(payload) };
            let bytes = entry_bytes(&entry);
            if uncommitted > 0 && uncommitted + bytes > self.limits.uncommitted_bytes {
                break;
            }
            uncommitted += bytes;
            entries.push(Arc::new(entry));
        }
        out.proposed = Some(Proposed::Accepted { term, first, count: entries.len() });
        if !entries.is_empty() {
            out.labels.push(Action::Propose { term, first, count: entries.len() as u64 });
            if mutant!(ProposalAppendedTwice) {
                self.append_own(entries.clone(), out);
            }
            self.append_own(entries, out);
        }
    }

    /// Adds entries of its term to the leader's log: one write, its own acknowledgement held until it is synced, and an
    /// append to every follower that has room for one.
    fn append_own(&mut self, entries: Vec<Arc<Entry<P>>>, out: &mut Effects<P>) {
        let first = self.log.last_index().next();
        if let State::Leader(leader) = &mut self.state {
            let bytes = entries.iter().map(|entry| entry_bytes(entry)).sum();
            leader.uncommitted += bytes;
            leader.batches.push_back((self.log.last_index().plus(entries.len() as u64), bytes));
        }
        self.log.append(entries.iter().cloned());
        self.write(Write::Append { first, entries }, out);
        self.outbox.hold(Promise::OwnAppend { term: self.hard.term, index: self.log.last_index() });
        if mutant!(LeaderCountsItselfUnsynced) {
            self.count_own_copy(self.hard.term, self.log.last_index(), out);
        }
        for to in self.peers() {
            self.send_appends(to, out);
        }
    }

    /// Sends `to` all that its window has room for: the next entries, or one probe. What it would need from below the
    /// base is not there to send: it gets a snapshot.
    pub(super) fn send_appends(&mut self, to: NodeId, out: &mut Effects<P>) {
        let State::Leader(leader) = &mut self.state else { return };
        let Some(progress) = leader.progress.get_mut(&to) else {
            return;
        };
        while progress.may_send(self.limits.inflight_appends, self.log.last_index()) {
            let index = progress.next.prev();
            let base = self.log.base().index;
            let (index, term, from) = match self.log.term_at(index) {
                Some(term) => (index, term, progress.next),
                None if mutant!(EmptyAppendInsteadOfSnapshot) => (LogIndex::ZERO, Term::ZERO, base.next()),
                None => {
                    progress.flow = Flow::Snapshot { sending: None };
                    out.image_wanted = true;
                    return;
                }
            };
            // Term 0 also stands for what is compacted, the base included.
            let term = if mutant!(CompactedTermZeroMatches) && index == base { Term::ZERO } else { term };
            let entries = self.log.slice(from, self.limits.append_bytes);
            let count = entries.len() as u64;
            progress.sent(count);
            let (prev, commit) = (LogPosition { term, index }, self.commit);
            out.labels.push(Action::SendAppend { to, prev: index, count });
            let append = Replication::Append { term: self.hard.term, prev, entries, commit };
            out.sends.push((to, Message::Replication(append)));
        }
    }

    /// A heartbeat passed: whatever is on its way to `to` may be lost. An append without entries after the last one sent
    /// finds out: an acknowledgement tells that all arrived, a refusal what to send again. Nothing is repeated unasked.
    pub(super) fn probe(&mut self, to: NodeId, out: &mut Effects<P>) {
        let State::Leader(leader) = &mut self.state else { return };
        let Some(progress) = leader.progress.get_mut(&to) else {
            return;
        };
        match &mut progress.flow {
            Flow::Replicate { inflight } if inflight.is_empty() => return,
            Flow::Probe { .. } | Flow::Replicate { .. } => {}
            Flow::Snapshot { sending: None } => {
                out.image_wanted = true;
                return;
            }
            Flow::Snapshot { sending: Some(sending) } => {
                if sending.is_overdue() {
                    self.send_chunk(to, out);
                }
                return;
            }
        }
        let index = progress.next.prev();
        let Some(term) = self.log.term_at(index) else {
            progress.flow = Flow::Snapshot { sending: None };
            out.image_wanted = true;
            return;
        };
        let (prev, entries, commit) = (LogPosition { term, index }, Vec::new(), self.commit);
        out.labels.push(Action::SendAppend { to, prev: index, count: 0 });
        let append = Replication::Append { term: self.hard.term, prev, entries, commit };
        out.sends.push((to, Message::Replication(append)));
    }

    /// A follower's durable log matches up to `matched`.
    pub(super) fn handle_appended(&mut self, from: NodeId, term: Term, matched: LogIndex, out: &mut Effects<P>) {
        if self.progress_of(from, term).is_some() && matched <= self.log.last_index() {
            out.labels.push(Action::HandleAppendReply { from, term, matched, accepted: true });
            self.count_copy(from, matched, out);
        }
    }

    /// Counts a follower's copy of the log up to `matched`, and goes on from there.
    pub(super) fn count_copy(&mut self, from: NodeId, matched: LogIndex, out: &mut Effects<P>) {
        let (term, base) = (self.hard.term, self.log.base().index);
        if let Some(progress) = self.progress_of(from, term) {
            progress.acknowledged(matched, base);
            out.image_wanted |= progress.wants_image();
            self.advance_commit(out);
            self.send_appends(from, out);
            self.complete_transfer(out);
            self.purge_kept(out);
        }
    }

    /// A follower's log does not hold what the append was to follow: back to where the logs may part, a whole term at a
    /// time.
    pub(super) fn handle_append_refused(
        &mut self,
        from: NodeId,
        term: Term,
        rejected: LogIndex,
        conflict: Conflict,
        out: &mut Effects<P>,
    ) {
        if rejected > self.log.last_index() {
            return;
        }
        if mutant!(CommitOnNack) {
            return self.count_copy(from, rejected, out);
        }
        let next = match conflict {
            Conflict::Short { last } => last.min(rejected).next(),
            Conflict::Term { term, first } => self.log.last_of_term(term).map_or(first, LogIndex::next),
        };
        let Some(progress) = self.progress_of(from, term) else {
            return;
        };
        if !progress.is_news(rejected) {
            return;
        }
        progress.back_to(next, rejected);
        let matched = progress.matched;
        out.labels.push(Action::HandleAppendReply { from, term, matched, accepted: false });
        self.send_appends(from, out);
    }

    /// The leader's own log is durable up to `index`, as of `term`.
    pub(super) fn count_own_copy(&mut self, term: Term, index: LogIndex, out: &mut Effects<P>) {
        if term != self.hard.term {
            return;
        }
        if let State::Leader(leader) = &mut self.state {
            leader.own = leader.own.max(index);
            self.advance_commit(out);
            self.free_quota();
        }
    }

    /// Commits what a quorum has durably, if it ends in an entry of the own term (Raft paper 5.4.2, figure 8).
    fn advance_commit(&mut self, out: &mut Effects<P>) {
        let State::Leader(leader) = &self.state else { return };
        let others = leader.progress.values().map(|progress| progress.matched);
        let held = self.quorum_th(others.chain([leader.own]).collect());
        if held > self.commit && (mutant!(Figure8) || self.log.term_at(held) == Some(self.hard.term)) {
            self.commit_to(held, out);
            self.open_waiting_reads(out);
        }
    }

    /// Moves the commit index forward to `index`, which is in the log, and hands out what that commits.
    pub(super) fn commit_to(&mut self, index: LogIndex, out: &mut Effects<P>) {
        if index <= self.commit {
            if mutant!(CommitRegress) {
                self.commit = index.max(self.log.base().index);
            }
            return;
        }
        out.labels.push(Action::AdvanceCommit { index });
        while self.commit < index {
            self.commit = self.commit.next();
            let entry = self.log.get(self.commit).expect("what is committed is in the log");
            out.labels.push(Action::Apply { index: self.commit, term: entry.term });
            out.committed.push((self.commit, Arc::clone(entry)));
        }
        self.incoming.take_if(|incoming| incoming.mark.last.index <= index);
        self.free_quota();
    }

    /// Gives back to the quota what is committed and durable here.
    fn free_quota(&mut self) {
        let State::Leader(leader) = &mut self.state else { return };
        let settled = self.commit.min(leader.own);
        while let Some((_, bytes)) = leader.batches.pop_front_if(|(last, _)| *last <= settled) {
            leader.uncommitted -= bytes;
        }
    }

    /// The progress of a follower, if this replica leads `term`.
    pub(super) fn progress_of(&mut self, node: NodeId, term: Term) -> Option<&mut Progress<P>> {
        match &mut self.state {
            State::Leader(leader) if term == self.hard.term => leader.progress.get_mut(&node),
            State::Leader(_) | State::Follower | State::PreCandidate { .. } | State::Candidate { .. } => None,
        }
    }
}
