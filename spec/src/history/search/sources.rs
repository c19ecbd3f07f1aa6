//! Which pending reads can still be explained by a pending put: how many pending puts each value read begins with.

use super::readings::Prefix;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

/// Keeps a read that is not pending out of every minimum.
const SETTLED: i64 = 1 << 40;

/// Per read, in the order of the readings, the number of pending puts that its value begins with: a segment tree that
/// adds to ranges and finds minima.
pub(super) struct Sources {
    count: usize,
    /// Per node, what was added to all of its range.
    added: Vec<i64>,
    /// Per node, the least sum in its range, what was added above it left out.
    least: Vec<i64>,
}

impl Sources {
    /// `count` reads, none of them pending, and no put.
    pub(super) fn new(count: usize) -> Self {
        let mut sources = Self { count, added: vec![0; 4 * count], least: vec![0; 4 * count] };
        sources.add(0..count, SETTLED);
        sources
    }

    /// The read at `place` is pending, or not any more.
    pub(super) fn set_read(&mut self, place: usize, pending: bool) {
        self.add(place..place + 1, if pending { -SETTLED } else { SETTLED });
    }

    /// A put with which the values of `prefix` begin is pending, or not any more.
    pub(super) fn set_put(&mut self, prefix: Prefix, pending: bool) {
        self.add(prefix.places(), if pending { 1 } else { -1 });
    }

    /// Whether some pending read of these places begins with no pending put.
    pub(super) fn lacks(&self, places: Range<usize>) -> bool {
        self.count > 0 && self.min_in(&places, 1, 0..self.count) == 0
    }

    fn add(&mut self, places: Range<usize>, amount: i64) {
        if self.count > 0 {
            self.add_in(&places, amount, 1, 0..self.count);
        }
    }

    fn add_in(&mut self, places: &Range<usize>, amount: i64, node: usize, covers: Range<usize>) {
        if places.end <= covers.start || covers.end <= places.start {
            return;
        }
        if places.start <= covers.start && covers.end <= places.end {
            self.added[node] += amount;
            self.least[node] += amount;
            return;
        }
        let middle = covers.start.midpoint(covers.end);
        self.add_in(places, amount, 2 * node, covers.start..middle);
        self.add_in(places, amount, 2 * node + 1, middle..covers.end);
        self.least[node] = self.added[node] + self.least[2 * node].min(self.least[2 * node + 1]);
    }

    fn min_in(&self, places: &Range<usize>, node: usize, covers: Range<usize>) -> i64 {
        if places.end <= covers.start || covers.end <= places.start {
            return i64::MAX - SETTLED;
        }
        if places.start <= covers.start && covers.end <= places.end {
            return self.least[node];
        }
        let middle = covers.start.midpoint(covers.end);
        let left = self.min_in(places, 2 * node, covers.start..middle);
        let right = self.min_in(places, 2 * node + 1, middle..covers.end);
        self.added[node] + left.min(right)
    }
}

#[cfg(test)]
mod tests {
    use super::super::readings::Readings;
    use super::*;

    #[test]
    fn a_read_lacks_a_source_when_no_pending_put_begins_it() {
        let values: [&[u8]; 5] = [b"a", b"ab", b"b", b"bc", b"c"];
        let readings = Readings::new(values.into());
        let prefix = |text: &[u8]| readings.extend(readings.root(), text).expect("a value begins so");
        let mut sources = Sources::new(5);
        assert!(!sources.lacks(0..5), "no read is pending");
        (0..4).for_each(|place| sources.set_read(place, true));
        sources.set_put(prefix(b"a"), true);
        assert_eq!([sources.lacks(0..2), sources.lacks(2..3), sources.lacks(3..5)], [false, true, true]);
        sources.set_put(prefix(b"b"), true);
        assert!(!sources.lacks(0..5));
        sources.set_put(prefix(b"a"), false);
        assert_eq!([sources.lacks(0..1), sources.lacks(1..2), sources.lacks(2..5)], [true, true, false]);
        (0..2).for_each(|place| sources.set_read(place, false));
        assert!(!sources.lacks(0..5));
        assert!(!sources.lacks(3..3), "nothing lacks nothing");
        assert!(!Sources::new(0).lacks(0..0));
    }
}
