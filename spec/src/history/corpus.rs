//! Histories, good and bad, with what the judges must say of them.

use super::{Call, Operation, Outcome, Verdict, certificate, judge, search};
use crate::ids::{ConfigNum, LogIndex, Position, ShardId};
use alloc::vec::Vec;

/// Enough for every history here.
const BUDGET: u64 = 100_000;

fn operation(process: u64, key: &str, call: Call, outcome: Outcome, (invoked, returned): (u64, u64)) -> Operation {
    Operation { process, key: key.into(), call, outcome, invoked, returned: Some(returned), place: None }
}

pub(super) fn read(process: u64, key: &str, value: &str, invoked: u64, returned: u64) -> Operation {
    operation(process, key, Call::Get, Outcome::Value(Some(value.into())), (invoked, returned))
}

fn read_nothing(process: u64, key: &str, invoked: u64, returned: u64) -> Operation {
    operation(process, key, Call::Get, Outcome::Value(None), (invoked, returned))
}

pub(super) fn put(process: u64, key: &str, value: &str, invoked: u64, returned: u64) -> Operation {
    operation(process, key, Call::Put(value.into()), Outcome::Done, (invoked, returned))
}

fn append(process: u64, key: &str, value: &str, invoked: u64, returned: u64) -> Operation {
    operation(process, key, Call::Append(value.into()), Outcome::Done, (invoked, returned))
}

impl Operation {
    /// In shard 0 under configuration 1.
    pub(super) fn at(self, index: u64) -> Self {
        self.under(1, index)
    }

    /// In shard 0 under another configuration.
    fn under(mut self, config: u64, index: u64) -> Self {
        self.place = Some((ShardId::ZERO, Position { config: ConfigNum::new(config), index: LogIndex::new(index) }));
        self
    }

    fn with(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }
}

/// Histories that one store could have shown.
fn good() -> Vec<(&'static str, Vec<Operation>)> {
    let unknown = |operation: Operation| operation.with(Outcome::Unknown);
    [
        ("nothing happened", [].into()),
        (
            "one user",
            [
                read_nothing(1, "k", 0, 1).at(1),
                put(1, "k", "a", 2, 3).at(2),
                append(1, "k", "b", 4, 5).at(3),
                read(1, "k", "ab", 6, 7).at(3),
                read_nothing(1, "l", 8, 9).at(3),
            ]
            .into(),
        ),
        (
            "concurrent appends in the other order",
            [append(1, "k", "a", 0, 9).at(3), append(2, "k", "b", 1, 8).at(2), read(3, "k", "ba", 10, 11).at(3)].into(),
        ),
        (
            "a concurrent read sees the old value",
            [put(1, "k", "a", 0, 1).at(1), put(1, "k", "b", 2, 9).at(2), read(2, "k", "a", 3, 4).at(1)].into(),
        ),
        ("an empty value is a value", [append(1, "k", "", 0, 1).at(1), read(2, "k", "", 2, 3).at(1)].into()),
        (
            "an unknown append took effect",
            [unknown(append(1, "k", "a", 0, 1)).at(1), append(2, "k", "b", 2, 3).at(2), read(2, "k", "ab", 4, 5).at(2)]
                .into(),
        ),
        (
            "an unknown append took effect late",
            [
                unknown(append(1, "k", "a", 0, 1)).at(3),
                append(2, "k", "b", 2, 3).at(2),
                read(2, "k", "b", 4, 5).at(2),
                read(2, "k", "ba", 6, 7).at(3),
            ]
            .into(),
        ),
        (
            "an unanswered read and a failed write explain nothing",
            [
                unknown(read(1, "k", "x", 0, 1)),
                put(1, "k", "x", 2, 3).with(Outcome::Failed),
                read_nothing(2, "k", 4, 5).at(1),
            ]
            .into(),
        ),
        (
            "a move to another group's log",
            [
                put(1, "k", "a", 0, 1).under(1, 900),
                append(1, "k", "b", 2, 3).under(2, 5),
                read(2, "k", "ab", 4, 5).under(2, 6),
            ]
            .into(),
        ),
        (
            "a put hides an append that nobody saw",
            [append(1, "k", "a", 0, 3).at(1), put(2, "k", "b", 1, 2).at(2), read(2, "k", "b", 4, 5).at(2)].into(),
        ),
    ]
    .into()
}

/// Histories that no store could have shown, with the positions that the fault would give them.
fn bad() -> Vec<(&'static str, Vec<Operation>)> {
    let unknown = |operation: Operation| operation.with(Outcome::Unknown);
    [
        (
            "a stale read after a write returned",
            [put(1, "k", "a", 0, 1).at(1), put(1, "k", "b", 2, 3).at(2), read(2, "k", "a", 4, 5).at(1)].into(),
        ),
        ("a value that was never written", [put(1, "k", "a", 0, 1).at(1), read(2, "k", "x", 2, 3).at(1)].into()),
        (
            "a doubled append",
            [append(1, "k", "a", 0, 1).at(1), append(1, "k", "b", 2, 3).at(2), read(2, "k", "aba", 4, 5).at(3)].into(),
        ),
        ("a lost tail", [append(1, "k", "ab", 0, 1).at(1), read(2, "k", "a", 2, 3).at(1)].into()),
        (
            "a lost acknowledged write",
            [append(1, "k", "a", 0, 1).at(1), append(2, "k", "b", 2, 3).at(2), read(2, "k", "b", 4, 5).at(2)].into(),
        ),
        ("a value from the future", [read(2, "k", "a", 0, 1).at(1), put(1, "k", "a", 2, 3).at(1)].into()),
        (
            "a deposed leader's stale read",
            [
                put(1, "k", "a", 0, 1).at(1),
                put(1, "k", "b", 2, 9).at(2),
                read(2, "k", "b", 3, 4).at(2),
                read(3, "k", "a", 5, 6).at(1),
            ]
            .into(),
        ),
        (
            "appends against real time",
            [append(1, "k", "a", 0, 1).at(2), append(2, "k", "b", 2, 3).at(1), read(2, "k", "ba", 4, 5).at(2)].into(),
        ),
        (
            "an unknown write seen and then unseen",
            [
                append(2, "k", "b", 0, 1).at(1),
                unknown(append(1, "k", "a", 2, 3)).at(2),
                read(2, "k", "ba", 4, 5).at(2),
                read(2, "k", "b", 6, 7).at(1),
            ]
            .into(),
        ),
        ("a failed write seen", [put(1, "k", "a", 0, 1).with(Outcome::Failed), read(2, "k", "a", 2, 3).at(1)].into()),
        (
            "nothing where something was written",
            [put(1, "k", "a", 0, 1).at(1), read_nothing(2, "k", 2, 3).at(1)].into(),
        ),
        ("an empty value where nothing was written", [read(2, "k", "", 2, 3).at(1)].into()),
        (
            "an overwritten value comes back",
            [
                put(1, "k", "a", 0, 1).at(1),
                put(1, "k", "b", 2, 3).at(2),
                read(2, "k", "b", 4, 5).at(2),
                append(2, "k", "c", 6, 7).at(3),
                read(2, "k", "ac", 8, 9).at(3),
            ]
            .into(),
        ),
        (
            "an append lost after a read of what it was added to",
            [
                put(1, "k", "a", 0, 20).at(1),
                read(2, "k", "a", 2, 3).at(1),
                append(3, "k", "b", 4, 5).at(2),
                read(2, "k", "a", 6, 7).at(1),
            ]
            .into(),
        ),
        (
            "an append lost after another that is seen",
            [
                put(1, "k", "a", 0, 20).at(1),
                append(2, "k", "c", 1, 2).at(2),
                append(3, "k", "b", 4, 5).at(3),
                read(2, "k", "ac", 6, 7).at(2),
            ]
            .into(),
        ),
        ("an answer before the question", [put(1, "k", "a", 5, 4).at(1)].into()),
        ("an answer of the wrong kind", [put(1, "k", "a", 0, 1).with(Outcome::Value(None)).at(1)].into()),
    ]
    .into()
}

fn without_places(mut history: Vec<Operation>) -> Vec<Operation> {
    history.iter_mut().for_each(|operation| operation.place = None);
    history
}

#[test]
fn good_histories_pass_both_judges() {
    for (name, history) in good() {
        assert_eq!(certificate::judge(&history).0, Verdict::Pass, "certificate: {name}");
        assert_eq!(search::judge(&history, BUDGET).0, Verdict::Pass, "search: {name}");
        assert_eq!(judge(&history, BUDGET).0, Verdict::Pass, "both: {name}");
    }
}

#[test]
fn bad_histories_fail_both_judges() {
    for (name, history) in bad() {
        assert!(matches!(certificate::judge(&history).0, Verdict::Fail(_)), "certificate: {name}");
        assert!(matches!(search::judge(&history, BUDGET).0, Verdict::Fail(_)), "search: {name}");
        assert!(matches!(judge(&history, BUDGET).0, Verdict::Fail(_)), "both: {name}");
    }
}

#[test]
fn without_positions_the_search_decides() {
    for (name, history) in good() {
        let history = without_places(history);
        let (verdict, report) = certificate::judge(&history);
        assert_eq!(verdict == Verdict::Pass, report.left_to_search.is_empty(), "{name} is never silently passed");
        assert_eq!(judge(&history, BUDGET).0, Verdict::Pass, "{name}");
    }
    for (name, history) in bad() {
        assert!(matches!(judge(&without_places(history), BUDGET).0, Verdict::Fail(_)), "{name}");
    }
}

#[test]
fn one_unplaced_unknown_write_leaves_its_key_and_no_other() {
    let lost = append(1, "k", "x", 0, 1).with(Outcome::Unknown);
    let history = [lost, append(2, "k", "a", 2, 3).at(1), read(2, "k", "a", 4, 5).at(1), put(2, "l", "b", 6, 7).at(2)];
    let (verdict, report) = certificate::judge(&history);
    assert!(matches!(verdict, Verdict::Unknown(_)));
    assert_eq!((report.left_to_search, report.placed), ([b"k".to_vec()].into(), 3));
    let (verdict, report) = judge(&history, BUDGET);
    assert_eq!(verdict, Verdict::Pass, "the search decides the key");
    assert_eq!((report.operations, report.keys, report.unknown), (4, 2, 1));
    assert_eq!(report.left_to_search, [b"k".to_vec()].into());
}

#[test]
fn a_search_without_budget_is_no_pass() {
    let history = [put(1, "k", "a", 0, 1), read(2, "k", "a", 2, 3)];
    let (verdict, report) = search::judge(&history, 0);
    assert!(matches!(&verdict, Verdict::Unknown(why) if why.contains("\"k\"")), "{verdict:?}");
    assert_eq!(report.out_of_budget, [b"k".to_vec()].into());
    assert!(matches!(judge(&history, 0).0, Verdict::Unknown(_)), "no positions either");
    let placed = history.map(|operation| operation.at(1));
    assert_eq!(judge(&placed, 0).0, Verdict::Pass, "the certificate decides");
}
