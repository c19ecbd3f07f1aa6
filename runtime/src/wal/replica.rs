//! What the log holds of one replica: the fold of its writes, and in which segment each live entry lies.
//!
//! While old segments are read back, entries that a later write removes may be missing already, because their segments
//! are gone. So entries are kept by index, and whether all are there is asked once, at the end.

use super::record::{Birth, Restated};
use super::runs::{Run, Runs};
use super::usage::Usage;
use quorate_core::raft::{Entry, HardState, LogPosition, Mark, Write};
use quorate_core::spec::ids::{GroupId, LogIndex};
use std::sync::Arc;

/// Where a record was written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed {
    /// The segment.
    pub(super) segment: u64,
    /// The record's length in bytes.
    pub(super) bytes: u64,
}

/// The fold of one replica's writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaLog<P> {
    /// What the initial image is made from, while no snapshot is marked.
    pub birth: Option<Birth>,
    /// The term and vote.
    pub hard: HardState,
    /// The newest durable snapshot, and the voters.
    pub mark: Mark,
    /// The position before the first entry.
    pub base: LogPosition,
    /// The index of the last entry (or of the base).
    pub last: LogIndex,
    held: Runs<P>,
}

impl<P> ReplicaLog<P> {
    /// The entries after the base.
    pub fn entries(&self) -> impl Iterator<Item = &Arc<Entry<P>>> {
        self.held.entries()
    }
}

impl<P: Send + Sync + 'static> ReplicaLog<P> {
    /// A replica at its creation.
    pub(super) fn born(birth: Birth, mark: Mark) -> Self {
        let base = mark.last;
        Self { birth: Some(birth), hard: HardState::default(), mark, base, last: base.index, held: Runs::default() }
    }

    /// Checks that all entries from the base to the last are there.
    ///
    /// # Errors
    /// The index of the first that is missing.
    pub(super) fn check_whole(&self) -> Result<(), LogIndex> {
        let mut next = self.base.index.next();
        for (first, run) in self.held.iter() {
            if first != next {
                return Err(next);
            }
            next = first.plus(run.entries.len() as u64);
        }
        if next == self.last.next() { Ok(()) } else { Err(next) }
    }

    /// Takes a write in.
    ///
    /// # Errors
    /// Why it cannot follow what came before; the replica is then in no particular state.
    pub(super) fn apply(&mut self, write: &Write<P>, placed: Placed, usage: &mut Usage) -> Result<(), String> {
        match write {
            Write::HardState(hard) if hard.term < self.hard.term => Err(format!("the term falls to {}", hard.term)),
            Write::HardState(hard) => {
                self.hard = *hard;
                Ok(())
            }
            Write::Truncate { from } if *from <= self.mark.last.index.max(self.base.index) || *from > self.last => {
                let Self { base, mark, last, .. } = self;
                Err(format!("a cut at {from} of a log from {} to {last}, snapshot {}", base.index, mark.last.index))
            }
            Write::Truncate { from } => {
                self.last = from.prev();
                usage.release(self.held.split_off(*from));
                Ok(())
            }
            Write::Append { first, .. } if *first != self.last.next() => {
                Err(format!("entries at {first} after a log that ends at {}", self.last))
            }
            Write::Append { first, entries } => {
                self.last = LogIndex::new(first.get() + entries.len() as u64 - 1);
                self.hold(*first, entries, placed, usage);
                Ok(())
            }
            Write::Mark(mark) if mark.last.index < self.mark.last.index || mark.last.index > self.last => {
                Err(format!("a snapshot at {} of a log that ends at {}", mark.last.index, self.last))
            }
            Write::Mark(mark) => {
                self.set_mark(mark);
                Ok(())
            }
            Write::Purge { base } if base.index < self.base.index || base.index > self.mark.last.index => {
                Err(format!("a purge up to {} with a snapshot at {}", base.index, self.mark.last.index))
            }
            Write::Purge { base } => {
                self.set_base(*base, usage);
                Ok(())
            }
            Write::Install(mark) if mark.last.index < self.mark.last.index => {
                Err(format!("an installed snapshot at {} before {}", mark.last.index, self.mark.last.index))
            }
            Write::Install(mark) => {
                self.set_mark(mark);
                self.base = mark.last;
                self.last = mark.last.index;
                self.forget(usage);
                Ok(())
            }
        }
    }

    fn set_mark(&mut self, mark: &Mark) {
        self.mark = mark.clone();
        if mark.last.index > LogIndex::ZERO {
            self.birth = None;
        }
    }

    fn set_base(&mut self, base: LogPosition, usage: &mut Usage) {
        let kept = self.held.split_off(base.index.next());
        usage.release(std::mem::replace(&mut self.held, kept));
        self.base = base;
    }

    /// Drops all entries.
    pub(super) fn forget(&mut self, usage: &mut Usage) {
        usage.release(std::mem::take(&mut self.held));
    }

    /// Keeps entries that were written at `placed`, in place of any that were written elsewhere.
    pub(super) fn hold(&mut self, first: LogIndex, entries: &[Arc<Entry<P>>], placed: Placed, usage: &mut Usage) {
        let bytes = placed.bytes / (entries.len() as u64).max(1);
        usage.hold(placed.segment, entries.len() as u64, bytes);
        usage.release(self.held.replace(first, Run { entries: entries.to_vec(), segment: placed.segment, bytes }));
    }

    /// Everything but the entries.
    pub(super) fn restated(&self, group: GroupId) -> Restated {
        let (birth, mark) = (self.birth.clone(), self.mark.clone());
        Restated { group, birth, hard: self.hard, mark, base: self.base, last: self.last }
    }

    /// Takes a restatement in: what lies outside the log that it names is gone.
    pub(super) fn restate(&mut self, restated: Restated, usage: &mut Usage) {
        let Restated { group: _, birth, hard, mark, base, last } = restated;
        (self.birth, self.hard, self.mark, self.last) = (birth, hard, mark, last);
        self.set_base(base, usage);
        usage.release(self.held.split_off(last.next()));
    }

    /// A replica of which only a restatement is known.
    pub(super) fn from_restated(restated: Restated) -> Self {
        let Restated { group: _, birth, hard, mark, base, last } = restated;
        Self { birth, hard, mark, base, last, held: Runs::default() }
    }

    /// The runs of consecutive entries that lie in these segments.
    pub(super) fn runs_in(&self, segments: &[u64]) -> Vec<(LogIndex, Vec<Arc<Entry<P>>>)> {
        let mut runs: Vec<(LogIndex, Vec<Arc<Entry<P>>>)> = Vec::new();
        for (index, held) in self.held.iter().filter(|(_, held)| segments.contains(&held.segment)) {
            match runs.last_mut() {
                Some((first, run)) if first.plus(run.len() as u64) == index => run.extend_from_slice(&held.entries),
                _ => runs.push((index, held.entries.clone())),
            }
        }
        runs
    }

    /// What lies in the `moved` segments now lies in `segment`.
    pub(super) fn relocate(&mut self, moved: &[u64], segment: u64, usage: &mut Usage) {
        for held in self.held.iter_mut().filter(|held| moved.contains(&held.segment)) {
            let entries = held.entries.len() as u64;
            usage.leave(held.segment, entries, held.bytes);
            usage.hold(segment, entries, held.bytes);
            held.segment = segment;
        }
    }
}
