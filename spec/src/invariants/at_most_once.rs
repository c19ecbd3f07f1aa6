//! Each invocation of a user takes effect at most once, over all groups, retries and session numbers.
//!
//! Raft dissertation 6.3. TLA+ `ShardKV!AtMostOnce`. Kept by `core/src/shard/` (the session record is checked when a
//! command is applied) and by `core/src/client/` (an unanswered request is never sent again under another session).

use crate::violation::Violation;
use alloc::collections::BTreeMap;
use alloc::format;
use core::fmt::Debug;

/// The property's name.
pub const NAME: &str = "AtMostOnce";

/// Counts one execution of `invocation`, which may be at most its first.
///
/// An invocation is what a user called: `(client, seq)`, or the model's own number for it where a wrong client might use
/// two. Count an entry of a group's log once, not once per replica.
pub fn observe<I: Ord + Debug>(executions: &mut BTreeMap<I, u64>, invocation: I) -> Result<(), Violation> {
    let evidence = format!("{invocation:?} took effect a second time");
    let count = executions.entry(invocation).or_insert(0);
    *count += 1;
    if *count > 1 { Err(Violation::new(NAME, evidence)) } else { Ok(()) }
}

/// No invocation took effect more than once.
pub fn at_most_once<I: Ord + Debug>(executions: &BTreeMap<I, u64>) -> Result<(), Violation> {
    match executions.iter().find(|(_, count)| **count > 1) {
        Some((invocation, count)) => {
            Err(Violation::new(NAME, format!("{invocation:?} took effect {count} times, expected at most once")))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{ClientId, Seq};
    use crate::invariants::sample::assert_violates;

    const fn invocation(client: u64, seq: u64) -> (ClientId, Seq) {
        (ClientId::new(client), Seq::new(seq))
    }

    #[test]
    fn once_each_is_fine() {
        let mut executions = BTreeMap::new();
        assert_eq!(observe(&mut executions, invocation(3, 1)), Ok(()));
        assert_eq!(observe(&mut executions, invocation(3, 2)), Ok(()));
        assert_eq!(observe(&mut executions, invocation(4, 1)), Ok(()));
        assert_eq!(at_most_once(&executions), Ok(()));
    }

    #[test]
    fn the_second_time_is_named() {
        let mut executions = BTreeMap::from([(invocation(3, 17), 1)]);
        let culprits = ["ClientId(3)", "Seq(17)"];
        assert_violates(observe(&mut executions, invocation(3, 17)), NAME, &culprits);
        assert_violates(at_most_once(&executions), NAME, &culprits);
    }
}
