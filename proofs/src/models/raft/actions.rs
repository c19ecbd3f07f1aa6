//! What can happen next.
//!
//! A step of the world is a deed of one node: something comes to it, fires at it, or fails at it. Timers fire at any
//! moment while armed. Budgets bound how often.
//! What it writes is synced within the step, or waits: see `crashes`.

use super::RaftModel;
use super::crashes::Crashes;
use super::intern::Shared;
use super::local::{Local, Manner, Told};
use super::network::Envelope;
use super::payload::Byte;
use super::state::RaftState;
use super::step::place_of;
use quorate_core::raft::{Election, Input, Message, Replication, Timer};
use quorate_spec::ids::{NodeId, ReadContext, Term};
use quorate_spec::views::Role;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A step of the world: a node and what happens to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RaftAction {
    /// The node.
    pub node: NodeId,
    /// What happens.
    pub deed: Deed,
    /// Whether what it writes waits for its disk, with all that rests on it. Otherwise it is synced within the step.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waits: bool,
}

/// What can happen to a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Deed {
    /// A message comes, maybe again.
    Deliver(Arc<Envelope>),
    /// A timer fires.
    Fire(Timer),
    /// The election timer fires and a quorum grants the pre-vote, all at once (scopes without pre-votes).
    Campaign,
    /// A node hears of a term that some node has entered (scopes in which old messages are taken out).
    Learn(Term),
    /// The first so many pending writes become durable.
    Sync(usize),
    /// A crash and a restart. So many pending writes had reached the disk.
    Crash(usize),
    /// A client proposes a command.
    Propose(Byte),
    /// A client wants to read.
    Read,
    /// An operator wants another leader.
    Transfer(NodeId),
    /// The applied state is to be written as a snapshot.
    Snapshot,
    /// The snapshot file is complete.
    FileWritten,
}

impl Deed {
    /// Names the deed among all those of one node: a message by its one copy.
    pub(super) fn key(&self) -> (u8, u64) {
        match self {
            Self::Deliver(envelope) => (0, Arc::as_ptr(envelope) as u64),
            Self::Fire(timer) => (1, *timer as u64),
            Self::Campaign => (2, 0),
            Self::Learn(term) => (3, term.get()),
            Self::Sync(count) => (4, *count as u64),
            Self::Crash(keep) => (5, *keep as u64),
            Self::Propose(byte) => (6, u64::from(byte.0)),
            Self::Read => (7, 0),
            Self::Transfer(to) => (8, to.get()),
            Self::Snapshot => (9, 0),
            Self::FileWritten => (10, 0),
        }
    }

    /// Whether the node restarts.
    pub const fn is_crash(&self) -> bool {
        matches!(self, Self::Crash(_))
    }

    /// What a node does: the node after it, and what others see.
    pub(super) fn act(&self, before: &Local, at_once: bool, manner: &Manner) -> (Local, Told) {
        if let Self::Crash(keep) = self {
            return before.crash(*keep, manner);
        }
        let mut local = before.clone();
        let mut early = Told::default();
        let inputs = match self {
            Self::Deliver(envelope) => {
                vec![Input::Received { from: envelope.from, message: envelope.message.clone() }]
            }
            Self::Fire(timer) => vec![Input::Fired { timer: *timer }],
            Self::Campaign => campaign(before),
            Self::Learn(term) => {
                let message = Message::Replication(Replication::HeartbeatAck { term: *term, read: ReadContext::ZERO });
                others(before).take(1).map(|from| Input::Received { from, message: message.clone() }).collect()
            }
            Self::Sync(count) => local.sync(*count, &mut early).into_iter().collect(),
            Self::Crash(_) => Vec::new(),
            Self::Propose(byte) => vec![Input::Propose { payloads: vec![*byte] }],
            Self::Read => vec![Input::Read],
            Self::Transfer(to) => vec![Input::TransferLeadership { to: *to }],
            Self::Snapshot => vec![Input::Image { image: local.image.clone(), persist: true }],
            Self::FileWritten => local.file_written().into_iter().collect(),
        };
        let mut told = local.feed(inputs, at_once, manner);
        told.violation = early.violation.or(told.violation);
        if matches!(self, Self::Campaign) {
            // Nobody is asked, so nobody answers.
            told.sends.retain(|(_, message)| !matches!(message, Message::Election(Election::PreVote { .. })));
        }
        (local, told)
    }
}

fn others(local: &Local) -> impl Iterator<Item = NodeId> {
    local.replica.voters().iter().copied().filter(|node| *node != local.replica.me())
}

/// The timer fires, and as many others as a quorum needs grant the pre-vote.
fn campaign(local: &Local) -> Vec<Input<Byte>> {
    let term = local.replica.term().next();
    let grants = others(local).take(local.replica.voters().len() / 2);
    let granted = |from| Input::Received { from, message: Message::Election(Election::PreVoteGranted { term }) };
    std::iter::once(Input::Fired { timer: Timer::Election }).chain(grants.map(granted)).collect()
}

impl RaftModel {
    /// Everything that can happen next, in a fixed order.
    pub(super) fn list(&self, state: &RaftState, actions: &mut Vec<RaftAction>) {
        if state.violation.is_some() {
            return;
        }
        let crashes = Crashes::left(&self.scope, &state.nodes, state.spent);
        for envelope in state.network.iter() {
            if self.may_arrive(state, envelope) {
                let shared = &state.nodes[place_of(envelope.to)];
                self.push(shared, Deed::Deliver(Arc::clone(envelope)), crashes, actions);
            }
        }
        for shared in &state.nodes {
            self.list_node(state, shared, crashes, actions);
        }
    }

    /// Adds a deed, with writes synced at once, waiting, or both.
    fn push(&self, shared: &Arc<Shared>, deed: Deed, crashes: Crashes, actions: &mut Vec<RaftAction>) {
        let node = shared.local.replica.me();
        let must_wait = !self.scope.reductions.sync_at_once || shared.local.waits();
        if !must_wait && crashes.may_hit(&shared.local) {
            actions.push(RaftAction { node, deed: deed.clone(), waits: true });
        }
        actions.push(RaftAction { node, deed, waits: must_wait });
    }

    /// A leader's wish to hand over is an election like another: the bound on terms counts it.
    fn may_arrive(&self, state: &RaftState, envelope: &Envelope) -> bool {
        let elects = matches!(envelope.message, Message::Election(Election::TimeoutNow { .. }));
        !elects || state.nodes[place_of(envelope.to)].local.replica.term().get() < self.scope.terms
    }

    fn list_node(&self, state: &RaftState, shared: &Arc<Shared>, crashes: Crashes, actions: &mut Vec<RaftAction>) {
        let (scope, spent, local) = (&self.scope, state.spent, &shared.local);
        let replica = &local.replica;
        let mut push = |deed| self.push(shared, deed, crashes, actions);
        if !scope.reductions.sync_at_once {
            (1..=local.pending.len()).for_each(|count| push(Deed::Sync(count)));
        }
        if local.work.is_some() {
            push(Deed::FileWritten);
        }
        let free = spent.campaigns < scope.campaigns;
        if free && replica.term().get() < scope.terms && local.is_armed(Timer::Election) {
            push(if scope.pre_votes { Deed::Fire(Timer::Election) } else { Deed::Campaign });
        }
        if scope.reductions.dead_messages {
            let mut term = replica.term().next();
            while term <= state.ghost.highest {
                push(Deed::Learn(term));
                term = term.next();
            }
        }
        if replica.role() == Role::Leader {
            self.list_leader(state, local, &mut push);
        }
        let snapshot = spent.snapshots < scope.snapshots && !replica.snapshot_in_progress();
        if snapshot && replica.mark().last.index < replica.commit() {
            push(Deed::Snapshot);
        }
        if crashes.may_hit(local) {
            let (node, kept) = (replica.me(), Crashes::may_keep(scope, local));
            actions.extend(kept.map(|keep| RaftAction { node, deed: Deed::Crash(keep), waits: false }));
        }
    }

    fn list_leader(&self, state: &RaftState, local: &Local, push: &mut impl FnMut(Deed)) {
        let (scope, spent) = (&self.scope, state.spent);
        if spent.entries < scope.entries {
            push(Deed::Propose(Byte(spent.entries + 1)));
        }
        if spent.reads < scope.reads {
            push(Deed::Read);
        }
        if spent.beats < scope.beats && local.is_armed(Timer::Heartbeat) {
            push(Deed::Fire(Timer::Heartbeat));
        }
        if scope.check_quorum && local.is_armed(Timer::CheckQuorum) {
            push(Deed::Fire(Timer::CheckQuorum));
        }
        if spent.transfers < scope.transfers {
            others(local).for_each(|to| push(Deed::Transfer(to)));
        }
    }
}
