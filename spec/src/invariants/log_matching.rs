//! If two logs hold an entry of the same index and term, they are identical up to it.
//!
//! Raft paper, figure 3 and section 5.3. TLA+ `Raft!LogMatching`. Kept by `core/src/raft/` (the check of the position
//! before the entries of an append; a leader creates one entry per index and term).

use crate::ids::NodeId;
use crate::views::{LogView, ReplicaView};
use crate::violation::Violation;
use alloc::format;

/// The property's name.
pub const NAME: &str = "LogMatching";

/// The logs of every two replicas match.
pub fn log_matching(replicas: &[ReplicaView]) -> Result<(), Violation> {
    for (place, one) in replicas.iter().enumerate() {
        for other in replicas.iter().skip(place + 1) {
            between((one.node, &one.log), (other.node, &other.log))?;
        }
    }
    Ok(())
}

/// Two logs match, in memory or on disk, as far as neither has been compacted.
pub fn between(one: (NodeId, &LogView), other: (NodeId, &LogView)) -> Result<(), Violation> {
    let (left, right) = (one.1, other.1);
    let lowest = left.base_index.max(right.base_index);
    let mut at = left.last_index().min(right.last_index());
    let mut agreed = None;
    while at >= lowest {
        if agreed.is_none() && left.term_at(at) == right.term_at(at) {
            agreed = Some(at);
        }
        // A base has a term and no content.
        let same = match (left.get(at), right.get(at)) {
            (Some(left), Some(right)) => left == right,
            _ => left.term_at(at) == right.term_at(at),
        };
        if let (Some(agreed), false) = (agreed, same) {
            let evidence = format!(
                "the logs of {} and {} agree on the term at index {agreed} and differ at index {at}",
                one.0, other.0
            );
            return Err(Violation::new(NAME, evidence));
        }
        if at == lowest {
            break;
        }
        at = at.prev();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::sample::{assert_violates, compacted, log, replica};
    use crate::views::Role;

    fn judge(one: LogView, other: LogView) -> Result<(), Violation> {
        log_matching(&[replica(1, 9, Role::Follower, one, 0), replica(2, 9, Role::Follower, other, 0)])
    }

    #[test]
    fn logs_may_differ_after_the_last_agreement() {
        assert_eq!(judge(log(&[(1, 7), (1, 8), (2, 9)]), log(&[(1, 7), (1, 8), (3, 1), (3, 2)])), Ok(()));
        assert_eq!(judge(compacted(log(&[(1, 7), (2, 8)]), 1), log(&[(1, 7), (2, 8)])), Ok(()));
        assert_eq!(judge(compacted(log(&[(1, 7), (2, 8)]), 2), log(&[(3, 7)])), Ok(()), "nothing in common");
    }

    #[test]
    fn a_difference_below_an_agreement_is_named() {
        let result = judge(log(&[(1, 7), (1, 8), (3, 9)]), log(&[(1, 7), (2, 8), (3, 9)]));
        assert_violates(result, NAME, &["n1", "n2", "index 3", "index 2"]);
    }

    #[test]
    fn one_index_and_term_has_one_content() {
        assert_violates(judge(log(&[(1, 7)]), log(&[(1, 8)])), NAME, &["differ at index 1"]);
    }

    #[test]
    fn the_term_of_a_base_counts() {
        let result = judge(compacted(log(&[(2, 7), (3, 8)]), 1), log(&[(1, 7), (3, 8)]));
        assert_violates(result, NAME, &["index 2", "index 1"]);
    }
}
