//! A leader never overwrites or removes an entry of its own log.
//!
//! Raft paper, figure 3 and section 5.3. TLA+ `Raft!LeaderAppendOnly`. Kept by `core/src/raft/` (appends of the own term
//! come from nobody else; compaction moves the base and nothing after it).

use crate::views::{ReplicaView, Role};
use crate::violation::Violation;
use alloc::format;

/// The property's name.
pub const NAME: &str = "LeaderAppendOnly";

/// From `before` to `after`, two views of one replica within one boot, a leader of one term only appended.
pub fn leader_append_only(before: &ReplicaView, after: &ReplicaView) -> Result<(), Violation> {
    let leads = before.role == Role::Leader && after.role == Role::Leader && before.term == after.term;
    if !leads {
        return Ok(());
    }
    let first = before.log.base_index.next();
    for (offset, entry) in before.log.entries.iter().enumerate() {
        let index = first.plus(offset as u64);
        if index > after.log.base_index && after.log.get(index) != Some(entry) {
            let evidence = format!("{}, leader of term {}, lost its entry at index {index}", after.node, after.term);
            return Err(Violation::new(NAME, evidence));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::sample::{assert_violates, compacted, log, replica};

    fn leader(entries: &[(u64, u64)]) -> ReplicaView {
        replica(1, 2, Role::Leader, log(entries), 0)
    }

    #[test]
    fn a_leader_may_append_and_compact() {
        let before = leader(&[(1, 7), (2, 8)]);
        let after = replica(1, 2, Role::Leader, compacted(log(&[(1, 7), (2, 8), (2, 9)]), 1), 1);
        assert_eq!(leader_append_only(&before, &after), Ok(()));
    }

    #[test]
    fn a_follower_may_lose_entries() {
        let before = leader(&[(1, 7), (2, 8)]);
        assert_eq!(leader_append_only(&before, &replica(1, 3, Role::Follower, log(&[(1, 7)]), 0)), Ok(()));
    }

    #[test]
    fn a_lost_or_replaced_entry_is_named() {
        let before = leader(&[(1, 7), (2, 8)]);
        assert_violates(leader_append_only(&before, &leader(&[(1, 7)])), NAME, &["n1", "term 2", "index 2"]);
        assert_violates(leader_append_only(&before, &leader(&[(1, 9), (2, 8)])), NAME, &["n1", "index 1"]);
    }
}
