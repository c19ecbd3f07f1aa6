//! Log entries by index, in runs: what came in one write lies in one place, so that it is found, counted and let go of as
//! one.

use quorate_core::raft::Entry;
use quorate_core::spec::ids::LogIndex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Consecutive entries that lie together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run<P> {
    /// At least one.
    pub(super) entries: Vec<Arc<Entry<P>>>,
    /// The segment.
    pub(super) segment: u64,
    /// The bytes of one entry, about.
    pub(super) bytes: u64,
}

/// Entries by index, some of which may be missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Runs<P> {
    /// By the index of their first entry; they do not overlap.
    runs: BTreeMap<LogIndex, Run<P>>,
}

impl<P> Default for Runs<P> {
    fn default() -> Self {
        Self { runs: BTreeMap::new() }
    }
}

impl<P> Runs<P> {
    /// The entries, in order.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Arc<Entry<P>>> {
        self.runs.values().flat_map(|run| &run.entries)
    }

    /// The runs and the indices of their first entries, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (LogIndex, &Run<P>)> {
        self.runs.iter().map(|(first, run)| (*first, run))
    }

    /// The runs, in order.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Run<P>> {
        self.runs.values_mut()
    }

    /// Takes all runs out.
    pub(super) fn into_runs(self) -> impl Iterator<Item = Run<P>> {
        self.runs.into_values()
    }

    /// Takes out the entries from `from` on.
    pub(super) fn split_off(&mut self, from: LogIndex) -> Self {
        let mut after = self.runs.split_off(&from);
        if let Some(mut last) = self.runs.last_entry() {
            let keep = usize::try_from(from.since(*last.key())).unwrap_or(usize::MAX);
            let run = last.get_mut();
            if keep < run.entries.len() {
                let rest = Run { entries: run.entries.split_off(keep), ..*run };
                after.insert(from, rest);
            }
        }
        Self { runs: after }
    }

    /// Puts a run in at `first`, and takes out what was there.
    pub(super) fn replace(&mut self, first: LogIndex, run: Run<P>) -> Self {
        if run.entries.is_empty() {
            return Self::default();
        }
        let mut replaced = self.split_off(first);
        let mut after = replaced.split_off(first.plus(run.entries.len() as u64));
        self.runs.insert(first, run);
        self.runs.append(&mut after.runs);
        replaced
    }
}
