//! Leadership confirmation: heartbeats, the reads that rest on them, and the check of the quorum (dissertation 6.4, 6.2).
//!
//! A read gets a context, counted anew in each term and never reused within it. It is opened at the commit index, but only
//! once an entry of the own term is committed (`read-before-own-term-commit`), and is ready when a quorum has answered a
//! heartbeat sent after that. One round is on its way at a time; what comes meanwhile shares the next one.

use super::Replica;
use super::messages::{Message, Replication};
use super::role::State;
use super::surface::{Effects, Timer, TimerChange};
use super::types::{LogPosition, Payload};
use crate::mutants::mutant;
use alloc::collections::VecDeque;
use quorate_spec::action::Action;
use quorate_spec::ids::{LogIndex, NodeId, ReadContext, Term};

/// The reads of one term: `confirmed <= sent <= opened <= issued`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Reads {
    /// The newest context handed out. Those after `opened` wait for an entry of the term to be committed.
    issued: ReadContext,
    /// The newest context with a read index.
    opened: ReadContext,
    /// The newest context that heartbeats have carried.
    sent: ReadContext,
    /// The newest context that a quorum has answered.
    confirmed: ReadContext,
    /// The contexts in `(confirmed, opened]` and their read indices.
    open: VecDeque<(ReadContext, LogIndex)>,
}

impl Reads {
    /// Gives every waiting context the read index.
    fn open_all(&mut self, index: LogIndex) -> impl Iterator<Item = ReadContext> {
        let first = self.opened;
        let count = self.issued.get() - self.opened.get();
        while self.opened < self.issued {
            self.opened = self.opened.next();
            self.open.push_back((self.opened, index));
        }
        (0..count).scan(first, |context, _| {
            *context = context.next();
            Some(*context)
        })
    }
}

impl<P: Payload> Replica<P> {
    /// A client wants to read: a context, or a hint where to ask.
    pub(super) fn read(&mut self, out: &mut Effects<P>) {
        let State::Leader(leader) = &mut self.state else {
            out.read = Some(Err(self.leader));
            return;
        };
        let context = leader.reads.issued.next();
        leader.reads.issued = context;
        out.read = Some(Ok(context));
        self.open_waiting_reads(out);
    }

    /// Opens the reads that have no index yet, if an entry of the own term is committed.
    pub(super) fn open_waiting_reads(&mut self, out: &mut Effects<P>) {
        let State::Leader(leader) = &mut self.state else { return };
        if self.log.term_at(self.commit) != Some(self.hard.term) && !mutant!(ReadBeforeOwnTermCommit) {
            return;
        }
        let index = if mutant!(ReadBeforeApply) { self.mark.last.index } else { self.commit };
        out.labels.extend(leader.reads.open_all(index).map(|read| Action::RequestRead { read, index }));
        self.start_round(out);
    }

    /// Asks the followers whether this replica still leads, if a read needs it and no round is on its way.
    fn start_round(&mut self, out: &mut Effects<P>) {
        let State::Leader(leader) = &self.state else { return };
        let reads = &leader.reads;
        if reads.confirmed == reads.sent && reads.sent < reads.opened {
            self.send_heartbeats(out);
            self.confirm_reads(out);
        }
    }

    /// A heartbeat to every follower, with the newest opened context.
    fn send_heartbeats(&mut self, out: &mut Effects<P>) {
        let State::Leader(leader) = &mut self.state else { return };
        let (term, read) = (self.hard.term, leader.reads.opened);
        leader.reads.sent = read;
        for (to, progress) in &leader.progress {
            let index = self.commit.min(progress.matched);
            let held = self.log.term_at(index).map(|term| LogPosition { term, index });
            let commit = held.unwrap_or_default();
            out.sends.push((*to, Message::Replication(Replication::Heartbeat { term, commit, read })));
        }
    }

    /// The heartbeat timer fired: every follower hears of its leader, and what may be lost is looked for.
    pub(super) fn heartbeat_timeout(&mut self, out: &mut Effects<P>) {
        if !self.is_leader() {
            return;
        }
        self.send_heartbeats(out);
        for to in self.peers() {
            self.probe(to, out);
        }
        self.complete_transfer(out);
        out.timers.push(TimerChange::Arm(Timer::Heartbeat));
    }

    /// A follower answered a heartbeat of this term: it had not heard of a newer term when it did.
    pub(super) fn handle_heartbeat_ack(&mut self, from: NodeId, term: Term, read: ReadContext, out: &mut Effects<P>) {
        let State::Leader(leader) = &mut self.state else { return };
        let known = read <= leader.reads.sent;
        let Some(progress) = leader.progress.get_mut(&from).filter(|_| term == self.hard.term && known) else {
            return;
        };
        progress.read = progress.read.max(read);
        out.labels.push(Action::HandleHeartbeatReply { from, term, read });
        self.confirm_reads(out);
        self.send_appends(from, out);
    }

    /// Answers the reads whose round a quorum has answered, this replica included, and starts the next round if others
    /// wait for one.
    fn confirm_reads(&mut self, out: &mut Effects<P>) {
        let State::Leader(leader) = &self.state else { return };
        let answered = leader.progress.values().map(|progress| progress.read);
        let own = core::iter::repeat_n(leader.reads.sent, 1 + usize::from(mutant!(ReadQuorumMinusOne)));
        let confirmed = self.quorum_th(answered.chain(own).collect());
        let confirmed = if mutant!(LocalRead) { leader.reads.opened } else { confirmed };
        let State::Leader(leader) = &mut self.state else { return };
        if confirmed <= leader.reads.confirmed {
            return;
        }
        leader.reads.confirmed = confirmed;
        while let Some((read, index)) = leader.reads.open.pop_front_if(|(read, _)| *read <= confirmed) {
            out.labels.push(Action::ConfirmRead { read, index });
            out.reads_ready.push((read, index));
        }
        self.start_round(out);
    }

    /// The check-quorum timer fired: a leader that a quorum has not been heard of steps down, so that its clients look
    /// for another; a transfer that did not happen is given up.
    pub(super) fn check_quorum(&mut self, out: &mut Effects<P>) {
        let quorum = self.quorum();
        let State::Leader(leader) = &mut self.state else { return };
        let recent = leader.progress.values_mut().map(|progress| core::mem::take(&mut progress.recent));
        if recent.filter(|recent| *recent).count() + 1 < quorum {
            self.step_down(self.hard.term, out);
            return;
        }
        leader.transfer = None;
        out.timers.push(TimerChange::Arm(Timer::CheckQuorum));
    }
}
