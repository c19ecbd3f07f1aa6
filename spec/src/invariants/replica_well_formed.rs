//! One replica's state makes sense by itself: base <= applied <= commit <= last; terms in the log do not fall and do not
//! pass the current term; candidates and leaders voted for themselves; nothing matches beyond a leader's log.
//!
//! Raft paper, figure 2. TLA+ `Raft!TypeOK`. Kept by all of `core/src/raft/`.

use crate::views::{ReplicaView, Role};
use crate::violation::Violation;
use alloc::format;
use alloc::string::String;

/// The property's name.
pub const NAME: &str = "ReplicaWellFormed";

/// The replica's state makes sense by itself.
pub fn replica_well_formed(replica: &ReplicaView) -> Result<(), Violation> {
    let ReplicaView { node, log, term, .. } = replica;
    let broken = |evidence: String| Err(Violation::new(NAME, evidence));
    let (base, last) = (log.base_index, log.last_index());
    if !(base <= replica.applied && replica.applied <= replica.commit && replica.commit <= last) {
        let (applied, commit) = (replica.applied, replica.commit);
        return broken(format!(
            "on {node}: base {base}, applied {applied}, commit {commit}, last {last} are not in order"
        ));
    }
    let mut previous = log.base_term;
    for (offset, entry) in log.entries.iter().enumerate() {
        if entry.term < previous {
            let index = base.plus(offset as u64 + 1);
            return broken(format!("in the log of {node} term {} at index {index} follows {previous}", entry.term));
        }
        previous = entry.term;
    }
    if previous > *term {
        return broken(format!("the log of {node} in term {term} ends with an entry of term {previous}"));
    }
    if matches!(replica.role, Role::Candidate | Role::Leader) && replica.voted_for != Some(*node) {
        return broken(format!("{node} is {:?} of term {term} without its own vote", replica.role));
    }
    if replica.role == Role::Leader
        && let Some((voter, matched)) = replica.matched.iter().find(|(_, matched)| **matched > last)
    {
        return broken(format!("{node} leads with a log up to {last} and believes {matched} to match on {voter}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Term;
    use crate::invariants::sample::{assert_violates, compacted, index, log, node, replica};

    fn leader() -> ReplicaView {
        replica(1, 3, Role::Leader, compacted(log(&[(1, 1), (2, 2), (3, 3)]), 1), 2)
    }

    #[test]
    fn a_leader_in_good_order_passes() {
        assert_eq!(replica_well_formed(&leader()), Ok(()));
    }

    #[test]
    fn each_disorder_is_named() {
        let judge = |change: fn(&mut ReplicaView), culprits: &[&str]| {
            let mut view = leader();
            change(&mut view);
            assert_violates(replica_well_formed(&view), NAME, culprits);
        };
        judge(|view| view.commit = index(4), &["n1", "commit 4", "last 3"]);
        judge(|view| view.commit = index(1), &["n1", "applied 2", "commit 1"]);
        judge(|view| view.applied = index(0), &["n1", "base 1", "applied 0"]);
        judge(|view| view.log.entries[1].term = Term::new(1), &["n1", "term 1", "index 3"]);
        judge(|view| view.log.entries[1].term = Term::new(4), &["n1", "term 3", "term 4"]);
        judge(|view| view.voted_for = Some(node(2)), &["n1", "Leader", "own vote"]);
        judge(|view| view.matched = [(node(2), index(4))].into(), &["n1", "n2", "4"]);
    }
}
