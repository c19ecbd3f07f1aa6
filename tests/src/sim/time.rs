//! Virtual time: events in the order of their moments, and of their making where two share one. Nothing else orders them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// A moment: the time since the world began.
pub type Moment = Duration;

/// What is going to happen. The heap orders places, so that an event is moved twice and no more.
#[derive(Debug)]
pub(super) struct Queue<E> {
    heap: BinaryHeap<Reverse<(u64, u64, usize)>>,
    events: Vec<Option<E>>,
    free: Vec<usize>,
    made: u64,
}

impl<E> Queue<E> {
    /// Nothing.
    pub(super) fn new() -> Self {
        Self { heap: BinaryHeap::new(), events: Vec::new(), free: Vec::new(), made: 0 }
    }

    /// Adds an event.
    pub(super) fn push(&mut self, at: Moment, event: E) {
        self.made += 1;
        let place = self.free.pop().unwrap_or(self.events.len());
        match self.events.get_mut(place) {
            Some(free) => *free = Some(event),
            None => self.events.push(Some(event)),
        }
        self.heap.push(Reverse((at.as_nanos() as u64, self.made, place)));
    }

    /// Takes the next event, unless it comes after `limit`.
    pub(super) fn pop(&mut self, limit: Moment) -> Option<(Moment, E)> {
        if self.heap.peek().is_none_or(|Reverse((at, ..))| u128::from(*at) > limit.as_nanos()) {
            return None;
        }
        let Reverse((at, _, place)) = self.heap.pop()?;
        self.free.push(place);
        Some((Duration::from_nanos(at), self.events[place].take()?))
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
