//! The outbox: what speaks for the disk waits here until the disk has answered.
//!
//! A [`Promise`] rests on the latest write issued when it is made, so on everything that the replica had decided by
//! then, not only on what the same step wrote. Writes are named by a counter of their own, fresh at each boot and never
//! reused within it: a log index can be rewritten, a write cannot (`completion-by-index`). The node's own vote and own
//! acknowledgement pass the same gate as its peers' do. Nothing here may release a promise early; a crash drops them all.

use super::messages::{Conflict, Election, Message, Replication, Transfer};
use super::types::{LogPosition, Payload};
use alloc::collections::VecDeque;
use quorate_spec::ids::{LogIndex, NodeId, Term, WriteId};

/// Something that is true only once the writes before it are durable.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Promise {
    /// This node's vote for itself.
    OwnVote { term: Term },
    /// This leader's own copy of its log, up to an index.
    OwnAppend { term: Term, index: LogIndex },
    /// What a peer is told.
    ToPeer { to: NodeId, speech: Speech },
}

/// A message that speaks for the disk.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Speech {
    RequestVote { term: Term, last: LogPosition },
    VoteGranted { term: Term },
    VoteRefused { term: Term },
    Appended { term: Term, matched: LogIndex },
    AppendRefused { term: Term, rejected: LogIndex, conflict: Conflict },
    Installed { term: Term, matched: LogIndex },
}

impl Speech {
    /// The message, once it may be sent.
    pub(super) fn into_message<P: Payload>(self) -> Message<P> {
        match self {
            Self::RequestVote { term, last } => Message::Election(Election::RequestVote { term, last }),
            Self::VoteGranted { term } => Message::Election(Election::VoteGranted { term }),
            Self::VoteRefused { term } => Message::Election(Election::VoteRefused { term }),
            Self::Appended { term, matched } => Message::Replication(Replication::Appended { term, matched }),
            Self::AppendRefused { term, rejected, conflict } => {
                Message::Replication(Replication::AppendRefused { term, rejected, conflict })
            }
            Self::Installed { term, matched } => Message::Transfer(Transfer::Installed { term, matched }),
        }
    }
}

/// A promise and the write that it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Held {
    rest: WriteId,
    promise: Promise,
}

/// The writes issued and synced, and the promises that wait for them, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Outbox {
    last_issued: WriteId,
    synced: WriteId,
    held: VecDeque<Held>,
}

impl Outbox {
    /// Names the next write.
    pub(super) fn issue(&mut self) -> WriteId {
        self.last_issued = self.last_issued.next();
        self.last_issued
    }

    /// Holds a promise until everything issued so far is synced. [`Outbox::release`] hands it out, at once if nothing
    /// is pending.
    pub(super) fn hold(&mut self, promise: Promise) {
        self.held.push_back(Held { rest: self.last_issued, promise });
    }

    /// Everything up to `write` is durable. An older report than one already made says nothing new.
    pub(super) fn synced(&mut self, write: WriteId) {
        assert!(write <= self.last_issued, "the driver reports a write as durable that was never issued");
        self.synced = self.synced.max(write);
    }

    /// The next promise whose write, and all before it, are synced.
    pub(super) fn release(&mut self) -> Option<Promise> {
        self.held.pop_front_if(|held| held.rest <= self.synced).map(|held| held.promise)
    }

    /// The outbox of a node whose world bears other names. What rests on the same write leaves at once, to whomever, so
    /// neighbours are put in the order of the new names.
    pub(super) fn renamed(&self, name: &impl Fn(NodeId) -> NodeId) -> Self {
        let mut held = self.held.clone();
        let receiver = |held: &Held| match &held.promise {
            Promise::ToPeer { to, .. } => Some(*to),
            Promise::OwnVote { .. } | Promise::OwnAppend { .. } => None,
        };
        for held in &mut held {
            if let Promise::ToPeer { to, .. } = &mut held.promise {
                *to = name(*to);
            }
        }
        let together =
            |one: &Held, next: &Held| one.rest == next.rest && receiver(one).is_some() && receiver(next).is_some();
        held.make_contiguous().chunk_by_mut(together).for_each(|run| run.sort_by_key(receiver));
        Self { last_issued: self.last_issued, synced: self.synced, held }
    }

    /// Keeps one of the promises that say the same to the same: the one that leaves first.
    pub(super) fn forget_repeats(&mut self) {
        let mut place = 0;
        while let Some(held) = self.held.get(place) {
            if self.held.iter().take(place).any(|earlier| earlier.promise == held.promise) {
                self.held.remove(place);
            } else {
                place += 1;
            }
        }
    }

    /// Counts from the last synced write. Returns the number that became 0.
    pub(super) fn renumber(&mut self) -> u64 {
        let zero = self.synced.get();
        let from_zero = |write: WriteId| WriteId::new(write.get() - zero);
        self.last_issued = from_zero(self.last_issued);
        self.synced = WriteId::ZERO;
        self.held.iter_mut().for_each(|held| held.rest = from_zero(held.rest));
        zero
    }

    /// Whether every promise rests on a write that was issued and not yet synced, in order: checked after each step.
    pub(super) fn is_sound(&self) -> bool {
        let pending = |held: &Held| self.synced < held.rest && held.rest <= self.last_issued;
        self.held.front().is_none_or(pending) && self.held.back().is_none_or(pending)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(index: u64) -> Promise {
        Promise::OwnAppend { term: Term::new(1), index: LogIndex::new(index) }
    }

    #[test]
    fn a_promise_rests_on_everything_issued_before_it() {
        let mut outbox = Outbox::default();
        outbox.hold(own(0));
        assert_eq!(outbox.release(), Some(own(0)), "nothing pending: at once");
        let first = outbox.issue();
        let second = outbox.issue();
        outbox.hold(own(1));
        outbox.synced(first);
        assert_eq!(outbox.release(), None, "the second write is not durable yet");
        outbox.synced(second);
        outbox.synced(first);
        assert_eq!(outbox.release(), Some(own(1)), "an older report takes nothing back");
        assert_eq!(outbox.release(), None);
    }

    #[test]
    #[should_panic(expected = "never issued")]
    fn a_report_about_a_write_that_was_never_issued_is_a_bug() {
        Outbox::default().synced(WriteId::new(1));
    }
}
