//! At most once, as users see it: a token that was appended once is never read twice.
//!
//! Workloads append tokens that are unique in the history, each ended (or begun) by `;`, as in `c3#17;`.

use super::{Operation, Outcome, Verdict, show};
use crate::violation::Violation;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::vec::Vec;

/// The property's name.
pub const NAME: &str = "AtMostOnce";

/// No token occurs twice in `tokens`.
pub fn tokens<'a>(tokens: impl IntoIterator<Item = &'a [u8]>) -> Verdict {
    let mut seen = BTreeSet::new();
    match tokens.into_iter().find(|token| !seen.insert(*token)) {
        Some(token) => Verdict::Fail(Violation::new(NAME, format!("the token {} is there twice", show(token)))),
        None => Verdict::Pass,
    }
}

/// No token occurs twice in any value that was read.
pub fn judge(operations: &[Operation]) -> Verdict {
    let mut values: BTreeMap<&[u8], Vec<&[u8]>> = BTreeMap::new();
    for operation in operations {
        if let Outcome::Value(Some(value)) = &operation.outcome {
            values.entry(&operation.key).or_default().push(value);
        }
    }
    for (key, values) in &mut values {
        values.sort_unstable();
        for (place, value) in values.iter().enumerate() {
            // The tokens of a prefix are among those of the longer value.
            if values.get(place + 1).is_some_and(|longer| longer.starts_with(value)) {
                continue;
            }
            let split = value.split(|byte| *byte == b';').filter(|token| !token.is_empty());
            if let Verdict::Fail(Violation { property, evidence }) = tokens(split) {
                let evidence = format!("in a value read of key {}, {evidence}", show(key));
                return Verdict::Fail(Violation::new(property, evidence));
            }
        }
    }
    Verdict::Pass
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::corpus::read;

    #[test]
    fn tokens_may_occur_in_any_order_and_key() {
        let history = [read(1, "a", "c1#1;c2#1;", 0, 1), read(1, "a", "c1#1;", 0, 1), read(1, "b", "c1#1;", 0, 1)];
        assert_eq!(judge(&history), Verdict::Pass);
        assert_eq!(judge(&[read(1, "a", ";c1#1;c1#11", 0, 1)]), Verdict::Pass, "no token is a part of another");
    }

    #[test]
    fn a_doubled_token_is_named() {
        let history = [read(1, "a", "c1#1;", 0, 1), read(1, "b", "c1#1;c2#1;c1#1;", 0, 1)];
        let Verdict::Fail(violation) = judge(&history) else { panic!("the doubled token was passed") };
        assert!(violation.evidence.contains("\"c1#1\"") && violation.evidence.contains("key \"b\""), "{violation}");
    }

    #[test]
    fn a_doubled_token_is_found_in_a_shorter_value_too() {
        let history = [read(1, "a", "x;x;", 0, 1), read(1, "a", "x;x;y;", 0, 1), read(1, "a", "z;", 0, 1)];
        assert!(matches!(judge(&history), Verdict::Fail(_)));
    }
}
