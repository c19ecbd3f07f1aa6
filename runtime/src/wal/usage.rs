//! How much lives in each segment, and what no longer lives anywhere but was not freed yet.
//!
//! A purge lets go of a hundred thousand entries at once. Freeing them takes as long as a hundred syncs, for which
//! everybody would wait: so it is done little by little, while the log goes on.

use super::runs::Runs;
use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;

/// How many runs are freed for each that came: what a purge left over is then gone before the next one, and what waits
/// is bounded by what was written.
const FREED_PER_RUN: usize = 3;

/// What is alive in one segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Live {
    /// Entries.
    pub(super) entries: u64,
    /// Their bytes, about.
    pub(super) bytes: u64,
}

/// What lives in each segment, all replicas together.
#[derive(Default)]
pub(super) struct Usage {
    live: BTreeMap<u64, Live>,
    /// Runs that nobody needs.
    gone: VecDeque<Box<dyn Any + Send>>,
    /// How many of them are to be freed next.
    due: usize,
}

impl fmt::Debug for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Usage").field("live", &self.live).field("gone", &self.gone.len()).finish_non_exhaustive()
    }
}

impl Usage {
    /// What lives in a segment.
    pub(super) fn live(&self, segment: u64) -> Live {
        self.live.get(&segment).copied().unwrap_or_default()
    }

    /// So many entries, of so many bytes each, are in a segment.
    pub(super) fn hold(&mut self, segment: u64, entries: u64, bytes: u64) {
        let live = self.live.entry(segment).or_default();
        live.entries += entries;
        live.bytes += entries * bytes;
        self.due += FREED_PER_RUN;
    }

    /// They live there no longer.
    pub(super) fn leave(&mut self, segment: u64, entries: u64, bytes: u64) {
        if let Some(live) = self.live.get_mut(&segment) {
            live.entries -= entries;
            live.bytes -= entries * bytes;
        }
    }

    /// These live nowhere any more, and are to be freed.
    pub(super) fn release<P: Send + Sync + 'static>(&mut self, runs: Runs<P>) {
        for run in runs.into_runs() {
            self.leave(run.segment, run.entries.len() as u64, run.bytes);
            self.gone.push_back(Box::new(run.entries));
        }
    }

    /// Frees some of what was released: more than has come since the last time, if there is more.
    pub(super) fn free_some(&mut self) {
        let count = std::mem::take(&mut self.due).min(self.gone.len());
        self.gone.drain(..count);
    }

    /// Forgets segments that are gone.
    pub(super) fn forget_segments(&mut self, kept: impl Fn(u64) -> bool) {
        self.live.retain(|segment, live| kept(*segment) || live.entries > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::super::runs::Run;
    use super::*;
    use quorate_core::raft::{Entry, EntryKind};
    use quorate_core::spec::ids::{LogIndex, Term};
    use std::sync::Arc;

    fn run(segment: u64, count: usize) -> Run<u8> {
        let entry = Arc::new(Entry { term: Term::new(1), kind: EntryKind::Noop });
        Run { entries: vec![entry; count], segment, bytes: 10 }
    }

    #[test]
    fn released_runs_are_counted_out_at_once_and_freed_while_others_come() {
        let (mut usage, mut held) = (Usage::default(), Runs::default());
        for number in 0..100 {
            usage.hold(1, 5, 10);
            usage.release(held.replace(LogIndex::new(1 + 5 * number), run(1, 5)));
        }
        usage.free_some();
        assert_eq!(usage.live(1), Live { entries: 500, bytes: 5000 });
        usage.release(held);
        assert_eq!((usage.live(1), usage.gone.len()), (Live::default(), 100));
        for came in 1..=34 {
            usage.hold(2, 1, 10);
            usage.free_some();
            assert_eq!(usage.gone.len(), 100_usize.saturating_sub(FREED_PER_RUN * came));
        }
        assert_eq!(usage.live(2), Live { entries: 34, bytes: 340 });
    }
}
