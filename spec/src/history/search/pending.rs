//! The operations not yet put in order, by invocation and by return, with removal that can be undone.

use alloc::vec::Vec;

/// A doubly linked list over `0..n` that restores removed items at no cost, last removed first ("dancing links").
struct Links {
    next: Vec<usize>,
    previous: Vec<usize>,
}

impl Links {
    /// The items of `order`, with `end` as the sentinel.
    fn new(order: impl Iterator<Item = usize>, end: usize) -> Self {
        let mut links = Self { next: (0..=end).collect(), previous: (0..=end).collect() };
        let mut last = end;
        for item in order {
            links.next[last] = item;
            links.previous[item] = last;
            last = item;
        }
        links.next[last] = end;
        links.previous[end] = last;
        links
    }

    fn remove(&mut self, item: usize) {
        let (previous, next) = (self.previous[item], self.next[item]);
        self.next[previous] = next;
        self.previous[next] = previous;
    }

    fn restore(&mut self, item: usize) {
        let (previous, next) = (self.previous[item], self.next[item]);
        self.next[previous] = item;
        self.previous[next] = item;
    }

    fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        let end = self.next.len() - 1;
        core::iter::successors(Some(self.next[end]), move |item| Some(self.next[*item]))
            .take_while(move |item| *item != end)
    }
}

/// When an operation that never returned is over.
pub(super) const NEVER: u64 = u64::MAX;

/// The operations not yet put in order.
pub(super) struct Pending {
    /// Per operation: when it was invoked and when it was over.
    times: Vec<(u64, u64)>,
    by_invocation: Links,
    by_return: Links,
}

impl Pending {
    /// Operations in order of invocation: when each was invoked, and when it was over ([`NEVER`] if unknown).
    pub(super) fn new(times: Vec<(u64, u64)>) -> Self {
        let mut returned: Vec<usize> = (0..times.len()).filter(|item| times[*item].1 != NEVER).collect();
        returned.sort_by_key(|item| times[*item].1);
        let (by_invocation, by_return) =
            (Links::new(0..times.len(), times.len()), Links::new(returned.into_iter(), times.len()));
        Self { times, by_invocation, by_return }
    }

    /// When it was invoked.
    pub(super) fn invoked(&self, item: usize) -> u64 {
        self.times[item].0
    }

    /// When it was over.
    pub(super) fn over(&self, item: usize) -> u64 {
        self.times[item].1
    }

    /// Puts an operation in order.
    pub(super) fn take(&mut self, item: usize) {
        self.by_invocation.remove(item);
        if self.over(item) != NEVER {
            self.by_return.remove(item);
        }
    }

    /// Takes that back. Operations come back in the opposite order of their going.
    pub(super) fn put_back(&mut self, item: usize) {
        self.by_invocation.restore(item);
        if self.over(item) != NEVER {
            self.by_return.restore(item);
        }
    }

    /// Those that returned, the first to return first. The first one holds up whatever was invoked after its return.
    pub(super) fn returned(&self) -> impl Iterator<Item = usize> + '_ {
        self.by_return.iter()
    }

    /// Those that may come next: invoked before any other pending one was over.
    pub(super) fn candidates(&self) -> impl Iterator<Item = usize> + '_ {
        let horizon = self.returned().next().map_or(NEVER, |first| self.over(first));
        self.by_invocation.iter().take_while(move |item| self.invoked(*item) <= horizon)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_overlap_the_first_to_return() {
        let mut pending = Pending::new(Vec::from([(0, 9), (1, 3), (2, NEVER), (3, 5), (4, 6)]));
        let candidates = |pending: &Pending| pending.candidates().collect::<Vec<_>>();
        assert_eq!(candidates(&pending), [0, 1, 2, 3], "3 was invoked when 1 returned, 4 later");
        pending.take(1);
        assert_eq!(candidates(&pending), [0, 2, 3, 4]);
        pending.take(0);
        pending.put_back(0);
        pending.put_back(1);
        assert_eq!(candidates(&pending), [0, 1, 2, 3]);
        assert_eq!(pending.returned().collect::<Vec<_>>(), [1, 3, 4, 0]);
    }
}
