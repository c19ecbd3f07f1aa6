//! Every committed entry is in the durable log, or under a durable snapshot, of a majority of the voters.
//!
//! Raft paper, figure 2 and section 5.3 ("on stable storage before responding"). TLA+ `Raft!CommittedDurable`. Kept by
//! the outbox of `core/src/raft/` (an acknowledgement waits for its write, the leader's own too) and by compaction (only
//! below a durable snapshot).

use super::leader_completeness::Committed;
use super::list;
use crate::ids::{LogIndex, NodeId};
use crate::views::{DurableView, EntryView};
use crate::violation::Violation;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::vec::Vec;
use core::ops::Bound::{Excluded, Unbounded};

/// The property's name.
pub const NAME: &str = "CommittedDurable";

/// What was committed would survive a crash of every node now.
pub fn committed_durable(
    committed: &BTreeMap<LogIndex, Committed>,
    voters: &BTreeSet<NodeId>,
    disks: &[DurableView],
) -> Result<(), Violation> {
    let quorum = voters.len() / 2 + 1;
    let disks = || disks.iter().filter(|disk| voters.contains(&disk.node));
    // Snapshots of a quorum cover everything up to the lowest of them: no need to look there.
    let mut snapshots: Vec<LogIndex> = disks().map(|disk| disk.snapshot).collect();
    snapshots.sort_unstable_by(|one, other| other.cmp(one));
    let covered = snapshots.get(quorum - 1).copied().unwrap_or_default();
    for (index, seen) in committed.range((Excluded(covered), Unbounded)) {
        let copies = disks().filter(|disk| holds(disk, *index, &seen.entry)).count();
        if copies < quorum {
            let without = list(disks().filter(|disk| !holds(disk, *index, &seen.entry)).map(|disk| disk.node));
            let evidence = format!(
                "the entry of term {} committed at index {index} is durable on {copies} of {} voters, not on {without}",
                seen.entry.term,
                voters.len()
            );
            return Err(Violation::new(NAME, evidence));
        }
    }
    Ok(())
}

/// A compacted entry counts only under a durable snapshot.
fn holds(disk: &DurableView, index: LogIndex, entry: &EntryView) -> bool {
    index <= disk.snapshot || disk.log.get(index) == Some(entry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Term;
    use crate::invariants::sample::{assert_violates, compacted, index, log, node, voters};
    use crate::views::LogView;

    fn disk(id: u64, log: LogView, snapshot: u64) -> DurableView {
        DurableView { node: node(id), term: Term::new(2), voted_for: None, log, snapshot: index(snapshot) }
    }

    fn committed() -> BTreeMap<LogIndex, Committed> {
        let seen = |term, digest| Committed { entry: EntryView { term: Term::new(term), digest }, term: Term::new(2) };
        [(index(1), seen(1, 7)), (index(2), seen(2, 8))].into()
    }

    #[test]
    fn a_majority_in_logs_or_snapshots_is_enough() {
        let full = log(&[(1, 7), (2, 8)]);
        let disks = [disk(1, full.clone(), 0), disk(2, compacted(full, 2), 2), disk(3, log(&[(1, 6)]), 0)];
        assert_eq!(committed_durable(&committed(), &voters(), &disks), Ok(()));
    }

    #[test]
    fn an_entry_on_a_minority_is_named() {
        let disks =
            [disk(1, log(&[(1, 7), (2, 8)]), 0), disk(2, log(&[(1, 7)]), 0), disk(3, log(&[(1, 7), (1, 9)]), 0)];
        let result = committed_durable(&committed(), &voters(), &disks);
        assert_violates(result, NAME, &["index 2", "1 of 3", "n2, n3"]);
    }

    #[test]
    fn a_log_compacted_without_a_snapshot_holds_nothing() {
        let full = log(&[(1, 7), (2, 8)]);
        let disks = [disk(1, full.clone(), 0), disk(2, compacted(full, 2), 0)];
        assert_violates(committed_durable(&committed(), &voters(), &disks), NAME, &["index 1", "n2"]);
    }
}
