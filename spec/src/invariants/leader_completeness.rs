//! Every committed entry is in the log of every leader of the commit's term and of later ones.
//!
//! Raft paper, figure 3 and section 5.4. TLA+ `Raft!LeaderCompleteness`. Kept by `core/src/raft/` (only an entry of the
//! own term is committed by counting; the log comparison of votes; an acknowledgement rests on a durable write).

use super::show;
use crate::ids::{LogIndex, Term};
use crate::views::{EntryView, ReplicaView, Role};
use crate::violation::Violation;
use alloc::collections::BTreeMap;
use alloc::format;
use core::ops::Bound::{Excluded, Unbounded};

/// The property's name.
pub const NAME: &str = "LeaderCompleteness";

/// An entry that was seen committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Committed {
    /// The entry.
    pub entry: EntryView,
    /// The lowest term in which a replica knew it to be committed: leaders from this term on must hold it.
    pub term: Term,
}

/// Remembers what `replica` knows to be committed. A committed entry is never replaced.
pub fn observe(committed: &mut BTreeMap<LogIndex, Committed>, replica: &ReplicaView) -> Result<(), Violation> {
    let first = replica.log.base_index.next();
    let known = replica.commit.since(replica.log.base_index) as usize;
    for (offset, entry) in replica.log.entries.iter().take(known).enumerate() {
        let index = first.plus(offset as u64);
        let seen = committed.entry(index).or_insert(Committed { entry: *entry, term: replica.term });
        if seen.entry != *entry {
            let evidence = format!(
                "index {index} was committed with {}, and {} of term {} holds {} committed there",
                show(&seen.entry),
                replica.node,
                replica.term,
                show(entry)
            );
            return Err(Violation::new(NAME, evidence));
        }
        seen.term = seen.term.min(replica.term);
    }
    Ok(())
}

/// Every leader holds what was committed in its term or before.
pub fn leader_completeness(
    committed: &BTreeMap<LogIndex, Committed>,
    replicas: &[ReplicaView],
) -> Result<(), Violation> {
    for leader in replicas.iter().filter(|replica| replica.role == Role::Leader) {
        let log = &leader.log;
        let below = committed.get(&log.base_index).filter(|seen| seen.entry.term != log.base_term);
        let below = below.map(|seen| (&log.base_index, seen));
        let above = committed.range((Excluded(log.base_index), Unbounded));
        let missing = above.filter(|(index, seen)| log.get(**index) != Some(&seen.entry));
        if let Some((index, seen)) = below.into_iter().chain(missing).find(|(_, seen)| seen.term <= leader.term) {
            let evidence = format!(
                "{} leads term {} without the entry of term {} that was committed at index {index} in term {}",
                leader.node, leader.term, seen.entry.term, seen.term
            );
            return Err(Violation::new(NAME, evidence));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::sample::{assert_violates, compacted, log, replica};

    fn after_commit_in_term_2() -> BTreeMap<LogIndex, Committed> {
        let mut committed = BTreeMap::new();
        observe(&mut committed, &replica(1, 2, Role::Leader, log(&[(1, 7), (2, 8), (2, 9)]), 2)).expect("first seen");
        assert_eq!(committed.len(), 2, "only what is committed is remembered");
        committed
    }

    #[test]
    fn later_leaders_hold_it_and_earlier_ones_need_not() {
        let holds = replica(2, 3, Role::Leader, log(&[(1, 7), (2, 8)]), 0);
        let compact = replica(2, 4, Role::Leader, compacted(log(&[(1, 7), (2, 8)]), 2), 2);
        let deposed = replica(3, 1, Role::Leader, log(&[(1, 7)]), 0);
        assert_eq!(leader_completeness(&after_commit_in_term_2(), &[holds, compact, deposed]), Ok(()));
    }

    #[test]
    fn a_later_leader_without_it_is_named() {
        let leader = replica(3, 3, Role::Leader, log(&[(1, 7), (3, 8)]), 0);
        let result = leader_completeness(&after_commit_in_term_2(), &[leader]);
        assert_violates(result, NAME, &["n3", "term 3", "index 2"]);
        let leader = replica(3, 3, Role::Leader, compacted(log(&[(1, 7), (1, 8)]), 2), 2);
        let result = leader_completeness(&after_commit_in_term_2(), &[leader]);
        assert_violates(result, NAME, &["n3", "index 2"]);
    }

    #[test]
    fn a_replaced_committed_entry_is_named() {
        let other = replica(2, 3, Role::Follower, log(&[(1, 7), (3, 8)]), 2);
        assert_violates(observe(&mut after_commit_in_term_2(), &other), NAME, &["index 2", "n2"]);
    }
}
