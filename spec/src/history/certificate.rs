//! The certificate judge: the positions that answers carry are an order of effect, and that order explains everything.
//!
//! Per shard: no two writes have one position; replaying the operations by position on the [`Oracle`] finds every value
//! that was read; and no operation is placed before one that had returned before it was invoked. The last is checked for
//! all keys of a shard together: stronger than linearizability of each key, and what one log per shard promises.
//!
//! A key with a write of unknown outcome and unknown position is not certified: it is left to the [search](super::search).

use super::{Call, Operation, Outcome, Report, Verdict, show};
use crate::ids::{Position, ShardId};
use crate::oracle::Oracle;
use crate::violation::Violation;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::vec::Vec;

/// Two writes at one position.
pub const POSITIONS: &str = "WritePositionsUnique";
/// A key in two shards.
pub const SHARDS: &str = "OneShardPerKey";
/// A value that the order does not explain.
pub const VALUES: &str = "CertificateExplainsValues";
/// An order against real time.
pub const TIMES: &str = "CertificateFollowsTime";

/// A shard's operations with their positions.
type Placed<'a> = Vec<(Position, &'a Operation)>;

/// Judges a history by the positions in it, in time n log n.
pub fn judge(operations: &[Operation]) -> (Verdict, Report) {
    let mut report = Report::new(operations);
    if let Some(Err(violation)) = operations.iter().map(Operation::well_formed).find(Result::is_err) {
        return (Verdict::Fail(violation), report);
    }
    let relevant: Vec<&Operation> = operations.iter().filter(|operation| is_relevant(operation)).collect();
    report.left_to_search =
        relevant.iter().filter(|operation| operation.place.is_none()).map(|operation| operation.key.clone()).collect();
    let verdict = match by_shard(&relevant) {
        Ok(shards) => {
            report.placed = shards.values().map(Vec::len).sum();
            shards.iter().try_for_each(|(shard, placed)| judge_shard(*shard, placed, &report.left_to_search))
        }
        Err(violation) => Err(violation),
    };
    let verdict = match verdict {
        Err(violation) => Verdict::Fail(violation),
        Ok(()) if report.left_to_search.is_empty() => Verdict::Pass,
        Ok(()) => {
            Verdict::Unknown(format!("{} of {} keys are left to the search", report.left_to_search.len(), report.keys))
        }
    };
    (verdict, report)
}

/// What had no effect, or showed nothing to anybody, does not count.
fn is_relevant(operation: &Operation) -> bool {
    let unseen = operation.call == Call::Get && operation.outcome == Outcome::Unknown;
    operation.outcome != Outcome::Failed && !unseen
}

/// The placed operations of every shard, in the order that their positions claim.
fn by_shard<'a>(operations: &[&'a Operation]) -> Result<BTreeMap<ShardId, Placed<'a>>, Violation> {
    let mut shards: BTreeMap<ShardId, Placed<'a>> = BTreeMap::new();
    let mut homes: BTreeMap<&[u8], &Operation> = BTreeMap::new();
    for operation in operations {
        let Some((shard, position)) = operation.place else {
            continue;
        };
        let first = homes.entry(&operation.key).or_insert(operation);
        if first.place.is_some_and(|(home, _)| home != shard) {
            let evidence = format!("two shards answered for one key: {} {}", first.describe(), operation.describe());
            return Err(Violation::new(SHARDS, evidence));
        }
        shards.entry(shard).or_default().push((position, operation));
    }
    for placed in shards.values_mut() {
        // A read sorts after the write at its index; reads of one state sort by time.
        placed.sort_by_key(|(position, operation)| (*position, operation.call == Call::Get, operation.invoked));
    }
    Ok(shards)
}

fn judge_shard(shard: ShardId, placed: &Placed<'_>, left: &BTreeSet<Vec<u8>>) -> Result<(), Violation> {
    positions_are_unique(shard, placed)?;
    order_follows_time(shard, placed)?;
    order_explains_values(shard, placed, left)
}

fn positions_are_unique(shard: ShardId, placed: &Placed<'_>) -> Result<(), Violation> {
    let mut last: Option<(Position, &Operation)> = None;
    for (position, write) in placed.iter().filter(|(_, operation)| operation.call != Call::Get) {
        if let Some((_, first)) = last.filter(|(taken, _)| taken == position) {
            let (first, second) = (first.describe(), write.describe());
            let evidence = format!("two writes of {shard} took effect at {position}: {first} {second}");
            return Err(Violation::new(POSITIONS, evidence));
        }
        last = Some((*position, write));
    }
    Ok(())
}

/// The sweep: whatever comes later in the order must not have returned before any earlier one was invoked.
fn order_follows_time(shard: ShardId, placed: &Placed<'_>) -> Result<(), Violation> {
    let mut latest: Option<&Operation> = None;
    for (_, operation) in placed {
        if let (Some(earlier), Some(over)) = (latest, operation.over())
            && over < earlier.invoked
        {
            let (earlier, later) = (earlier.describe(), operation.describe());
            let evidence = format!("{shard} has {earlier} before {later}, which had returned before it was invoked");
            return Err(Violation::new(TIMES, evidence));
        }
        if latest.is_none_or(|earlier| earlier.invoked < operation.invoked) {
            latest = Some(operation);
        }
    }
    Ok(())
}

/// The replay. A key that is left to the search lacks writes here, so its reads prove nothing.
fn order_explains_values(shard: ShardId, placed: &Placed<'_>, left: &BTreeSet<Vec<u8>>) -> Result<(), Violation> {
    let mut oracle = Oracle::default();
    for (_, operation) in placed.iter().filter(|(_, operation)| !left.contains(&operation.key)) {
        let found = oracle.execute(&operation.key, &operation.call);
        if let (Some(expected), Outcome::Value(value)) = (found, &operation.outcome)
            && expected != value.as_deref()
        {
            let expected = expected.map_or_else(|| "nothing".into(), show);
            let read = operation.describe();
            let evidence = format!("{shard} shows {expected} where this was read: {read}");
            return Err(Violation::new(VALUES, evidence));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::corpus::{put, read};

    /// The evidence of a history that the certificate alone refuses: its positions, not its values, contradict each other.
    #[track_caller]
    fn refused(history: &[Operation], property: &str, culprits: &[&str]) {
        let Verdict::Fail(violation) = judge(history).0 else { panic!("the certificate was accepted") };
        assert_eq!(violation.property, property);
        culprits.iter().for_each(|culprit| assert!(violation.evidence.contains(culprit), "{violation}"));
    }

    #[test]
    fn contradictions_of_a_certificate_are_named() {
        let one = put(1, "k", "a", 0, 9).at(4);
        let two = put(2, "l", "b", 0, 9).at(4);
        refused(&[one.clone(), two], POSITIONS, &["1/4", "process 1", "process 2"]);
        let mut elsewhere = put(2, "k", "b", 0, 9).at(5);
        elsewhere.place = elsewhere.place.map(|(_, position)| (ShardId::new(3), position));
        refused(&[one, elsewhere], SHARDS, &["s0 1/4", "s3 1/5"]);
        let swept = [put(1, "k", "a", 0, 1).at(2), put(2, "l", "b", 2, 3).at(1)];
        refused(&swept, TIMES, &["process 2", "process 1"]);
        let replayed = [put(1, "k", "a", 0, 1).at(1), read(2, "k", "b", 2, 3).at(1)];
        refused(&replayed, VALUES, &["\"a\"", "\"b\"", "process 2"]);
    }
}
