//! Virtual time: events in the order of their moments, and of their making where two share one. Nothing else orders them.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::time::Duration;

/// A moment: the time since the world began.
pub type Moment = Duration;

#[derive(Debug)]
struct Entry<E> {
    at: Moment,
    made: u64,
    event: E,
}

impl<E> Entry<E> {
    fn key(&self) -> (Moment, u64) {
        (self.at, self.made)
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

/// What is going to happen.
#[derive(Debug)]
pub(super) struct Queue<E> {
    heap: BinaryHeap<Reverse<Entry<E>>>,
    made: u64,
}

impl<E> Queue<E> {
    /// Nothing.
    pub(super) fn new() -> Self {
        Self { heap: BinaryHeap::new(), made: 0 }
    }

    /// Adds an event.
    pub(super) fn push(&mut self, at: Moment, event: E) {
        self.made += 1;
        self.heap.push(Reverse(Entry { at, made: self.made, event }));
    }

    /// Takes the next event, unless it comes after `limit`.
    pub(super) fn pop(&mut self, limit: Moment) -> Option<(Moment, E)> {
        if self.heap.peek().is_none_or(|Reverse(entry)| entry.at > limit) {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| (entry.at, entry.event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_in_the_order_of_time_and_then_of_making() {
        let mut queue = Queue::new();
        let at = Duration::from_millis;
        for (time, name) in [(2, "b"), (1, "a"), (2, "c"), (9, "late")] {
            queue.push(at(time), name);
        }
        let seen: Vec<_> = std::iter::from_fn(|| queue.pop(at(8))).map(|(_, name)| name).collect();
        assert_eq!(seen, ["a", "b", "c"]);
        assert_eq!(queue.pop(at(9)), Some((at(9), "late")));
    }
}
