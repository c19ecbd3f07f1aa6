//! Snapshots: making the applied state durable so that the log can be compacted, and bringing a follower up that needs
//! what is compacted (Raft paper 7).
//!
//! The log is compacted only after the snapshot is durable (`snapshot-before-durable`). A received snapshot never takes a
//! replica back (`snapshot-rewinds-applied`): whatever is committed here by the time it is durable stays. Chunks go one at
//! a time, and one snapshot is written at a time.

use super::messages::{Message, Transfer};
use super::outbox::Speech;
use super::progress::{Flow, Sending};
use super::role::State;
use super::surface::{Effects, SnapshotWork};
use super::types::{Image, LogPosition, Mark, Payload, Write};
use super::{Replica, check};
use crate::mutants::mutant;
use quorate_spec::action::Action;
use quorate_spec::ids::{LogIndex, NodeId, Term};

/// Where a chunk begins.
type Cursor<P> = <<P as Payload>::Image as Image>::Cursor;
/// A part of an image.
type Chunk<P> = <<P as Payload>::Image as Image>::Chunk;

/// A snapshot that is being made durable.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Writing<P: Payload> {
    mark: Mark,
    /// The image, if it came from a leader: it may still have to be installed.
    received: Option<P::Image>,
}

/// A snapshot of which parts have come in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Incoming<P: Payload> {
    pub(super) mark: Mark,
    image: P::Image,
    /// The chunk that comes next.
    next: Cursor<P>,
}

impl<P: Payload> Replica<P> {
    /// The state as of the commit index: to be made durable if asked, and for the followers that wait for it.
    pub(super) fn take_image(&mut self, image: P::Image, persist: bool, out: &mut Effects<P>) {
        let older = self.commit.prev();
        let torn = mutant!(AppliedOutsideTransaction) && older > self.mark.last.index;
        let last = self.log.position(if torn { older } else { self.commit });
        let mark = Mark { last, voters: self.mark.voters.clone() };
        if persist && self.writing.is_none() && self.mark.last.index < last.index {
            out.labels.push(Action::TakeSnapshot { index: last.index });
            out.snapshot = Some(SnapshotWork { mark: mark.clone(), image: image.clone() });
            self.writing = Some(Writing { mark: mark.clone(), received: None });
            if mutant!(SnapshotBeforeDurable) {
                self.purge(last.index, out);
            }
        }
        for to in self.peers() {
            let term = self.hard.term;
            if let Some(progress) = self.progress_of(to, term)
                && let Flow::Snapshot { sending: sending @ None } = &mut progress.flow
            {
                *sending = Some(Sending::new(mark.clone(), image.clone()));
                self.send_chunk(to, out);
            }
        }
    }

    /// Sends the chunk that `to` is to have next.
    pub(super) fn send_chunk(&mut self, to: NodeId, out: &mut Effects<P>) {
        let (term, limit) = (self.hard.term, self.limits.chunk_bytes);
        let Some(progress) = self.progress_of(to, term) else {
            return;
        };
        let Flow::Snapshot { sending: Some(sending) } = &progress.flow else {
            return;
        };
        let (chunk, next) = sending.image.chunk(&sending.from, limit);
        let (mark, from) = (sending.mark.clone(), sending.from.clone());
        out.labels.push(Action::SendSnapshot { to, index: mark.last.index });
        out.sends.push((to, Message::Transfer(Transfer::Chunk { term, mark, from, chunk, next })));
    }

    /// Takes in the next part of a snapshot, or says which part that would be.
    pub(super) fn handle_chunk(
        &mut self,
        leader: NodeId,
        term: Term,
        mark: Mark,
        (from, chunk, next): (Cursor<P>, Chunk<P>, Option<Cursor<P>>),
        out: &mut Effects<P>,
    ) {
        let last = mark.last;
        if term < self.hard.term {
            self.accept(leader, last, from, out);
            return;
        }
        if !self.follow(leader, out) {
            return;
        }
        out.labels.push(Action::HandleSnapshotChunk { from: leader, index: last.index });
        self.commit_if_held(last, out);
        if !self.is_ahead(last) {
            self.incoming = None;
            self.promise(leader, Speech::Installed { term, matched: self.commit });
            return;
        }
        // One snapshot is written at a time. The leader sends again what is not answered.
        if self.writing.is_some() {
            return;
        }
        let collected = self.incoming.take_if(|incoming| incoming.mark == mark);
        let mut incoming = match collected {
            Some(incoming) => incoming,
            None if from == Cursor::<P>::default() => Incoming { mark, image: P::Image::blank(), next: from.clone() },
            None => {
                self.accept(leader, last, Cursor::<P>::default(), out);
                return;
            }
        };
        if from != incoming.next {
            self.accept(leader, last, incoming.next.clone(), out);
            self.incoming = Some(incoming);
            return;
        }
        incoming.image.absorb(chunk);
        if let Some(next) = next {
            incoming.next = next.clone();
            self.incoming = Some(incoming);
            self.accept(leader, last, next, out);
        } else {
            let Incoming { mark, image, .. } = incoming;
            self.incoming = None;
            self.writing = Some(Writing { mark: mark.clone(), received: Some(image.clone()) });
            out.snapshot = Some(SnapshotWork { mark, image });
        }
    }

    /// Asks the leader for the chunk at `next`. It binds nobody: what has come in is in memory.
    fn accept(&self, leader: NodeId, last: LogPosition, next: Cursor<P>, out: &mut Effects<P>) {
        let term = self.hard.term;
        out.sends.push((leader, Message::Transfer(Transfer::Accepted { term, last, next })));
    }

    /// A snapshot and a heartbeat prove that their position is committed; a log that holds the position has all of it.
    pub(super) fn commit_if_held(&mut self, position: LogPosition, out: &mut Effects<P>) {
        if self.log.holds(position) {
            self.commit_to(position.index, out);
        }
    }

    /// Whether a received snapshot has anything that is not committed here.
    fn is_ahead(&self, last: LogPosition) -> bool {
        last.index > self.commit || (mutant!(SnapshotRewindsApplied) && last.index < self.commit)
    }

    /// The file of a snapshot is durable. Its own, or one that the log has caught up with: the log can be compacted. One
    /// ahead of the log: it is installed.
    pub(super) fn snapshot_written(&mut self, last: LogPosition, out: &mut Effects<P>) {
        let Some(Writing { mark, received }) = self.writing.take_if(|writing| writing.mark.last == last) else {
            return;
        };
        self.commit_if_held(last, out);
        let from_leader = received.is_some();
        match received {
            Some(image) if self.is_ahead(last) => self.install(mark, image, out),
            Some(_) | None => self.compact(mark, out),
        }
        if from_leader && let Some(leader) = self.leader.filter(|leader| *leader != self.me) {
            self.promise(leader, Speech::Installed { term: self.hard.term, matched: self.commit });
        }
    }

    /// A durable received snapshot replaces the log and the state: nothing in this log goes with it.
    fn install(&mut self, mark: Mark, image: P::Image, out: &mut Effects<P>) {
        check::install(self.is_leader());
        // A candidate's log is not the one that it advertised any more.
        self.state = State::Follower;
        self.log.reset(mark.last);
        self.commit = mark.last.index;
        out.labels.push(Action::InstallSnapshot { index: self.commit });
        out.installed = Some((mark.last, image));
        self.mark = mark.clone();
        self.write(Write::Install(mark), out);
    }

    /// A durable snapshot of what is committed here becomes the mark, if it is newer than the one there is, and the log
    /// goes but for some entries for followers that are a little behind.
    fn compact(&mut self, mark: Mark, out: &mut Effects<P>) {
        if mark.last.index <= self.mark.last.index {
            return;
        }
        let last = mark.last.index;
        self.mark = mark.clone();
        self.write(Write::Mark(mark), out);
        self.purge(last, out);
    }

    /// Removes what a snapshot up to `last` makes needless.
    fn purge(&mut self, last: LogIndex, out: &mut Effects<P>) {
        let base = self.trailing(last);
        self.compact_log(base.min(self.oldest_transfer().unwrap_or(base)), out);
    }

    /// Removes what was kept below the mark for a transfer, once every follower has it: a group in which nothing happens
    /// any more takes no other snapshot. A follower that is silent may be in the middle of its transfer.
    pub(super) fn purge_kept(&mut self, out: &mut Effects<P>) {
        let base = self.trailing(self.mark.last.index);
        if base > self.log.base().index
            && let State::Leader(leader) = &self.state
            && leader.progress.values().all(|progress| progress.matched >= base)
        {
            self.compact_log(base, out);
        }
    }

    /// Where a log begins with a snapshot up to `last`, but for transfers.
    fn trailing(&self, last: LogIndex) -> LogIndex {
        LogIndex::new(last.get().saturating_sub(self.limits.trailing_entries))
    }

    /// Has the log begin after `base`, if it does not yet.
    fn compact_log(&mut self, base: LogIndex, out: &mut Effects<P>) {
        if base > self.log.base().index {
            let base = self.log.position(base);
            self.log.purge(base);
            self.write(Write::Purge { base }, out);
            out.labels.push(Action::CompactLog { index: base.index });
        }
    }

    /// Where the oldest snapshot ends that is on its way to a follower that answers. What comes after it is kept until
    /// the follower has it, or a follower of a busy leader would need another snapshot each time it has one.
    fn oldest_transfer(&self) -> Option<LogIndex> {
        let State::Leader(leader) = &self.state else { return None };
        let marks =
            leader.progress.values().filter(|progress| progress.recent).filter_map(|progress| match &progress.flow {
                Flow::Snapshot { sending: Some(sending) } => Some(sending.mark.last.index),
                Flow::Snapshot { sending: None } | Flow::Probe { .. } | Flow::Replicate { .. } => None,
            });
        marks.min()
    }

    /// A follower wants the chunk at `next`.
    pub(super) fn handle_accepted(
        &mut self,
        from: NodeId,
        term: Term,
        last: LogPosition,
        next: Cursor<P>,
        out: &mut Effects<P>,
    ) {
        if let Some(progress) = self.progress_of(from, term)
            && let Flow::Snapshot { sending: Some(sending) } = &mut progress.flow
            && sending.mark.last == last
            && sending.proceed(next)
        {
            out.labels.push(Action::HandleSnapshotReply { from, index: last.index });
            self.send_chunk(from, out);
        }
    }

    /// A follower has the snapshot, or did not need it: an acknowledgement like another.
    pub(super) fn handle_installed(&mut self, from: NodeId, term: Term, matched: LogIndex, out: &mut Effects<P>) {
        if self.progress_of(from, term).is_some() && matched <= self.log.last_index() {
            out.labels.push(Action::HandleSnapshotReply { from, index: matched });
            self.count_copy(from, matched, out);
        }
    }
}
