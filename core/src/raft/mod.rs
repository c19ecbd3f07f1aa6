//! Raft for one replica group, as a machine with a step of its own: [`Replica<P>`].
//!
//! It decides elections, replication, commitment, reads and snapshots. It knows nothing of what it replicates beyond
//! [`Payload`], nothing of other groups, of disks, of sockets or of time: timers are named, writes are counted, and what
//! speaks for the disk waits in the outbox until the disk has answered.
//!
//! One file per concern, each with the handlers of its messages: election, replication (the leader's side), follower (the
//! other one), reads, snapshots. A step handles one input, then releases the promises whose writes are synced, then checks
//! the facts that must hold within one replica.

mod check;
#[cfg(feature = "serde")]
mod chunks;
mod durable;
mod election;
mod follower;
mod lag;
mod log;
mod messages;
mod outbox;
mod progress;
mod reads;
mod rename;
mod replication;
mod role;
mod snapshots;
mod surface;
pub mod types;
mod view;

pub use lag::Lag;
pub use messages::{Conflict, Election, Message, Replication, Transfer};
pub use rename::Hints;
pub use surface::{Effects, Input, Proposed, SnapshotWork, Timer, TimerChange};
pub use types::{Durable, Entry, EntryKind, HardState, Image, LogPosition, Mark, Payload, Write};

use crate::limits::RaftLimits;
use crate::mutants::mutant;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use log::Log;
use outbox::{Outbox, Promise, Speech};
use quorate_spec::action::Action;
use quorate_spec::ids::{LogIndex, NodeId, Term};
use quorate_spec::views::Role;
use role::State;
use snapshots::{Incoming, Writing};

/// One replica of one group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica<P: Payload> {
    me: NodeId,
    limits: RaftLimits,
    /// The term and the vote, as last written (durable once that write is synced).
    hard: HardState,
    /// The newest durable snapshot.
    mark: Mark,
    log: Log<P>,
    /// Everything up to here is committed, and applied by the caller.
    commit: LogIndex,
    state: State<P>,
    /// The leader of the current term, if known.
    leader: Option<NodeId>,
    /// Whether a leader of the current term was heard of since the election timer last fired.
    heard: bool,
    outbox: Outbox,
    /// The snapshot that is being made durable.
    writing: Option<Writing<P>>,
    /// The snapshot that is coming in.
    incoming: Option<Incoming<P>>,
}

impl<P: Payload> Replica<P> {
    /// A replica as its disk remembers it, on the first boot as on any other: a follower that knows of no leader, with
    /// everything up to the durable snapshot committed. The state at that snapshot, `durable.image`, is the caller's.
    pub fn new(me: NodeId, durable: Durable<P>, limits: RaftLimits) -> (Self, Effects<P>) {
        let Durable { hard, mark, image: _, base, entries } = durable;
        let logged = entries.last().map_or(base.term, |entry| entry.term);
        let hard = if mutant!(TermVoteVolatile) { HardState { term: logged, voted_for: None } } else { hard };
        let replica = Self {
            me,
            limits,
            hard,
            commit: mark.last.index,
            mark,
            log: Log::new(base, entries),
            state: State::Follower,
            leader: None,
            heard: false,
            outbox: Outbox::default(),
            writing: None,
            incoming: None,
        };
        replica.check(replica.before());
        let mut out = Effects::default();
        out.timers.push(TimerChange::Arm(Timer::Election));
        out.labels.push(Action::Restart { term: replica.hard.term });
        (replica, out)
    }

    /// Handles one input. The answer is complete: nothing is left to be fetched.
    ///
    /// # Panics
    /// Only on a bug: of this machine, or of a driver that reports a write as durable that was never issued.
    #[must_use]
    pub fn step(&mut self, input: Input<P>) -> Effects<P> {
        let before = self.before();
        let mut out = Effects::default();
        match input {
            Input::Received { from, message } => self.received(from, message, &mut out),
            Input::Synced { write } => {
                self.outbox.synced(write);
                out.labels.push(Action::SyncWrites { write });
            }
            Input::Fired { timer: Timer::Election } => self.election_timeout(&mut out),
            Input::Fired { timer: Timer::Heartbeat } => self.heartbeat_timeout(&mut out),
            Input::Fired { timer: Timer::CheckQuorum } => self.check_quorum(&mut out),
            Input::Propose { payloads } => self.propose(payloads, &mut out),
            Input::Read => self.read(&mut out),
            Input::TransferLeadership { to } => self.transfer_leadership(to, &mut out),
            Input::Image { image, persist } => self.take_image(image, persist, &mut out),
            Input::SnapshotWritten { last } => self.snapshot_written(last, &mut out),
        }
        self.release(&mut out);
        self.check(before);
        out
    }

    /// A message of another voter; anyone else's says nothing here. A newer term is entered before it is handled.
    fn received(&mut self, from: NodeId, message: Message<P>, out: &mut Effects<P>) {
        if from == self.me || !self.voters().contains(&from) {
            return;
        }
        if let Some(term) = message.term() {
            let told = mutant!(PrevoteIgnoresHigherTerm)
                && matches!(message, Message::Election(Election::PreVoteRefused { .. }));
            if term > self.hard.term && !told {
                self.step_down(term, out);
            }
            if let Some(progress) = self.progress_of(from, term) {
                progress.recent = true;
            }
        }
        match message {
            Message::Election(message) => self.received_election(from, message, out),
            Message::Replication(message) => self.received_replication(from, message, out),
            Message::Transfer(message) => self.received_transfer(from, message, out),
        }
    }

    fn received_election(&mut self, from: NodeId, message: Election, out: &mut Effects<P>) {
        match message {
            Election::PreVote { term, last } => self.handle_pre_vote(from, term, last, out),
            Election::PreVoteGranted { term } => self.handle_pre_vote_granted(from, term, out),
            Election::PreVoteRefused { term } => self.handle_pre_vote_refused(from, term, out),
            Election::RequestVote { term, last } => self.handle_request_vote(from, term, last, out),
            Election::VoteGranted { term } => self.handle_vote_granted(from, term, out),
            Election::VoteRefused { term } => self.handle_vote_refused(from, term, out),
            Election::TimeoutNow { term } => self.handle_timeout_now(from, term, out),
        }
    }

    fn received_replication(&mut self, from: NodeId, message: Replication<P>, out: &mut Effects<P>) {
        match message {
            Replication::Append { term, prev, entries, commit } => {
                self.handle_append(from, term, prev, entries, commit, out);
            }
            Replication::Appended { term, matched } => self.handle_appended(from, term, matched, out),
            Replication::AppendRefused { term, rejected, conflict } => {
                self.handle_append_refused(from, term, rejected, conflict, out);
            }
            Replication::Heartbeat { term, commit, read } => self.handle_heartbeat(from, term, commit, read, out),
            Replication::HeartbeatAck { term, read } => self.handle_heartbeat_ack(from, term, read, out),
        }
    }

    fn received_transfer(&mut self, from: NodeId, message: Transfer<P>, out: &mut Effects<P>) {
        match message {
            Transfer::Chunk { term, mark, from: begin, chunk, next } => {
                self.handle_chunk(from, term, mark, (begin, chunk, next), out);
            }
            Transfer::Accepted { term, last, next } => self.handle_accepted(from, term, last, next, out),
            Transfer::Installed { term, matched } => self.handle_installed(from, term, matched, out),
        }
    }

    /// Hands out the promises whose writes are synced: to peers as messages, the own ones to be counted.
    fn release(&mut self, out: &mut Effects<P>) {
        while let Some(promise) = self.outbox.release() {
            match promise {
                Promise::OwnVote { term } => self.count_vote(self.me, term, out),
                Promise::OwnAppend { term, index } => self.count_own_copy(term, index, out),
                Promise::ToPeer { to, speech } => out.sends.push((to, speech.into_message())),
            }
        }
    }

    /// Issues a durable write. A vote in a term entered by the same step is one write with it, so no crash falls between.
    fn write(&mut self, write: Write<P>, out: &mut Effects<P>) {
        match (out.writes.last_mut(), write) {
            (Some((_, Write::HardState(entered))), Write::HardState(hard)) if !mutant!(VoteNonatomic) => {
                *entered = hard
            }
            // The entries that come with a newer term would stand before it in the lane.
            (Some((_, entered @ Write::HardState(_))), write) if mutant!(VoteLogReorder) => {
                let hard = core::mem::replace(entered, write);
                out.writes.push((self.outbox.issue(), hard));
            }
            (_, write) => out.writes.push((self.outbox.issue(), write)),
        }
    }

    /// Tells `to` something once everything issued so far is durable.
    fn promise(&mut self, to: NodeId, speech: Speech) {
        self.outbox.hold(Promise::ToPeer { to, speech });
    }

    /// The voters other than this node.
    fn peers(&self) -> Vec<NodeId> {
        self.voters().iter().copied().filter(|node| *node != self.me).collect()
    }

    /// How many voters decide.
    fn quorum(&self) -> usize {
        self.voters().len() / 2 + 1
    }

    /// What a quorum has reached, of what each voter has reached.
    fn quorum_th<T: Ord + Copy + Default>(&self, mut reached: Vec<T>) -> T {
        reached.sort_unstable_by(|left, right| right.cmp(left));
        reached.get(self.quorum() - 1).copied().unwrap_or_default()
    }
}

/// What others may know.
impl<P: Payload> Replica<P> {
    /// The node that holds it.
    pub const fn me(&self) -> NodeId {
        self.me
    }

    /// Its role.
    pub const fn role(&self) -> Role {
        self.state.role()
    }

    /// Whether it leads its term.
    pub const fn is_leader(&self) -> bool {
        matches!(self.state, State::Leader(_))
    }

    /// Its current term.
    pub const fn term(&self) -> Term {
        self.hard.term
    }

    /// The leader of its term, if known; itself if it leads.
    pub const fn leader(&self) -> Option<NodeId> {
        self.leader
    }

    /// Its commit index: the caller has applied as far.
    pub const fn commit(&self) -> LogIndex {
        self.commit
    }

    /// Where its log ends.
    pub fn last(&self) -> LogPosition {
        self.log.last()
    }

    /// Where its log begins: the last position compacted away.
    pub const fn base(&self) -> LogPosition {
        self.log.base()
    }

    /// Its newest durable snapshot.
    pub const fn mark(&self) -> &Mark {
        &self.mark
    }

    /// The nodes whose majority decides.
    pub const fn voters(&self) -> &BTreeSet<NodeId> {
        &self.mark.voters
    }

    /// The bytes of its live log entries.
    pub const fn log_bytes(&self) -> u64 {
        self.log.bytes()
    }

    /// Whether a snapshot is being made durable; another one is not begun meanwhile.
    pub const fn snapshot_in_progress(&self) -> bool {
        self.writing.is_some()
    }
}
