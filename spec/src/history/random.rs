//! Random concurrent histories: what the oracle did passes both judges, and what no store can do passes neither.

use super::{Call, Operation, Outcome, Verdict, certificate, judge, search, show};
use crate::ids::{ConfigNum, LogIndex, Position, ShardId};
use crate::oracle::Oracle;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;
extern crate std;

use proptest::collection::vec;
use proptest::prelude::*;

const BUDGET: u64 = 1_000_000;

/// How one operation of a random history is made. Its effect is at its place in the list.
#[derive(Clone, Copy, Debug)]
struct Plan {
    key: u8,
    /// 0: put, 1 to 3: append, else read.
    call: u8,
    /// How long before its effect it was invoked, and how long after it returned.
    around: (u64, u64),
    /// 0: unknown, with effect and position; 1: the same without position; 2: unknown, without effect; 3: failed.
    fate: u8,
}

fn plans(keys: u8, count: usize, fates: std::ops::Range<u8>) -> impl Strategy<Value = Vec<Plan>> {
    let plan = (0..keys, 0..7_u8, (0..80_u64, 0..80_u64), fates);
    vec(plan.prop_map(|(key, call, around, fate)| Plan { key, call, around, fate }), 1..count)
}

/// Executes the plans one by one on the oracle. Every written token is new if `unique`, else one of two.
fn history(plans: &[Plan], unique: bool) -> Vec<Operation> {
    let mut oracle = Oracle::default();
    let mut operations = Vec::new();
    for (place, plan) in plans.iter().enumerate() {
        let key = [b'a' + plan.key];
        let token = if unique { format!("{place};") } else { (place % 2).to_string() };
        let call = match plan.call {
            0 => Call::Put(token.into()),
            1..=3 => Call::Append(token.into()),
            _ => Call::Get,
        };
        let effect = 100 + 10 * place as u64;
        let index = place as u64 + 1;
        let position = Position { config: ConfigNum::new(1 + index / 20), index: LogIndex::new(index) };
        let mut operation = Operation {
            process: place as u64,
            key: key.into(),
            outcome: Outcome::Done,
            invoked: effect.saturating_sub(plan.around.0),
            returned: Some(effect + plan.around.1),
            place: Some((ShardId::new(u64::from(plan.key % 2)), position)),
            call,
        };
        match plan.fate {
            2 => operation.outcome = Outcome::Unknown,
            3 => operation.outcome = Outcome::Failed,
            _ => {
                if let Some(found) = oracle.execute(&key, &operation.call) {
                    operation.outcome = Outcome::Value(found.map(Into::into));
                }
                if plan.fate < 2 {
                    operation.outcome = Outcome::Unknown;
                }
            }
        }
        if matches!(plan.fate, 1..=3) {
            operation.place = None;
        }
        operations.push(operation);
    }
    operations
}

/// Makes the value of one read impossible: the `which`-th that can be, in one of four ways. Tokens are unique.
fn corrupt(operations: &mut [Operation], which: usize, way: u8) -> bool {
    let impossible = |read: &Operation| -> Option<Vec<u8>> {
        let Outcome::Value(Some(value)) = &read.outcome else {
            return None;
        };
        let tokens: Vec<&[u8]> = value.split_inclusive(|byte| *byte == b';').collect();
        match way {
            // Never written.
            0 => Some([value.as_slice(), b"x;"].concat()),
            // Twice.
            1 => Some([value.as_slice(), tokens.last()?].concat()),
            // A write of a key without puts that had returned is lost.
            2 => {
                let puts = operations.iter().any(|other| other.key == read.key && matches!(other.call, Call::Put(_)));
                let done = |token: &&&[u8]| {
                    operations.iter().any(|other| {
                        matches!(&other.call, Call::Append(added) if added == *token)
                            && other.over().is_some_and(|over| over < read.invoked)
                    })
                };
                let lost = *tokens.iter().find(done).filter(|_| !puts)?;
                Some(tokens.iter().filter(|token| **token != lost).copied().collect::<Vec<_>>().concat())
            }
            // The oldest comes last: impossible if it had returned before another was invoked.
            _ => {
                let find = |token: &[u8]| operations.iter().find(|other| other.call == Call::Append(token.into()));
                let (oldest, rest) = tokens.split_first()?;
                let over = find(oldest)?.over()?;
                rest.iter().find(|token| find(token).is_some_and(|other| over < other.invoked))?;
                Some([rest.concat(), oldest.to_vec()].concat())
            }
        }
    };
    let able: Vec<(usize, Vec<u8>)> =
        operations.iter().enumerate().filter_map(|(place, read)| Some((place, impossible(read)?))).collect();
    let Some((place, value)) = able.get(which % able.len().max(1)) else {
        return false;
    };
    operations[*place].outcome = Outcome::Value(Some(value.clone()));
    true
}

/// Whether some order explains the operations on one key, by trying all.
fn explained(operations: &[Operation], order: &mut Vec<usize>, state: Option<Vec<u8>>) -> bool {
    let pending: Vec<usize> = (0..operations.len()).filter(|place| !order.contains(place)).collect();
    if pending.iter().all(|place| operations[*place].outcome == Outcome::Unknown) {
        return true;
    }
    pending.iter().any(|place| {
        let operation = &operations[*place];
        if pending.iter().any(|other| operations[*other].over().is_some_and(|over| over < operation.invoked)) {
            return false;
        }
        let next = match &operation.call {
            Call::Get if operation.outcome != Outcome::Value(state.clone()) => return false,
            Call::Get => state.clone(),
            Call::Put(value) => Some(value.clone()),
            Call::Append(value) => Some([state.clone().unwrap_or_default(), value.clone()].concat()),
        };
        order.push(*place);
        let explained = explained(operations, order, next);
        order.pop();
        explained
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_the_oracle_did_passes(plans in plans(3, 120, 0..12), unique: bool) {
        let operations = history(&plans, unique);
        prop_assert_eq!(search::judge(&operations, BUDGET).0, Verdict::Pass);
        let (verdict, report) = certificate::judge(&operations);
        prop_assert!(!matches!(verdict, Verdict::Fail(_)), "{:?}", verdict);
        prop_assert_eq!(verdict == Verdict::Pass, report.left_to_search.is_empty());
        prop_assert_eq!(judge(&operations, BUDGET).0, Verdict::Pass);
    }

    #[test]
    fn what_no_store_can_do_passes_neither(plans in plans(3, 60, 4..5), which: usize, way in 0..4_u8) {
        let mut operations = history(&plans, true);
        prop_assume!(corrupt(&mut operations, which, way));
        let searched = search::judge(&operations, BUDGET).0;
        prop_assert!(matches!(searched, Verdict::Fail(_)), "search: {:?}", searched);
        let certified = certificate::judge(&operations).0;
        prop_assert!(matches!(certified, Verdict::Fail(_)), "certificate: {:?}", certified);
    }

    #[test]
    fn unknown_writes_do_not_excuse_what_no_store_can_do(plans in plans(2, 60, 0..12), which: usize, way in 0..4_u8) {
        let mut operations = history(&plans, true);
        prop_assume!(corrupt(&mut operations, which, way));
        let verdict = judge(&operations, BUDGET).0;
        prop_assert!(matches!(verdict, Verdict::Fail(_)), "{:?}", verdict);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Small histories on one key, some of them spoilt by exchanging what two reads saw.
    #[test]
    fn the_search_agrees_with_trying_all_orders(plans in plans(1, 9, 1..6), swap in any::<Option<(usize, usize)>>()) {
        let mut operations = history(&plans, false);
        operations.retain(|operation| {
            operation.outcome != Outcome::Failed && (operation.call != Call::Get || operation.outcome != Outcome::Unknown)
        });
        let reads: Vec<usize> = (0..operations.len()).filter(|place| operations[*place].call == Call::Get).collect();
        if let (Some((one, other)), false) = (swap, reads.is_empty()) {
            let (one, other) = (reads[one % reads.len()], reads[other % reads.len()]);
            let seen = operations[one].outcome.clone();
            operations[one].outcome = core::mem::replace(&mut operations[other].outcome, seen);
        }
        let expected = explained(&operations, &mut Vec::new(), None);
        let verdict = search::judge(&operations, BUDGET).0;
        prop_assert_eq!(verdict == Verdict::Pass, expected, "{:?}", verdict);
        let certified = certificate::judge(&operations).0;
        prop_assert!(expected || certified != Verdict::Pass, "the certificate passed what no order explains");
    }
}

/// Long, mostly sequential histories with 20 users at a time: the search walks through them without wandering.
#[test]
fn long_histories_cost_little_more_than_their_length() {
    let mut state = 7_u64;
    let mut draw = |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    for (keys, puts) in [(1, false), (20, true), (20, false)] {
        let plans: Vec<Plan> = (0..20_000)
            .map(|_| Plan {
                key: draw(keys) as u8,
                call: if puts { draw(7) as u8 } else { 1 + draw(6) as u8 },
                around: (draw(100), draw(100)),
                fate: if draw(200) == 0 { draw(4) as u8 } else { 4 },
            })
            .collect();
        let mut operations = history(&plans, true);
        let (verdict, report) = search::judge(&operations, BUDGET);
        assert_eq!(verdict, Verdict::Pass, "{keys} keys");
        let limit = 100 * operations.len() as u64;
        assert!(report.steps < limit, "{keys} keys took {} steps", report.steps);
        let last = operations.iter().rposition(|operation| matches!(operation.outcome, Outcome::Value(Some(_))));
        let last = &mut operations[last.expect("some read found something")];
        last.outcome = Outcome::Value(Some(b"x;".to_vec()));
        let Verdict::Fail(violation) = search::judge(&operations, BUDGET).0 else { panic!("a wrong read was passed") };
        assert!(violation.evidence.contains(&show(b"x;")), "{violation}");
    }
}
