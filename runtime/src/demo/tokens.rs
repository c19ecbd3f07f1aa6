//! What the demo writes: every value is made of tokens that are written once, so that each can be found again.
//!
//! A put writes `=N;`, an append adds `+N;`, with a number N that no other write of the run has. A value therefore tells
//! which put it began with and which appends it holds, in order.

use quorate_core::keyspace::shard_of;
use quorate_spec::history::Call;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Keys of each shard: enough that sessions rarely meet, few enough that they do meet.
const KEYS_PER_SHARD: usize = 3;

/// Numbers that are used once.
#[derive(Debug, Default)]
pub(super) struct Tokens(AtomicU64);

impl Tokens {
    fn next(&self) -> u64 {
        self.0.fetch_add(1, Relaxed)
    }

    /// A put that no other one equals.
    pub(super) fn put(&self) -> Call {
        Call::Put(format!("={};", self.next()).into_bytes())
    }

    /// An append that no other one equals.
    pub(super) fn append(&self) -> Call {
        Call::Append(format!("+{};", self.next()).into_bytes())
    }
}

/// The tokens of a value, each with its end mark.
pub(super) fn tokens(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split_inclusive(|byte| *byte == b';')
}

/// The keys of the demo: the same number in every shard.
pub(super) fn keys(shards: u32) -> Vec<Vec<u8>> {
    let mut missing = vec![KEYS_PER_SHARD; shards as usize];
    let wanted = missing.len() * KEYS_PER_SHARD;
    (0_u64..)
        .map(|number| format!("key-{number}").into_bytes())
        .filter(|key| {
            let left = missing.get_mut(shard_of(key, shards).get() as usize).filter(|left| **left > 0);
            left.map(|left| *left -= 1).is_some()
        })
        .take(wanted)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn every_shard_has_as_many_keys() {
        let mut count = BTreeMap::new();
        for key in keys(64) {
            *count.entry(shard_of(&key, 64)).or_insert(0) += 1;
        }
        assert_eq!(count.len(), 64);
        assert!(count.values().all(|keys| *keys == KEYS_PER_SHARD));
    }

    #[test]
    fn values_fall_apart_into_their_tokens() {
        let numbers = Tokens::default();
        let (Call::Put(mut value), Call::Append(more)) = (numbers.put(), numbers.append()) else {
            panic!("not writes")
        };
        value.extend(&more);
        assert_eq!(tokens(&value).collect::<Vec<_>>(), [b"=0;", b"+1;"]);
        assert_eq!(tokens(b"").count(), 0);
    }
}
