//! The log in memory: a base that stands for everything compacted away, and the entries after it.
//!
//! It answers questions about positions and never guesses: the term of a compacted index is unknown, not 0
//! (`compacted-term-zero-matches`). Every question is answered in constant or logarithmic time.

use super::types::{Entry, LogPosition, Payload};
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use quorate_spec::ids::{LogIndex, Term};

/// What an entry costs besides its payload: term, kind, and what the log's own records add.
const ENTRY_OVERHEAD: u64 = 16;

/// The entries after `base`, shared with whoever sends or writes them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Log<P> {
    base: LogPosition,
    entries: VecDeque<Arc<Entry<P>>>,
    /// The sum of [`entry_bytes`] over `entries`.
    bytes: u64,
}

/// What an entry counts for in quotas, batch limits and the size of the log, in bytes.
pub(super) fn entry_bytes<P: Payload>(entry: &Entry<P>) -> u64 {
    entry.payload().map_or(0, |payload| payload.bytes() as u64) + ENTRY_OVERHEAD
}

impl<P: Payload> Log<P> {
    /// A log of these entries.
    pub(super) fn new(base: LogPosition, entries: Vec<Arc<Entry<P>>>) -> Self {
        let bytes = entries.iter().map(|entry| entry_bytes(entry)).sum();
        Self { base, entries: entries.into(), bytes }
    }

    /// The position before the first entry.
    pub(super) const fn base(&self) -> LogPosition {
        self.base
    }

    /// The bytes of the live entries.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The bytes of the live entries after an index. Takes time linear in their number.
    pub(super) fn bytes_after(&self, index: LogIndex) -> u64 {
        let count = usize::try_from(self.last_index().since(index)).unwrap_or(usize::MAX);
        self.entries.iter().rev().take(count).map(|entry| entry_bytes(entry)).sum()
    }

    /// The index of the last entry, or of the base.
    pub(super) fn last_index(&self) -> LogIndex {
        self.base.index.plus(self.entries.len() as u64)
    }

    /// Where the log ends: what elections compare.
    pub(super) fn last(&self) -> LogPosition {
        LogPosition { term: self.entries.back().map_or(self.base.term, |entry| entry.term), index: self.last_index() }
    }

    /// The entries after an index between the base and the end of the log.
    pub(super) fn iter_after(&self, index: LogIndex) -> impl Iterator<Item = &Arc<Entry<P>>> {
        self.entries.range(index.since(self.base.index) as usize..)
    }

    /// The entry at an index, unless it is compacted or not there yet.
    pub(super) fn get(&self, index: LogIndex) -> Option<&Arc<Entry<P>>> {
        let offset = index.since(self.base.index).checked_sub(1)?;
        self.entries.get(usize::try_from(offset).ok()?)
    }

    /// The term at an index, the base included. `None`: compacted or not there, so it matches nothing.
    pub(super) fn term_at(&self, index: LogIndex) -> Option<Term> {
        if index == self.base.index { Some(self.base.term) } else { self.get(index).map(|entry| entry.term) }
    }

    /// Whether the log has this very position.
    pub(super) fn holds(&self, position: LogPosition) -> bool {
        self.term_at(position.index) == Some(position.term)
    }

    /// The position at an index that is known to be in the log.
    pub(super) fn position(&self, index: LogIndex) -> LogPosition {
        let term = self.term_at(index).expect("the index lies between the base and the end of the log");
        LogPosition { term, index }
    }

    /// The entries from `first` on, of at most `limit` bytes but at least one if there is one.
    pub(super) fn slice(&self, first: LogIndex, limit: usize) -> Vec<Arc<Entry<P>>> {
        let mut room = limit as u64;
        let mut slice = Vec::new();
        let mut index = first;
        while let Some(entry) = self.get(index) {
            let bytes = entry_bytes(entry);
            if !slice.is_empty() && bytes > room {
                break;
            }
            room = room.saturating_sub(bytes);
            slice.push(Arc::clone(entry));
            index = index.next();
        }
        slice
    }

    /// The first index of this term in the log (terms never decrease along it); the end if there is none.
    pub(super) fn first_of_term(&self, term: Term) -> LogIndex {
        if self.base.term == term {
            return self.base.index;
        }
        self.base.index.plus(self.entries.partition_point(|entry| entry.term < term) as u64 + 1)
    }

    /// The last index of this term in the log, if it has entries (or the base) of that term.
    pub(super) fn last_of_term(&self, term: Term) -> Option<LogIndex> {
        let last = self.base.index.plus(self.entries.partition_point(|entry| entry.term <= term) as u64);
        (self.term_at(last) == Some(term)).then_some(last)
    }

    /// Adds entries at the end.
    pub(super) fn append(&mut self, entries: impl IntoIterator<Item = Arc<Entry<P>>>) {
        for entry in entries {
            self.bytes += entry_bytes(&entry);
            self.entries.push_back(entry);
        }
    }

    /// Removes the entries from `from` on.
    pub(super) fn truncate(&mut self, from: LogIndex) {
        while self.last_index() >= from
            && let Some(entry) = self.entries.pop_back()
        {
            self.bytes -= entry_bytes(&entry);
        }
    }

    /// Removes the entries up to `base`, which becomes the base.
    pub(super) fn purge(&mut self, base: LogPosition) {
        for _ in 0..base.index.since(self.base.index) {
            let entry = self.entries.pop_front().expect("only entries that are in the log are purged");
            self.bytes -= entry_bytes(&entry);
        }
        self.base = base;
    }

    /// Forgets everything: the log is empty after `base`.
    pub(super) fn reset(&mut self, base: LogPosition) {
        *self = Self { base, entries: VecDeque::new(), bytes: 0 };
    }
}
