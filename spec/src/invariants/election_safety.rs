//! At most one leader per term.
//!
//! Raft paper, figure 3 and section 5.2. TLA+ `Raft!ElectionSafety`. Kept by `core/src/raft/election.rs` (one durable
//! vote per term, a quorum of distinct voters) and by the outbox (a vote is not told before it is durable).

use crate::ids::{NodeId, Term};
use crate::views::{ReplicaView, Role};
use crate::violation::Violation;
use alloc::collections::BTreeMap;
use alloc::format;

/// The property's name.
pub const NAME: &str = "ElectionSafety";

/// No two replicas lead the same term now.
pub fn election_safety(replicas: &[ReplicaView]) -> Result<(), Violation> {
    observe(&mut BTreeMap::new(), replicas)
}

/// No two nodes have ever led the same term: `leaders` remembers who led each term.
pub fn observe(leaders: &mut BTreeMap<Term, NodeId>, replicas: &[ReplicaView]) -> Result<(), Violation> {
    for replica in replicas.iter().filter(|replica| replica.role == Role::Leader) {
        let first = *leaders.entry(replica.term).or_insert(replica.node);
        if first != replica.node {
            let evidence = format!("{first} and {} both led term {}", replica.node, replica.term);
            return Err(Violation::new(NAME, evidence));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::sample::{assert_violates, log, replica};

    #[test]
    fn leaders_of_different_terms_may_coexist() {
        let old = replica(1, 1, Role::Leader, log(&[]), 0);
        let new = replica(2, 2, Role::Leader, log(&[]), 0);
        assert_eq!(election_safety(&[old, new]), Ok(()));
    }

    #[test]
    fn two_leaders_of_one_term_are_named() {
        let one = replica(1, 2, Role::Leader, log(&[]), 0);
        let two = replica(3, 2, Role::Leader, log(&[]), 0);
        assert_violates(election_safety(&[one, two]), NAME, &["n1", "n3", "term 2"]);
    }

    #[test]
    fn a_leader_that_is_gone_still_counts() {
        let mut leaders = BTreeMap::new();
        assert_eq!(observe(&mut leaders, &[replica(1, 2, Role::Leader, log(&[]), 0)]), Ok(()));
        assert_eq!(observe(&mut leaders, &[replica(1, 2, Role::Follower, log(&[]), 0)]), Ok(()));
        let later = observe(&mut leaders, &[replica(2, 2, Role::Leader, log(&[]), 0)]);
        assert_violates(later, NAME, &["n1", "n2", "term 2"]);
    }
}
