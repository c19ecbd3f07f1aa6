//! The lane without its threads: what waits to be durable, what waits for a segment, when to look for space again.
//!
//! It is driven: by the log's thread, and by a simulation that has no threads. Time is a parameter.

use super::segment::Spare;
use super::{Wal, WalError, WalEvent};
use crate::disk::Disk;
use crate::mutants::mutant;
use quorate_core::effect::Write;
use quorate_core::raft;
use quorate_core::spec::ids::{GroupId, LogIndex, WriteId};
use std::time::{Duration, Instant};

/// How long to wait before looking for space again on a full disk.
const RETRY: Duration = Duration::from_millis(250);

/// A log and the writes that wait for it.
pub struct Lane<D: Disk> {
    wal: Wal<D>,
    /// A segment is being prepared.
    asked: bool,
    /// Space was won back: a segment can be asked for although the disk was full.
    ask_again: bool,
    /// The disk is full, as far as is known.
    full: bool,
    /// When to look for space again, if it is.
    next_look: Instant,
    /// The next frame waits for a segment.
    blocked: bool,
    ids: Vec<WriteId>,
    writes: Vec<Write>,
}

impl<D: Disk> Lane<D> {
    /// A lane with nothing waiting.
    pub fn new(wal: Wal<D>, now: Instant) -> Self {
        let (ids, writes) = (Vec::new(), Vec::new());
        Self { wal, asked: false, ask_again: false, full: false, next_look: now, blocked: false, ids, writes }
    }

    /// The log.
    pub fn wal(&self) -> &Wal<D> {
        &self.wal
    }

    /// Adds writes, in order.
    pub fn submit(&mut self, writes: Vec<(WriteId, Write)>) {
        for (id, write) in writes {
            self.ids.push(id);
            self.writes.push(write);
        }
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// Whether [`Lane::commit`] has something to do.
    pub fn is_ready(&self) -> bool {
        !self.writes.is_empty() && !self.blocked
    }

    /// On a full disk, when to look for space again with [`Lane::ask_spare`].
    pub fn next_look(&self) -> Option<Instant> {
        self.full.then_some(self.next_look)
    }

    /// What a segment is to be prepared from, if one is wanted and none is on its way: the answer goes to
    /// [`Lane::take_spare`]. On a full disk this looks for space now and then, however busy the lane is.
    pub fn ask_spare(&mut self, now: Instant) -> Option<(D, u64)> {
        let mut wanted = self.wal.wants_spare() || (self.blocked && !self.wal.has_spare());
        if self.full {
            let looks = self.next_look <= now;
            if looks {
                self.next_look = now + RETRY;
                self.blocked = self.blocked && !self.wal.has_spare();
            }
            wanted = looks && !self.wal.has_spare();
        }
        // One segment is the answer to both: a second would take the first one's name.
        let again = std::mem::take(&mut self.ask_again);
        if self.asked || self.wal.has_spare() || !(wanted || again) {
            return None;
        }
        self.asked = true;
        Some(self.wal.spare_needs())
    }

    /// The segment that was asked for, or why there is none.
    ///
    /// # Errors
    /// The disk failed: final.
    pub fn take_spare(&mut self, made: Result<Spare<D>, WalError>, now: Instant) -> Result<Option<WalEvent>, WalError> {
        self.asked = false;
        match made {
            Ok(spare) => {
                self.wal.give_spare(spare);
                self.blocked = false;
                Ok(self.set_full(false, now))
            }
            Err(WalError::Full) if self.wal.reclaim()? > 0 => {
                self.ask_again = true;
                Ok(None)
            }
            Err(WalError::Full) => Ok(self.set_full(true, now)),
            Err(error) => Err(error),
        }
    }

    /// Makes the first of what waits durable, as one frame, or finds that it must wait for a segment.
    ///
    /// # Errors
    /// The disk failed: final.
    pub fn commit(&mut self, now: Instant) -> Result<Option<WalEvent>, WalError> {
        match self.wal.commit_ready(&self.writes) {
            Ok(Some(count)) => {
                let alike = if mutant!(CompletionByIndex) { self.last_alike(count) } else { None };
                self.writes.drain(..count);
                Ok(self.ids.drain(..count).next_back().map(|id| WalEvent::Synced(alike.unwrap_or(id))))
            }
            Ok(None) => {
                self.blocked = true;
                Ok(None)
            }
            Err(WalError::Full) => {
                self.blocked = true;
                Ok(self.set_full(true, now))
            }
            Err(error) => Err(error),
        }
    }

    /// Frees some of what the log no longer needs: to be called after each commit, when it has been reported.
    pub fn free_some(&mut self) {
        self.wal.free_some();
    }

    /// The bug of `completion-by-index`: of all that waits, the last write that ends where the last of the first `count` does.
    fn last_alike(&self, count: usize) -> Option<WriteId> {
        let (done, _) = self.writes.split_at(count);
        let last = done.last().and_then(reached)?;
        let place = self.writes.iter().rposition(|write| reached(write) == Some(last))?;
        self.ids.get(place).copied()
    }

    fn set_full(&mut self, full: bool, now: Instant) -> Option<WalEvent> {
        if self.full == full {
            return None;
        }
        self.full = full;
        self.next_look = now + RETRY;
        Some(WalEvent::Full(full))
    }
}

/// The group and the index of the last entry that a write appends.
fn reached(write: &Write) -> Option<(GroupId, LogIndex)> {
    let end = |first: &LogIndex, count: usize| first.plus(count as u64);
    match write {
        Write::Controller(raft::Write::Append { first, entries }) => {
            Some((GroupId::CONTROLLER, end(first, entries.len())))
        }
        Write::Data { group, write: raft::Write::Append { first, entries } } => {
            Some((*group, end(first, entries.len())))
        }
        _ => None,
    }
}
