//! A replica bound to the state machine that it replicates.
//!
//! Here, and only here, committed entries meet the state: each is applied at once, in order; the waiting client is
//! answered by *its* entry (index and term) or told that leadership was lost; a read is answered from a state that has
//! applied its read index. What must never happen: an answer from another leader's entry (`reply-from-wrong-entry`), a
//! read from an older state (`read-before-apply`).

use crate::effect::Label;
use crate::limits::Limits;
use crate::message::{Refusal, Reply};
use crate::mutants::{self, mutant};
use crate::raft::{
    Durable, Effects, EntryKind, Image, Input, LogPosition, Message, Payload, Proposed, Replica, SnapshotWork, Timer,
    TimerChange, Write,
};
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::hash::Hash;
use quorate_spec::Violation;
use quorate_spec::action::Action;
use quorate_spec::ids::{GroupId, LogIndex, NodeId, ReadContext, Term, Ticket, WriteId};
#[cfg(debug_assertions)]
use quorate_spec::invariants;

/// A replicated state machine.
pub trait Machine: Image {
    /// What its log holds.
    type Command: Payload<Image = Self>;
    /// What a local client may read from it.
    type Question: Clone + core::fmt::Debug + Eq + Hash;

    /// Applies the command at `index`, tells what was done, and gives the answer for whoever waits for it.
    fn execute(&mut self, index: LogIndex, command: &Self::Command, actions: &mut Vec<Action>) -> Reply;

    /// Reads from the state, which has applied every entry up to `applied`.
    fn question(&self, question: &Self::Question, applied: LogIndex, actions: &mut Vec<Action>) -> Reply;

    /// About how large a snapshot of it is, in bytes.
    fn bytes(&self) -> u64;

    /// How many bytes of the state this command gives up when it is applied now: the last snapshot still holds them.
    fn frees(&self, command: &Self::Command) -> u64;

    /// What one applied command must not have done: the specification's invariants of this machine.
    ///
    /// # Errors
    /// The invariant that is broken.
    fn judge_step(before: &Self, after: &Self) -> Result<(), Violation>;

    /// Whether applying this command may give a leader new work beyond the answer (migration, news).
    fn stirs(command: &Self::Command) -> bool;
}

/// A proposal whose proposer may wait for its entry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Waiting {
    index: LogIndex,
    term: Term,
    ticket: Ticket,
}

/// One group's replica on this node: log and state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Group<M: Machine> {
    id: GroupId,
    replica: Replica<M::Command>,
    machine: M,
    applied: LogIndex,
    /// Bytes that a snapshot would save: what was applied since the last one was begun, and what it holds in vain.
    unsaved: u64,
    waiting: VecDeque<Waiting>,
    reads: BTreeMap<ReadContext, Vec<(Ticket, M::Question)>>,
}

/// What a group wants done: the replica's effects, with the state machine's part already played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome<P: Payload> {
    /// Durable writes, in order.
    pub writes: Vec<(WriteId, Write<P>)>,
    /// Released messages.
    pub sends: Vec<(NodeId, Message<P>)>,
    /// Timers to arm and disarm.
    pub timers: Vec<TimerChange>,
    /// Snapshots to be made durable.
    pub snapshots: Vec<SnapshotWork<P>>,
    /// Answers to local clients.
    pub replies: Vec<(Ticket, Reply)>,
    /// What was done.
    pub labels: Vec<Label>,
    /// The state changed in a way that may give a leader new work, or leadership began.
    pub stirred: bool,
}

impl<P: Payload> Default for Outcome<P> {
    fn default() -> Self {
        Self {
            writes: Vec::new(),
            sends: Vec::new(),
            timers: Vec::new(),
            snapshots: Vec::new(),
            replies: Vec::new(),
            labels: Vec::new(),
            stirred: false,
        }
    }
}

impl<M: Machine> Group<M> {
    /// Starts a replica from what its disk kept, or from its genesis.
    pub fn new(id: GroupId, me: NodeId, durable: Durable<M::Command>, limits: &Limits) -> (Self, Outcome<M::Command>) {
        let machine = durable.image.clone();
        let applied = durable.mark.last.index;
        let (replica, effects) = Replica::new(me, durable, limits.raft.clone());
        let (waiting, reads) = (VecDeque::new(), BTreeMap::new());
        let mut group = Self { id, replica, machine, applied, unsaved: 0, waiting, reads };
        let mut outcome = Outcome { stirred: true, ..Outcome::default() };
        group.take(effects, limits, &mut outcome);
        (group, outcome)
    }

    /// The group.
    pub const fn id(&self) -> GroupId {
        self.id
    }

    /// The replica.
    pub const fn replica(&self) -> &Replica<M::Command> {
        &self.replica
    }

    /// The state, with every committed entry applied.
    pub const fn machine(&self) -> &M {
        &self.machine
    }

    /// The state, for the mutants that change it without the log.
    #[cfg(feature = "mutants")]
    pub(crate) const fn machine_mut(&mut self) -> &mut M {
        &mut self.machine
    }

    /// The index of the last applied entry.
    pub const fn applied(&self) -> LogIndex {
        self.applied
    }

    /// A message came from another replica.
    pub fn receive(&mut self, from: NodeId, message: Message<M::Command>, limits: &Limits) -> Outcome<M::Command> {
        self.step(Input::Received { from, message }, limits)
    }

    /// All of this replica's writes up to `write` are durable.
    pub fn synced(&mut self, write: WriteId, limits: &Limits) -> Outcome<M::Command> {
        self.step(Input::Synced { write }, limits)
    }

    /// A timer fired.
    pub fn fired(&mut self, timer: Timer, limits: &Limits) -> Outcome<M::Command> {
        self.step(Input::Fired { timer }, limits)
    }

    /// A snapshot file is durable.
    pub fn snapshot_written(&mut self, last: LogPosition, limits: &Limits) -> Outcome<M::Command> {
        self.step(Input::SnapshotWritten { last }, limits)
    }

    /// An operator wants `to` to lead.
    pub fn transfer(&mut self, ticket: Ticket, to: NodeId, limits: &Limits) -> Outcome<M::Command> {
        if !self.replica.is_leader() {
            return self.refuse_all([ticket], Refusal::NotLeader { leader: self.replica.leader() });
        }
        if self.replica.leader() == Some(to) || !self.replica.voters().contains(&to) {
            return self.refuse_all([ticket], Refusal::BadTransferTarget);
        }
        let mut outcome = self.step(Input::TransferLeadership { to }, limits);
        outcome.replies.push((ticket, Reply::TransferStarted));
        outcome
    }

    /// Proposes commands in order. Those with a ticket are answered when their entry is applied.
    pub fn propose(&mut self, proposals: Vec<(Option<Ticket>, M::Command)>, limits: &Limits) -> Outcome<M::Command> {
        let (tickets, payloads): (Vec<_>, Vec<_>) = proposals.into_iter().unzip();
        let mut effects = self.replicate(Input::Propose { payloads });
        let mut outcome = Outcome::default();
        match effects.proposed.take() {
            Some(Proposed::Accepted { term, first, count }) => {
                let mut index = first;
                for (place, ticket) in tickets.into_iter().enumerate() {
                    match ticket {
                        Some(ticket) if place < count => self.waiting.push_back(Waiting { index, term, ticket }),
                        Some(ticket) => outcome.replies.push((ticket, Reply::Refused(Refusal::Overloaded))),
                        None => {}
                    }
                    index = index.next();
                }
            }
            Some(Proposed::NotLeader { leader }) => {
                let refusal = Refusal::NotLeader { leader };
                outcome = self.refuse_all(tickets.into_iter().flatten(), refusal);
            }
            None => {}
        }
        self.take(effects, limits, &mut outcome);
        outcome
    }

    /// Asks questions that must see everything committed before now.
    pub fn read(&mut self, questions: Vec<(Ticket, M::Question)>, limits: &Limits) -> Outcome<M::Command> {
        let mut effects = self.replicate(Input::Read);
        let mut outcome = Outcome::default();
        match effects.read.take() {
            Some(Ok(context)) => self.reads.entry(context).or_default().extend(questions),
            Some(Err(leader)) => {
                let tickets = questions.into_iter().map(|(ticket, _)| ticket);
                outcome = self.refuse_all(tickets, Refusal::NotLeader { leader });
            }
            None => {}
        }
        self.take(effects, limits, &mut outcome);
        outcome
    }

    /// Ends the replica: whoever waits is told that nothing is known.
    pub fn abandon(&mut self) -> Vec<(Ticket, Reply)> {
        let mut replies = Vec::new();
        self.lose_leadership(&mut replies);
        replies
    }

    fn refuse_all(&self, tickets: impl IntoIterator<Item = Ticket>, refusal: Refusal) -> Outcome<M::Command> {
        let replies = tickets.into_iter().map(|ticket| (ticket, Reply::Refused(refusal.clone()))).collect();
        Outcome { replies, ..Outcome::default() }
    }

    fn step(&mut self, input: Input<M::Command>, limits: &Limits) -> Outcome<M::Command> {
        let effects = self.replicate(input);
        let mut outcome = Outcome::default();
        self.take(effects, limits, &mut outcome);
        outcome
    }

    /// Steps the replica. Debug builds check the specification's invariants of one replica around every step.
    fn replicate(&mut self, input: Input<M::Command>) -> Effects<M::Command> {
        #[cfg(debug_assertions)]
        let before = self.replica.view();
        let effects = self.replica.step(input);
        #[cfg(debug_assertions)]
        {
            let after = self.replica.view();
            keep(&invariants::local(&after));
            keep(&invariants::step(&before, &after));
        }
        effects
    }

    /// Plays the state machine's part of a replica's effects and hands the rest on.
    fn take(&mut self, effects: Effects<M::Command>, limits: &Limits, outcome: &mut Outcome<M::Command>) {
        let Effects { writes, sends, timers, installed, committed, reads_ready, snapshot, labels, .. } = effects;
        outcome.writes.extend(writes);
        outcome.sends.extend(sends);
        outcome.timers.extend(timers);
        outcome.snapshots.extend(snapshot);
        for action in labels {
            outcome.stirred |= matches!(action, Action::BecomeLeader { .. });
            outcome.labels.push(Label { group: Some(self.id), action });
        }
        if let Some((last, image)) = installed {
            assert!(last.index > self.applied || mutants::any_selected(), "a snapshot never replaces newer state");
            self.machine = image;
            self.applied = last.index;
            self.unsaved = 0;
            outcome.stirred = true;
        }
        for (index, entry) in committed {
            self.apply(index, entry.term, &entry.kind, outcome);
        }
        for (context, index) in reads_ready {
            self.answer_reads(context, index, outcome);
        }
        // The term beside the index guards the same once more: the mutant has neither.
        if effects.stepped_down && !mutant!(ReplyFromWrongEntry) {
            self.lose_leadership(&mut outcome.replies);
        }
        let grown = limits.is_snapshot_worth(self.unsaved, self.machine.bytes());
        let persist = grown && !self.replica.snapshot_in_progress();
        if persist || effects.image_wanted {
            if persist {
                self.unsaved = 0;
            }
            let image = self.machine.clone();
            let effects = self.replicate(Input::Image { image, persist });
            self.take(effects, limits, outcome);
        }
    }

    fn apply(&mut self, index: LogIndex, term: Term, kind: &EntryKind<M::Command>, outcome: &mut Outcome<M::Command>) {
        assert!(index == self.applied.next() || mutants::any_selected(), "entries are applied in order, each once");
        self.applied = index;
        let reply = match kind {
            EntryKind::Noop => None,
            EntryKind::Command(command) => {
                let mut actions = Vec::new();
                #[cfg(debug_assertions)]
                let before = self.machine.clone();
                let freed = self.machine.frees(command);
                let reply = self.machine.execute(index, command, &mut actions);
                #[cfg(debug_assertions)]
                keep(&M::judge_step(&before, &self.machine));
                self.unsaved += command.bytes() as u64 + freed;
                outcome.stirred |= M::stirs(command);
                let group = Some(self.id);
                outcome.labels.extend(actions.into_iter().map(|action| Label { group, action }));
                Some(reply)
            }
        };
        while let Some(waiting) = self.waiting.pop_front_if(|waiting| waiting.index <= index) {
            let mine = waiting.index == index && (waiting.term == term || mutant!(ReplyFromWrongEntry));
            let reply = reply.clone().filter(|_| mine).unwrap_or(Reply::Refused(Refusal::LeadershipLost));
            outcome.replies.push((waiting.ticket, reply));
        }
    }

    fn answer_reads(&mut self, context: ReadContext, index: LogIndex, outcome: &mut Outcome<M::Command>) {
        assert!(
            self.applied >= index || mutants::any_selected(),
            "everything committed is applied before a read is answered"
        );
        let later = self.reads.split_off(&context.next());
        let ready = core::mem::replace(&mut self.reads, later);
        let mut actions = Vec::new();
        for (ticket, question) in ready.into_values().flatten() {
            let reply = self.machine.question(&question, self.applied, &mut actions);
            outcome.replies.push((ticket, reply));
        }
        let group = Some(self.id);
        outcome.labels.extend(actions.into_iter().map(|action| Label { group, action }));
    }

    fn lose_leadership(&mut self, replies: &mut Vec<(Ticket, Reply)>) {
        let leader = self.replica.leader();
        for waiting in self.waiting.drain(..) {
            replies.push((waiting.ticket, Reply::Refused(Refusal::LeadershipLost)));
        }
        for (ticket, _) in core::mem::take(&mut self.reads).into_values().flatten() {
            replies.push((ticket, Reply::Refused(Refusal::NotLeader { leader })));
        }
    }
}

/// A broken invariant is a bug: stop, with the evidence.
#[cfg(debug_assertions)]
fn keep(verdict: &Result<(), Violation>) {
    if let Err(violation) = verdict
        && !mutants::any_selected()
    {
        panic!("{violation}");
    }
}
