//! Was any acknowledged write lost? Compares what the cluster holds at the end with what it acknowledged.
//!
//! This looks at nothing but acknowledgements and final contents, and says which write is missing: a judge says that
//! no order exists, which is stronger and harder to read. A write may be absent only if a put came after it.

use super::tokens::tokens;
use super::workload::Contents;
use quorate_spec::history::{Call, Operation, Outcome};
use quorate_spec::ids::Position;
use std::collections::{BTreeMap, BTreeSet};

/// The acknowledged writes that the final contents lack, each in words. A key that could not be read lacks all of its.
pub(super) fn lost_writes(operations: &[Operation], contents: &Contents) -> Vec<String> {
    let mut by_key: BTreeMap<&[u8], Vec<&Operation>> = BTreeMap::new();
    for operation in operations {
        if operation.call != Call::Get {
            by_key.entry(&operation.key).or_default().push(operation);
        }
    }
    by_key.iter().flat_map(|(key, writes)| lost_of_key(writes, contents.get(*key))).collect()
}

fn written(operation: &Operation) -> &[u8] {
    match &operation.call {
        Call::Get => &[],
        Call::Put(value) | Call::Append(value) => value,
    }
}

fn position(operation: &Operation) -> Option<Position> {
    operation.place.map(|(_, position)| position)
}

fn lost_of_key(writes: &[&Operation], content: Option<&Option<Vec<u8>>>) -> Vec<String> {
    let empty = Vec::new();
    let value = content.and_then(Option::as_ref).unwrap_or(&empty);
    let present: BTreeSet<&[u8]> = tokens(value).collect();
    let first = tokens(value).next();
    let acknowledged = writes.iter().filter(|write| write.outcome == Outcome::Done);
    let absent = acknowledged.filter(|write| !present.contains(written(write)));
    match writes.iter().find(|write| matches!(write.call, Call::Put(_)) && Some(written(write)) == first) {
        None => absent.map(|write| tell(write, "and no put replaced it")).collect(),
        Some(put) => {
            let horizon = horizon(put, writes, &present);
            absent
                .filter(|write| !may_precede(write, put, horizon))
                .map(|write| tell(write, "after the last put"))
                .collect()
        }
    }
}

/// A position that no write before the last put reaches: the put's own, or that of the first append it is followed by.
fn horizon(put: &Operation, writes: &[&Operation], present: &BTreeSet<&[u8]>) -> Option<Position> {
    position(put).or_else(|| {
        let appended = writes.iter().filter(|write| matches!(write.call, Call::Append(_)));
        appended.filter(|write| present.contains(written(write))).filter_map(|write| position(write)).min()
    })
}

/// Whether the put may have replaced the write.
fn may_precede(write: &Operation, put: &Operation, horizon: Option<Position>) -> bool {
    let invoked_after_put_returned = put.returned.is_some_and(|returned| returned < write.invoked);
    let beyond = matches!((position(write), horizon), (Some(write), Some(horizon)) if write >= horizon);
    !invoked_after_put_returned && !beyond
}

fn tell(write: &Operation, why: &str) -> String {
    let at = position(write).map_or("an unknown position".to_owned(), |position| position.to_string());
    let (key, value) = (write.key.escape_ascii(), written(write).escape_ascii());
    format!("`{value}` of key `{key}`, acknowledged at {at}, is absent {why}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_spec::ids::{ConfigNum, LogIndex, ShardId};

    fn write(text: &str, outcome: Outcome, index: u64) -> Operation {
        let value = text.as_bytes().to_vec();
        let call = if text.starts_with('=') { Call::Put(value) } else { Call::Append(value) };
        let done = outcome == Outcome::Done;
        let place =
            done.then_some((ShardId::ZERO, Position { config: ConfigNum::new(1), index: LogIndex::new(index) }));
        let (invoked, returned) = (10 * index, done.then_some(10 * index + 15));
        Operation { process: 1, key: b"k".to_vec(), call, outcome, invoked, returned, place }
    }

    fn lost(writes: &[Operation], value: Option<&str>) -> usize {
        let contents = Contents::from([(b"k".to_vec(), value.map(|value| value.as_bytes().to_vec()))]);
        lost_writes(writes, &contents).len()
    }

    #[test]
    fn what_a_put_replaced_is_not_lost() {
        let writes = [write("+1;", Outcome::Done, 1), write("=2;", Outcome::Done, 2), write("+3;", Outcome::Done, 3)];
        assert_eq!(lost(&writes, Some("=2;+3;")), 0);
        assert_eq!(lost(&writes, Some("=2;")), 1, "+3 came after the put");
        assert_eq!(lost(&writes, Some("+1;+3;")), 1, "the put itself is gone");
        assert_eq!(lost(&writes, None), 3);
        assert_eq!(lost_writes(&writes, &Contents::new()).len(), 3, "it could not be read");
    }

    #[test]
    fn an_older_put_at_the_front_means_that_the_newer_is_lost() {
        let writes = [write("=1;", Outcome::Done, 1), write("=2;", Outcome::Done, 2)];
        assert_eq!(lost(&writes, Some("=1;")), 1);
        assert_eq!(lost(&writes, Some("=2;")), 0);
    }

    #[test]
    fn unknown_writes_may_be_there_or_not_and_an_unknown_put_may_replace() {
        let writes = [
            write("+1;", Outcome::Done, 1),
            write("=2;", Outcome::Unknown, 2),
            write("+3;", Outcome::Done, 3),
            write("+4;", Outcome::Done, 4),
        ];
        assert_eq!(lost(&writes, Some("+1;+3;+4;")), 0, "the put never took effect");
        assert_eq!(lost(&writes, Some("=2;+3;+4;")), 0, "it replaced the first append");
        assert_eq!(lost(&writes, Some("=2;+3;")), 1, "+4 came after +3, which came after the put");
        assert_eq!(lost(&writes, Some("=2;")), 0, "it may have taken effect late");
    }
}
