//! No two replicas ever apply different entries at the same index.
//!
//! Raft paper, figure 3 and section 5.4.3. TLA+ `Raft!StateMachineSafety`. Kept by `core/src/raft/` (the commit index of
//! a follower never passes what an append verified) and by its snapshots (a snapshot covers applied entries only).

use super::show;
use crate::ids::LogIndex;
use crate::views::{EntryView, ReplicaView};
use crate::violation::Violation;
use alloc::collections::BTreeMap;
use alloc::format;

/// The property's name.
pub const NAME: &str = "StateMachineSafety";

/// Remembers what `replica` has applied, and compares it with what any replica ever applied there.
pub fn observe(applied: &mut BTreeMap<LogIndex, EntryView>, replica: &ReplicaView) -> Result<(), Violation> {
    let log = &replica.log;
    if let Some(entry) = applied.get(&log.base_index).filter(|entry| entry.term != log.base_term) {
        let evidence = format!(
            "the snapshot of {} ends with term {} at index {}, where {} was applied",
            replica.node,
            log.base_term,
            log.base_index,
            show(entry)
        );
        return Err(Violation::new(NAME, evidence));
    }
    let first = log.base_index.next();
    let known = replica.applied.since(log.base_index) as usize;
    for (offset, entry) in log.entries.iter().take(known).enumerate() {
        let index = first.plus(offset as u64);
        let seen = applied.entry(index).or_insert(*entry);
        if seen != entry {
            let (now, then) = (show(entry), show(seen));
            let evidence = format!("{} applied {now} at index {index}, where {then} was applied", replica.node);
            return Err(Violation::new(NAME, evidence));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::sample::{assert_violates, compacted, index, log, replica};
    use crate::views::Role;

    fn after_two() -> BTreeMap<LogIndex, EntryView> {
        let mut applied = BTreeMap::new();
        let replica = replica(1, 2, Role::Leader, log(&[(1, 7), (2, 8), (2, 9)]), 2);
        observe(&mut applied, &replica).expect("first seen");
        assert_eq!(applied.len(), 2, "only what is applied is remembered");
        applied
    }

    #[test]
    fn the_same_prefix_may_be_applied_by_all() {
        let mut applied = after_two();
        assert_eq!(observe(&mut applied, &replica(2, 2, Role::Follower, log(&[(1, 7)]), 1)), Ok(()));
        let compact = compacted(log(&[(1, 7), (2, 8), (2, 9)]), 2);
        assert_eq!(observe(&mut applied, &replica(3, 2, Role::Follower, compact, 3)), Ok(()));
        assert!(applied.contains_key(&index(3)));
    }

    #[test]
    fn unapplied_entries_may_differ() {
        assert_eq!(observe(&mut after_two(), &replica(2, 3, Role::Follower, log(&[(1, 7), (3, 1)]), 1)), Ok(()));
    }

    #[test]
    fn another_entry_at_an_applied_index_is_named() {
        let result = observe(&mut after_two(), &replica(2, 3, Role::Follower, log(&[(1, 7), (3, 1)]), 2));
        assert_violates(result, NAME, &["n2", "index 2"]);
        let snapshot = compacted(log(&[(1, 7), (1, 8)]), 2);
        let result = observe(&mut after_two(), &replica(3, 3, Role::Follower, snapshot, 2));
        assert_violates(result, NAME, &["n3", "term 1", "index 2"]);
    }
}
