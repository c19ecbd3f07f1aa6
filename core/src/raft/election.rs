//! Elections: who may lead (Raft paper 5.2 and 5.4.1; dissertation 9.6 for the pre-vote, 3.10 for the transfer).
//!
//! A vote, a refusal and a request for votes are promises: they leave through the outbox. A pre-vote and its answers bind
//! nobody and go at once; they change nothing durable.

use super::Replica;
use super::messages::{Election, Message};
use super::outbox::{Promise, Speech};
use super::role::State;
use super::surface::{Effects, Timer, TimerChange};
use super::types::{HardState, LogPosition, Payload, Write};
use crate::mutants::mutant;
use alloc::collections::BTreeSet;
use quorate_spec::action::Action;
use quorate_spec::ids::{NodeId, Term};

impl<P: Payload> Replica<P> {
    /// The election timer fired: whoever led is not believed in any more, and this node asks whether it could win.
    pub(super) fn election_timeout(&mut self, out: &mut Effects<P>) {
        if self.is_leader() || !self.voters().contains(&self.me) {
            return;
        }
        self.leader = None;
        self.heard = false;
        self.start_pre_vote(out);
    }

    fn start_pre_vote(&mut self, out: &mut Effects<P>) {
        let (term, last) = (self.hard.term.next(), self.log.last());
        out.labels.push(Action::StartPreVote { term });
        self.state = State::PreCandidate { granted: BTreeSet::from([self.me]) };
        for to in self.peers() {
            out.sends.push((to, Message::Election(Election::PreVote { term, last })));
        }
        out.timers.push(TimerChange::Arm(Timer::Election));
        self.tally_pre_votes(out);
    }

    /// Could the asker win? Not while a leader is alive, not with a shorter log, not in a term that is over here.
    pub(super) fn handle_pre_vote(&mut self, from: NodeId, term: Term, last: LogPosition, out: &mut Effects<P>) {
        let led = self.heard || self.is_leader();
        let granted = !led && term > self.hard.term && self.is_up_to_date(last);
        let answer =
            if granted { Election::PreVoteGranted { term } } else { Election::PreVoteRefused { term: self.hard.term } };
        out.labels.push(Action::HandlePreVote { from, term, granted });
        out.sends.push((from, Message::Election(answer)));
        if mutant!(PrevoteResetsVote) && self.hard.voted_for.is_some() {
            self.write(Write::HardState(HardState { voted_for: None, ..self.hard }), out);
        }
    }

    /// A grant counts for the term that was asked about, and never as a vote (`prevote-reply-as-vote`).
    pub(super) fn handle_pre_vote_granted(&mut self, from: NodeId, term: Term, out: &mut Effects<P>) {
        if mutant!(PrevoteReplyAsVote) {
            self.count_vote(from, term, out);
        }
        let asked = self.hard.term.next();
        if let State::PreCandidate { granted } = &mut self.state
            && term == asked
        {
            granted.insert(from);
            out.labels.push(Action::HandlePreVoteReply { from, term, granted: true });
            self.tally_pre_votes(out);
        }
    }

    /// A refusal of a higher term has already made this node a follower in it (`prevote-ignores-higher-term`).
    pub(super) fn handle_pre_vote_refused(&mut self, from: NodeId, term: Term, out: &mut Effects<P>) {
        if matches!(self.state, State::PreCandidate { .. }) {
            out.labels.push(Action::HandlePreVoteReply { from, term, granted: false });
        }
    }

    fn tally_pre_votes(&mut self, out: &mut Effects<P>) {
        if let State::PreCandidate { granted } = &self.state
            && granted.len() >= self.quorum()
        {
            self.start_election(out);
        }
    }

    /// Enters the next term with a vote for itself: both in one write. What it asks of others, and its own vote, rest on
    /// that write and on every write before it, because the request advertises the whole log.
    fn start_election(&mut self, out: &mut Effects<P>) {
        self.clear_vote(out);
        self.hard = HardState { term: self.hard.term.next(), voted_for: Some(self.me) };
        self.state = State::Candidate { votes: BTreeSet::new() };
        self.leader = None;
        self.heard = false;
        let (term, last) = (self.hard.term, self.log.last());
        out.labels.push(Action::StartElection { term });
        let vote = self.hard.voted_for.filter(|_| !mutant!(NoSelfVoteRecord));
        self.write(Write::HardState(HardState { term, voted_for: vote }), out);
        self.outbox.hold(Promise::OwnVote { term });
        for to in self.peers() {
            if mutant!(RequestVoteBeforeSync) {
                out.sends.push((to, Speech::RequestVote { term, last }.into_message()));
            } else {
                self.promise(to, Speech::RequestVote { term, last });
            }
        }
        out.timers.push(TimerChange::Arm(Timer::Election));
    }

    /// The vote of a term goes with the term, in one write; the mutant `vote-nonatomic` takes it away first.
    fn clear_vote(&mut self, out: &mut Effects<P>) {
        if mutant!(VoteNonatomic) {
            self.write(Write::HardState(HardState { voted_for: None, ..self.hard }), out);
        }
    }

    /// Votes once per term, and only for a log at least as up to date as its own: by last term, then by length.
    pub(super) fn handle_request_vote(&mut self, from: NodeId, term: Term, last: LogPosition, out: &mut Effects<P>) {
        let free = self.hard.voted_for.is_none_or(|node| node == from);
        let granted = term == self.hard.term && free && !self.is_leader() && self.is_up_to_date(last);
        let granted = granted || (mutant!(LeaderGrantsVote) && term == self.hard.term && self.is_leader());
        out.labels.push(Action::HandleRequestVote { from, term, granted });
        if !granted {
            self.promise(from, Speech::VoteRefused { term: self.hard.term });
            return;
        }
        if self.hard.voted_for.is_none() {
            self.hard.voted_for = Some(from);
            self.write(Write::HardState(self.hard), out);
        }
        // A pre-candidate that has given its vote away must not disturb the election that it helps.
        self.state = State::Follower;
        if mutant!(VoteBeforeSync) {
            out.sends.push((from, Speech::VoteGranted { term }.into_message()));
        } else {
            self.promise(from, Speech::VoteGranted { term });
        }
        out.timers.push(TimerChange::Arm(Timer::Election));
    }

    /// Whether a log that ends at `last` is at least as up to date as this one: by last term, then by length.
    fn is_up_to_date(&self, last: LogPosition) -> bool {
        let mine = self.log.last();
        if mutant!(LogUpToDateByLength) {
            return last.index >= mine.index;
        }
        if mutant!(LastlogVectorCompare) {
            return last.term >= mine.term && last.index >= mine.index;
        }
        last >= mine
    }

    /// Only votes of the candidate's own term count, each voter once.
    pub(super) fn handle_vote_granted(&mut self, from: NodeId, term: Term, out: &mut Effects<P>) {
        let term = if mutant!(StaleVoteReply) { self.hard.term } else { term };
        if term == self.hard.term && matches!(self.state, State::Candidate { .. }) {
            out.labels.push(Action::HandleVoteReply { from, term, granted: true });
            self.count_vote(from, term, out);
        }
    }

    /// A refusal in the candidate's own term changes nothing.
    pub(super) fn handle_vote_refused(&mut self, from: NodeId, term: Term, out: &mut Effects<P>) {
        if term == self.hard.term && matches!(self.state, State::Candidate { .. }) {
            out.labels.push(Action::HandleVoteReply { from, term, granted: false });
        }
    }

    /// Counts a durable vote of `term`, the own one included.
    pub(super) fn count_vote(&mut self, from: NodeId, term: Term, out: &mut Effects<P>) {
        let quorum = self.quorum();
        if let State::Candidate { votes } = &mut self.state
            && term == self.hard.term
        {
            let known = !votes.insert(from);
            let twice = usize::from(known && mutant!(DuplicateVoteCounted));
            if votes.len() + twice >= quorum {
                self.become_leader(out);
            }
        }
    }

    /// The leader wants this node to lead: it campaigns at once, without asking first.
    pub(super) fn handle_timeout_now(&mut self, from: NodeId, term: Term, out: &mut Effects<P>) {
        if term == self.hard.term && matches!(self.state, State::Follower) {
            out.labels.push(Action::HandleTimeoutNow { from, term });
            self.start_election(out);
        }
    }

    /// Follows in `term`, at least its own: forgets its role, its leader and, in a newer term, its vote. Whatever it
    /// promises in this term rests on the write of it.
    pub(super) fn step_down(&mut self, term: Term, out: &mut Effects<P>) {
        out.labels.push(Action::StepDown { term });
        if term > self.hard.term {
            self.clear_vote(out);
            self.hard = HardState { term, voted_for: None };
            self.write(Write::HardState(self.hard), out);
        }
        if let State::Leader(leader) = &self.state {
            let unsynced = leader.own.max(self.commit).next();
            if mutant!(UnsyncedDroppedAtStepDown) && unsynced <= self.log.last_index() {
                self.log.truncate(unsynced);
                self.write(Write::Truncate { from: unsynced }, out);
            }
            out.stepped_down = true;
            out.timers.extend([
                TimerChange::Disarm(Timer::Heartbeat),
                TimerChange::Disarm(Timer::CheckQuorum),
                TimerChange::Arm(Timer::Election),
            ]);
        }
        self.state = State::Follower;
        self.leader = None;
        self.heard = false;
    }

    /// A leader of this term speaks. Returns whether to listen: a leader does not follow another one of its own term.
    pub(super) fn follow(&mut self, leader: NodeId, out: &mut Effects<P>) -> bool {
        if self.is_leader() {
            return false;
        }
        self.state = State::Follower;
        self.leader = Some(leader);
        self.heard = true;
        out.timers.push(TimerChange::Arm(Timer::Election));
        true
    }

    /// An operator wants `to` to lead. Nothing is proposed until it does or the next check of the quorum gives it up.
    pub(super) fn transfer_leadership(&mut self, to: NodeId, out: &mut Effects<P>) {
        let State::Leader(leader) = &mut self.state else { return };
        if !leader.progress.contains_key(&to) {
            return;
        }
        out.labels.push(Action::TransferLeadership { to });
        if leader.transfer.replace(to).is_none() {
            out.timers.push(TimerChange::Arm(Timer::CheckQuorum));
        }
        self.complete_transfer(out);
    }

    /// The target of a transfer campaigns as soon as it has the whole log, so that it can win.
    pub(super) fn complete_transfer(&mut self, out: &mut Effects<P>) {
        let State::Leader(leader) = &self.state else { return };
        if let Some(to) = leader.transfer
            && leader.progress.get(&to).is_some_and(|progress| progress.matched == self.log.last_index())
        {
            out.sends.push((to, Message::Election(Election::TimeoutNow { term: self.hard.term })));
        }
    }
}
