//! Messages that can never matter again.
//!
//! A message is dead when no delivery of it, in any state that its receiver can still come to, a crash included, changes
//! the receiver or sends something that could matter. Two facts carry most of it: a disk never goes back from its term,
//! and a node that does not ask for votes in its durable term, or does not lead it, never will again.
//!
//! What a request of an old term still does is to be refused, and such a refusal only tells the asker of the refuser's
//! term: it names no index, no read round and no vote that could be taken for an answer to anything else. In its place a node may hear, at any time, of any term that any node has ever entered ([`Deed::Learn`]): that is more than
//! any refusal could do, so nothing is lost, and old requests are dead too. Rules for messages of the current term hold
//! only in scopes without pre-votes, where a node does not fall back from following in its term.
//!
//! A bug may make a message matter that is dead for the right code (`stale-vote-reply`), so the scopes that hunt for such
//! ones keep all messages; `tests` compares searches with and without this file.
//!
//! [`Deed::Learn`]: super::actions::Deed::Learn

use super::crashes::Crashes;
use super::intern::Shared;
use super::local::Local;
use super::network::{Envelope, Network};
use super::payload::Byte;
use super::scopes::Scope;
use super::state::Spent;
use super::step::place_of;
use quorate_core::raft::{Election, Message, Replication, Transfer};
use quorate_spec::ids::{LogIndex, ReadContext, Term};
use quorate_spec::views::Role;
use std::sync::Arc;

/// Whether a message can never matter again.
pub(super) fn is_dead(
    scope: &Scope,
    envelope: &Envelope,
    nodes: &[Arc<Shared>],
    network: &Network,
    spent: Spent,
) -> bool {
    let receiver = &nodes[place_of(envelope.to)].local;
    let floor = receiver.disk.hard.term;
    let term = term_of(&envelope.message);
    if term < floor {
        return !matches!(envelope.message, Message::Transfer(Transfer::Chunk { .. }));
    }
    if term > floor || scope.pre_votes || receiver.replica.term() > floor {
        return false;
    }
    let role = receiver.replica.role();
    let crashes = Crashes::left(scope, nodes, spent).may_hit(receiver);
    // What a follower knows to be committed, whatever happens to it.
    let commit = if crashes { receiver.disk.mark.last.index } else { receiver.replica.commit() };
    // Whether hearing of its leader again tells a follower nothing.
    let follows = role == Role::Follower
        && (scope.hints().leader || (!crashes && receiver.replica.leader() == Some(envelope.from)));
    match &envelope.message {
        // A vote that is durable for another is never given again, and the refusal says nothing new. One that is durable
        // for the asker may be given again, and says so again.
        Message::Election(Election::RequestVote { .. }) => receiver.disk.hard.voted_for.is_some_and(|vote| {
            let answer = Message::Election(Election::VoteGranted { term });
            vote != envelope.from || is_settled(scope, envelope, answer, nodes, network, spent)
        }),
        Message::Election(Election::VoteGranted { .. }) => role != Role::Candidate,
        // Counted nowhere.
        Message::Election(
            Election::VoteRefused { .. }
            | Election::PreVote { .. }
            | Election::PreVoteGranted { .. }
            | Election::PreVoteRefused { .. },
        ) => true,
        Message::Election(Election::TimeoutNow { .. }) => role == Role::Leader,
        Message::Replication(Replication::Append { prev, entries, commit: told, .. }) => {
            let matched = prev.index.plus(entries.len() as u64);
            let answer = Message::Replication(Replication::Appended { term, matched });
            let holds = follows
                && is_in(receiver, prev.index, prev.term, entries.iter().map(|entry| entry.term))
                && (*told).min(matched) <= commit;
            holds && is_settled(scope, envelope, answer, nodes, network, spent)
        }
        Message::Replication(Replication::Heartbeat { commit: told, read, .. }) => {
            let answer = Message::Replication(Replication::HeartbeatAck { term, read: *read });
            follows
                && told.index <= commit
                && (*read == ReadContext::ZERO || is_settled(scope, envelope, answer, nodes, network, spent))
        }
        Message::Replication(Replication::HeartbeatAck { read, .. }) => {
            role != Role::Leader || (*read == ReadContext::ZERO && !scope.check_quorum && scope.snapshots == 0)
        }
        Message::Replication(Replication::Appended { .. } | Replication::AppendRefused { .. })
        | Message::Transfer(Transfer::Accepted { .. } | Transfer::Installed { .. }) => role != Role::Leader,
        Message::Transfer(Transfer::Chunk { .. }) => false,
    }
}

/// Whether the answer to a request is on its way already, or would be dead itself.
fn is_settled(
    scope: &Scope,
    request: &Envelope,
    answer: Message<Byte>,
    nodes: &[Arc<Shared>],
    network: &Network,
    spent: Spent,
) -> bool {
    let answer = Envelope::new(request.to, request.from, answer);
    network.contains(&answer) || is_dead(scope, &answer, nodes, network, spent)
}

/// Whether a log, in memory and on disk, holds entries of these terms after a position.
fn is_in(local: &Local, index: LogIndex, term: Term, entries: impl Iterator<Item = Term>) -> bool {
    let mut at = index;
    local.disk.base.index <= index
        && local.pending.is_empty()
        && local.disk.term_at(index) == Some(term)
        && entries.into_iter().all(|term| {
            at = at.next();
            local.disk.term_at(at) == Some(term)
        })
}

/// The term that a message names, be it one that nobody has entered yet.
fn term_of(message: &Message<Byte>) -> Term {
    match message {
        Message::Election(Election::PreVote { term, .. } | Election::PreVoteGranted { term }) => *term,
        other => other.term().unwrap_or_default(),
    }
}
