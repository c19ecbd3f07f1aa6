//! The values that were read, and states as prefixes of them.
//!
//! A state of the key matters only if some read may still see it, or what is appended to it: so every state that matters
//! is a prefix of a value that was read, and a place among the sorted values stands for it. Appending narrows the range of
//! values that begin so. No value is ever built or copied.

use super::pending::NEVER;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

/// A string with which some of the sorted values begin: those from `low` to `high`, in their first `length` bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Prefix {
    low: usize,
    high: usize,
    length: usize,
}

impl Prefix {
    /// The places of the values that begin so.
    pub(super) fn places(self) -> Range<usize> {
        self.low..self.high
    }
}

/// The values read, in order, and which of the reads are still pending.
pub(super) struct Readings<'a> {
    values: Vec<&'a [u8]>,
    /// A segment tree over the reads: the earliest return of a pending one below each node, [`NEVER`] if none is.
    earliest: Vec<u64>,
}

impl<'a> Readings<'a> {
    /// `values` in ascending order; no read is pending yet.
    pub(super) fn new(values: Vec<&'a [u8]>) -> Self {
        let earliest = vec![NEVER; 2 * values.len()];
        Self { values, earliest }
    }

    /// How many reads found a value.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// The empty string.
    pub(super) fn root(&self) -> Prefix {
        Prefix { low: 0, high: self.values.len(), length: 0 }
    }

    /// `prefix` with `more` after it, if any value begins so.
    pub(super) fn extend(&self, prefix: Prefix, more: &[u8]) -> Option<Prefix> {
        let range = &self.values[prefix.low..prefix.high];
        let length = prefix.length + more.len();
        let part = |value: &&[u8]| &value[prefix.length..length.min(value.len())] < more;
        let low = range.partition_point(part);
        let count = range[low..].partition_point(|value| value[prefix.length..].starts_with(more));
        (count > 0).then_some(Prefix { low: prefix.low + low, high: prefix.low + low + count, length })
    }

    /// Whether the read at `place` saw exactly `prefix`.
    pub(super) fn is_at(&self, place: usize, prefix: Prefix) -> bool {
        prefix.places().contains(&place) && self.values[place].len() == prefix.length
    }

    /// The read at `place` is pending and was over at `over`; [`NEVER`] once it is not pending any more.
    pub(super) fn set(&mut self, place: usize, over: u64) {
        let mut node = place + self.values.len();
        self.earliest[node] = over;
        while node > 1 {
            node /= 2;
            self.earliest[node] = self.earliest[2 * node].min(self.earliest[2 * node + 1]);
        }
    }

    /// When the first pending read of a value that begins with `prefix` was over; [`NEVER`] if there is none.
    pub(super) fn soonest(&self, prefix: Prefix) -> u64 {
        self.earliest_of(prefix.low, prefix.high)
    }

    fn earliest_of(&self, low: usize, high: usize) -> u64 {
        let (mut low, mut high) = (low + self.values.len(), high + self.values.len());
        let mut earliest = NEVER;
        while low < high {
            if low % 2 == 1 {
                earliest = earliest.min(self.earliest[low]);
                low += 1;
            }
            if high % 2 == 1 {
                high -= 1;
                earliest = earliest.min(self.earliest[high]);
            }
            (low, high) = (low / 2, high / 2);
        }
        earliest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readings() -> Readings<'static> {
        let values: [&[u8]; 6] = [b"", b"a", b"ab", b"ab", b"abc", b"b"];
        let mut readings = Readings::new(values.into());
        (0..6).for_each(|place| readings.set(place, 10 + place as u64));
        readings
    }

    #[test]
    fn a_prefix_grows_along_the_values() {
        let readings = readings();
        let a = readings.extend(readings.root(), b"a").expect("values begin with a");
        let ab = readings.extend(a, b"b").expect("values begin with ab");
        assert_eq!(readings.extend(readings.root(), b"ab"), Some(ab), "one string, one prefix");
        assert_eq!((ab.low, ab.high, ab.length), (2, 5, 2));
        assert_eq!(readings.extend(ab, b"d"), None);
        assert_eq!(readings.extend(ab, b"cc"), None);
        assert_eq!(readings.extend(ab, b""), Some(ab));
        let exact: Vec<usize> = (0..6).filter(|place| readings.is_at(*place, ab)).collect();
        assert_eq!(exact, [2, 3]);
        assert!(readings.is_at(0, readings.root()));
    }

    #[test]
    fn pending_reads_are_counted_below_a_prefix() {
        let mut readings = readings();
        let ab = readings.extend(readings.root(), b"ab").expect("values begin with ab");
        assert_eq!((readings.soonest(readings.root()), readings.soonest(ab)), (10, 12));
        [0, 1, 2, 5].into_iter().for_each(|place| readings.set(place, NEVER));
        assert_eq!((readings.soonest(ab), readings.soonest(readings.root())), (13, 13));
        [3, 4].into_iter().for_each(|place| readings.set(place, NEVER));
        assert_eq!(readings.soonest(readings.root()), NEVER);
    }
}
