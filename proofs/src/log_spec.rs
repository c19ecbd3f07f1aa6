//! What a replicated log promises to whatever is built on it: the one relation that the Raft model proves of the real
//! replicas, step by step, and that the model of data groups consumes instead of Raft.
//!
//! # The relation
//!
//! A log is a sequence of committed entries and, per replica, a cursor: how many of them that replica has applied. One
//! step is any of
//!
//! 1. **Append**: entries are added at the end. Each was proposed to this log before, by any replica that ever led, maybe
//!    long ago; a proposal may be appended late, after later ones, or never. (Raft appends one proposal at most once, but
//!    whoever proposes may do it again, so a consumer must expect any proposal any number of times.) Nothing that was
//!    committed ever changes or goes away.
//! 2. **Apply**: a replica's cursor moves forward, never beyond the committed entries. Replicas move apart from each
//!    other, without bound: any of them may lag behind while it leads, or believes to lead, and speaks for its old state.
//! 3. **Restart**: a replica's cursor goes back, no further than its durable snapshot.
//! 4. **Nothing**: every other step of the machinery below changes neither.
//!
//! A **read** is answered from the state of a replica whose cursor is at least what was committed when the read was asked
//! for ([`read_is_fresh`]).
//!
//! # What a consumer may make of it
//!
//! The number of replicas is not told. So at every moment there may be a replica at *every* prefix of the log that was
//! ever committed, and what any prefix would say to a question may be said at any later time. That closure contains every
//! behaviour of any number of replicas, with any crashes: the model of data groups explores it directly.

use quorate_spec::Violation;
use quorate_spec::ids::{LogIndex, NodeId};
use std::fmt::Debug;

/// The property's name.
pub const NAME: &str = "LogSpec";

/// A replicated log, seen from above.
pub trait LogSpec {
    /// What it holds.
    type Entry: PartialEq + Debug;

    /// The index of the last committed entry; 0 if there is none.
    fn committed(&self) -> LogIndex;

    /// The committed entry at `index`; `None` if it is beyond the end, or was compacted away and is remembered nowhere.
    fn entry(&self, index: LogIndex) -> Option<&Self::Entry>;

    /// Whether `entry` was proposed to this log (a leader's own no-op counts as proposed by it).
    fn proposed(&self, entry: &Self::Entry) -> bool;

    /// Every replica's cursor.
    fn cursors(&self) -> Vec<(NodeId, LogIndex)>;
}

/// From `before` to `after`, one step of the machinery apart, the log took a step of the relation. `restarted` names the
/// replicas that restarted in this step.
///
/// # Errors
/// The part of the relation that the step breaks.
pub fn log_step<L: LogSpec>(before: &L, after: &L, restarted: &[NodeId]) -> Result<(), Violation> {
    let broken = |evidence: String| Err(Violation::new(NAME, evidence));
    if after.committed() < before.committed() {
        return broken(format!("the log shrank from {} to {} entries", before.committed(), after.committed()));
    }
    let mut index = LogIndex::ZERO;
    while index < after.committed() {
        index = index.next();
        match (before.entry(index), after.entry(index)) {
            (Some(was), Some(is)) if was != is => {
                return broken(format!("the committed entry {was:?} at index {index} became {is:?}"));
            }
            (None, Some(is)) if index > before.committed() && !before.proposed(is) && !after.proposed(is) => {
                return broken(format!("{is:?} was committed at index {index} and never proposed"));
            }
            _ => {}
        }
    }
    let earlier = before.cursors();
    for (node, applied) in after.cursors() {
        if applied > after.committed() {
            return broken(format!("{node} applied up to {applied}, beyond the {} committed", after.committed()));
        }
        let was = earlier.iter().find(|(other, _)| *other == node).map_or(LogIndex::ZERO, |(_, was)| *was);
        if applied < was && !restarted.contains(&node) {
            return broken(format!("the cursor of {node} moved back from {was} to {applied} without a restart"));
        }
    }
    Ok(())
}

/// A read that was asked for when the log was committed up to `asked` is answered from a state that has applied
/// `applied`.
///
/// # Errors
/// The state is older than the read.
pub fn read_is_fresh(asked: LogIndex, applied: LogIndex) -> Result<(), Violation> {
    if applied >= asked {
        return Ok(());
    }
    let evidence = format!("a read asked for at commit index {asked} was answered from a state at {applied}");
    Err(Violation::new(NAME, evidence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone)]
    struct Log {
        entries: Vec<char>,
        cursors: Vec<(u64, u64)>,
    }

    impl LogSpec for Log {
        type Entry = char;

        fn committed(&self) -> LogIndex {
            LogIndex::new(self.entries.len() as u64)
        }

        fn entry(&self, index: LogIndex) -> Option<&char> {
            self.entries.get(index.prev().get() as usize)
        }

        fn proposed(&self, entry: &char) -> bool {
            *entry != '?'
        }

        fn cursors(&self) -> Vec<(NodeId, LogIndex)> {
            self.cursors.iter().map(|(node, at)| (NodeId::new(*node), LogIndex::new(*at))).collect()
        }
    }

    fn judged(entries: &str, cursors: &[(u64, u64)], restarted: &[u64]) -> Result<(), String> {
        let before = Log { entries: "ab".chars().collect(), cursors: vec![(1, 1), (2, 2)] };
        let after = Log { entries: entries.chars().collect(), cursors: cursors.to_vec() };
        let restarted: Vec<NodeId> = restarted.iter().copied().map(NodeId::new).collect();
        log_step(&before, &after, &restarted).map_err(|violation| violation.evidence)
    }

    #[test]
    fn the_steps_of_the_relation_pass() {
        assert_eq!(judged("ab", &[(1, 1), (2, 2)], &[]), Ok(()));
        assert_eq!(judged("abcd", &[(1, 1), (2, 2)], &[]), Ok(()));
        assert_eq!(judged("ab", &[(1, 2), (2, 2)], &[]), Ok(()));
        assert_eq!(judged("ab", &[(1, 1), (2, 0)], &[2]), Ok(()));
        assert!(read_is_fresh(LogIndex::new(2), LogIndex::new(2)).is_ok());
    }

    #[test]
    fn each_other_step_is_named() {
        let refused = |entries, cursors: &[(u64, u64)], word: &str| {
            let evidence = judged(entries, cursors, &[]).unwrap_err();
            assert!(evidence.contains(word), "{evidence}");
        };
        refused("a", &[], "shrank");
        refused("aX", &[], "became");
        refused("ab?", &[], "never proposed");
        refused("ab", &[(1, 3)], "beyond");
        refused("ab", &[(2, 1)], "moved back");
        assert!(read_is_fresh(LogIndex::new(2), LogIndex::new(1)).is_err());
    }
}
