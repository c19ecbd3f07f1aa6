//! The definition of what the store does: one map, one operation at a time.
//!
//! Everything else in this repository exists to make many machines that fail look like this file.

use crate::history::Call;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// A key/value store that one user uses.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oracle {
    values: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Oracle {
    /// The value of `key`; `None` if it was never written. A missing key is not an empty value.
    pub fn get(&self, key: &[u8]) -> Option<&[u8]> {
        self.values.get(key).map(Vec::as_slice)
    }

    /// Replaces the value of `key`.
    pub fn put(&mut self, key: &[u8], value: &[u8]) {
        self.values.insert(key.into(), value.into());
    }

    /// Adds `value` to the end of the value of `key`; a missing key counts as empty, and exists from then on.
    pub fn append(&mut self, key: &[u8], value: &[u8]) {
        match self.values.get_mut(key) {
            Some(old) => old.extend_from_slice(value),
            None => self.put(key, value),
        }
    }

    /// Executes one call: what a read finds, or `None` for a write.
    pub fn execute(&mut self, key: &[u8], call: &Call) -> Option<Option<&[u8]>> {
        match call {
            Call::Get => return Some(self.get(key)),
            Call::Put(value) => self.put(key, value),
            Call::Append(value) => self.append(key, value),
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn put_replaces_and_append_adds() {
        let mut oracle = Oracle::default();
        assert_eq!(oracle.get(b"k"), None);
        oracle.append(b"k", b"a");
        oracle.append(b"k", b"b");
        assert_eq!(oracle.get(b"k"), Some(b"ab".as_slice()));
        oracle.put(b"k", b"c");
        assert_eq!(oracle.get(b"k"), Some(b"c".as_slice()));
        assert_eq!(oracle.get(b"other"), None, "keys are apart");
    }

    #[test]
    fn an_empty_value_is_a_value() {
        let mut oracle = Oracle::default();
        oracle.append(b"k", b"");
        assert_eq!(oracle.get(b"k"), Some(b"".as_slice()));
    }

    #[test]
    fn execute_is_the_named_operation() {
        let mut oracle = Oracle::default();
        assert_eq!(oracle.execute(b"k", &Call::Put(b"a".into())), None);
        assert_eq!(oracle.execute(b"k", &Call::Append(b"b".into())), None);
        assert_eq!(oracle.execute(b"k", &Call::Get), Some(Some(b"ab".as_slice())));
    }
}
