//! What a writer was promised, and whether a value keeps it.
//!
//! A writer appends tokens of its own to a key of its own, one after the other. However often processes died in between,
//! the value must hold every acknowledged token once and in order; a token of unknown outcome may be there once, in its
//! place, or not at all; nothing else may be there.

use quorate::client_api::Client;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// One token and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What was appended.
    pub token: String,
    /// Whether it was acknowledged; if not, its outcome is unknown.
    pub acknowledged: bool,
}

/// A writer's key and everything that it appended, in order.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// The key.
    pub key: String,
    /// The tokens that may have taken effect, in the order of their requests.
    pub entries: Vec<Entry>,
    /// The longest time that one append took.
    pub longest: Duration,
}

impl Ledger {
    /// How many tokens were acknowledged.
    pub fn acknowledged(&self) -> usize {
        self.entries.iter().filter(|entry| entry.acknowledged).count()
    }

    /// Whether `value` keeps every promise: `Err` says which it breaks.
    pub fn check(&self, value: &[u8]) -> Result<(), String> {
        let text =
            std::str::from_utf8(value).map_err(|_| format!("{}: the value is not what was written", self.key))?;
        let mut found = text.split_inclusive(';').peekable();
        for entry in &self.entries {
            if found.peek() == Some(&entry.token.as_str()) {
                found.next();
            } else if entry.acknowledged {
                let instead = found.peek().unwrap_or(&"the end");
                return Err(format!("{}: acknowledged {} is not there; instead {instead}", self.key, entry.token));
            }
        }
        match found.next() {
            None => Ok(()),
            Some(extra) => Err(format!("{}: {extra} stands where nothing was appended", self.key)),
        }
    }
}

/// Appends tokens to `key` until told to stop; a pause between two keeps the value small.
pub async fn append_until(client: Client, key: String, stop: Arc<AtomicBool>, pause: Duration) -> Ledger {
    let mut ledger = Ledger { key, ..Ledger::default() };
    let mut number = 0_u64;
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        let token = format!("{}.{number};", ledger.key);
        let begun = Instant::now();
        match client.append(&ledger.key, &token).await {
            Ok(_) => ledger.entries.push(Entry { token, acknowledged: true }),
            Err(error) if error.definitely_not_executed() => {}
            Err(_) => ledger.entries.push(Entry { token, acknowledged: false }),
        }
        ledger.longest = ledger.longest.max(begun.elapsed());
        tokio::time::sleep(pause).await;
    }
    ledger
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(tokens: &[(&str, bool)]) -> Ledger {
        let entries =
            tokens.iter().map(|(token, acknowledged)| Entry { token: (*token).into(), acknowledged: *acknowledged });
        Ledger { key: "k".into(), entries: entries.collect(), ..Ledger::default() }
    }

    #[test]
    fn a_value_must_hold_every_acknowledged_token_once_and_in_order() {
        let ledger = ledger(&[("a;", true), ("b;", false), ("c;", true)]);
        assert_eq!(ledger.check(b"a;b;c;"), Ok(()));
        assert_eq!(ledger.check(b"a;c;"), Ok(()), "an unknown token may be missing");
        for broken in ["a;b;", "c;a;", "a;a;c;", "a;b;b;c;", "a;c;d;", "", "a;c"] {
            assert!(ledger.check(broken.as_bytes()).is_err(), "{broken}");
        }
    }
}
