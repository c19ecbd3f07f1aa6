//! Clients that lie, so that a test can see the demo fail: what cannot fail proves nothing.

use super::tokens::tokens;
use clap::ValueEnum;

/// A lie that a session tells now and then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Sabotage {
    /// Reports a value that lacks the last write that it held.
    WrongValue,
    /// Sends an append a second time as a new request.
    RepeatAppend,
    /// Claims an acknowledged append that was never sent.
    LostWrite,
}

impl Sabotage {
    /// Lies are rare, as real faults are: one in so many operations of a session that could carry one.
    const ONE_IN: u64 = 25;

    /// Whether the `nth` operation is one to lie about.
    pub(super) fn strikes(self, nth: u64) -> bool {
        nth % Self::ONE_IN == Self::ONE_IN - 1
    }
}

/// The value without its last token; a value that nobody wrote if there is none.
pub(super) fn without_last_token(value: Option<Vec<u8>>) -> Option<Vec<u8>> {
    let Some(mut value) = value else {
        return Some(b"=nobody;".to_vec());
    };
    let last = tokens(&value).last().map_or(0, <[u8]>::len);
    value.truncate(value.len() - last);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_value_is_another_value() {
        assert_eq!(without_last_token(Some(b"=1;+2;".to_vec())), Some(b"=1;".to_vec()));
        assert_eq!(without_last_token(Some(b"=1;".to_vec())), Some(Vec::new()));
        assert_eq!(without_last_token(None), Some(b"=nobody;".to_vec()));
    }

    #[test]
    fn lies_are_told_now_and_then() {
        assert_eq!((0..100).filter(|nth| Sabotage::LostWrite.strikes(*nth)).count(), 4);
    }
}
