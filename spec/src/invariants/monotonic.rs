//! Within one boot, the term, the commit index and the applied index never move back, a vote does not change within its
//! term, and a leader's knowledge of a voter's durable log does not shrink within its term.
//!
//! Raft paper, figure 2 and section 5.1. TLA+ `Raft!Monotonic`. Kept by `core/src/raft/` (every move of these counters
//! is a maximum; replies of earlier terms are dropped; late snapshots are ignored).

use crate::views::{ReplicaView, Role};
use crate::violation::Violation;
use alloc::format;
use alloc::string::String;

/// The property's name.
pub const NAME: &str = "Monotonic";

/// From `before` to `after`, two views of one replica within one boot, nothing moved back.
pub fn monotonic(before: &ReplicaView, after: &ReplicaView) -> Result<(), Violation> {
    let node = after.node;
    let broken = |evidence: String| Err(Violation::new(NAME, evidence));
    if after.term < before.term {
        return broken(format!("the term of {node} moved back from {} to {}", before.term, after.term));
    }
    if after.commit < before.commit {
        return broken(format!("the commit index of {node} moved back from {} to {}", before.commit, after.commit));
    }
    if after.applied < before.applied {
        return broken(format!("the applied index of {node} moved back from {} to {}", before.applied, after.applied));
    }
    if after.term != before.term {
        return Ok(());
    }
    if let Some(vote) = before.voted_for.filter(|vote| after.voted_for != Some(*vote)) {
        let now = after.voted_for.map_or_else(|| "nobody".into(), |now| format!("{now}"));
        return broken(format!("in term {} the vote of {node} changed from {vote} to {now}", after.term));
    }
    if before.role == Role::Leader && after.role == Role::Leader {
        for (voter, had) in &before.matched {
            let has = after.matched.get(voter).copied().unwrap_or_default();
            if has < *had {
                return broken(format!("what {node} knows to match on {voter} moved back from {had} to {has}"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{LogIndex, Term};
    use crate::invariants::sample::{assert_violates, index, log, node, replica};

    fn leader() -> ReplicaView {
        let mut view = replica(1, 3, Role::Leader, log(&[(3, 1), (3, 2)]), 2);
        view.matched = [(node(1), index(2)), (node(2), index(2))].into();
        view
    }

    #[test]
    fn counters_may_grow_and_a_new_term_clears_the_vote() {
        let mut after = leader();
        after.matched.insert(node(3), index(1));
        assert_eq!(monotonic(&leader(), &after), Ok(()));
        after = replica(1, 4, Role::Follower, after.log, 2);
        assert_eq!(monotonic(&leader(), &after), Ok(()));
    }

    #[test]
    fn each_move_back_is_named() {
        let judge = |change: fn(&mut ReplicaView), culprits: &[&str]| {
            let mut after = leader();
            change(&mut after);
            assert_violates(monotonic(&leader(), &after), NAME, culprits);
        };
        judge(|view| view.term = Term::new(2), &["term", "n1", "from 3 to 2"]);
        judge(|view| view.commit = LogIndex::new(1), &["commit", "n1", "from 2 to 1"]);
        judge(|view| view.applied = LogIndex::ZERO, &["applied", "n1", "from 2 to 0"]);
        judge(|view| view.voted_for = Some(node(2)), &["term 3", "from n1 to n2"]);
        judge(|view| view.voted_for = None, &["term 3", "from n1 to nobody"]);
        judge(|view| *view.matched.entry(node(2)).or_default() = index(1), &["n2", "from 2 to 1"]);
        judge(|view| view.matched.clear(), &["from 2 to 0"]);
    }
}
