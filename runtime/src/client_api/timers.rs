//! Named timers with one clock: armed, disarmed and found due in the order of their times.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::time::{Instant, Sleep, sleep_until};

/// The armed timers.
#[derive(Debug)]
pub(super) struct Timers<K> {
    due: BTreeSet<(Instant, K)>,
    armed: BTreeMap<K, Instant>,
    /// Wakes the task; at the time of the first timer or earlier, never later.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl<K: Copy + Ord> Timers<K> {
    pub(super) fn new() -> Self {
        Self { due: BTreeSet::new(), armed: BTreeMap::new(), alarm: None }
    }

    pub(super) fn arm(&mut self, timer: K, at: Instant) {
        if let Some(before) = self.armed.insert(timer, at) {
            self.due.remove(&(before, timer));
        }
        self.due.insert((at, timer));
    }

    pub(super) fn disarm(&mut self, timer: &K) {
        if let Some(at) = self.armed.remove(timer) {
            self.due.remove(&(at, *timer));
        }
    }

    /// Takes the first timer that is due.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<K> {
        let (_, timer) = self.due.pop_first_if(|(at, _)| *at <= now)?;
        self.armed.remove(&timer);
        Some(timer)
    }

    /// Whether the alarm will ring by the time of the first timer: it need not be [polled](Self::poll_alarm) before.
    pub(super) fn alarm_is_set(&self) -> bool {
        let by = |first: Instant| self.alarm.as_ref().is_some_and(|it| !it.is_elapsed() && it.deadline() <= first);
        self.due.first().is_none_or(|(first, _)| by(*first))
    }

    /// Ready when the first timer may be due. An early ring is harmless, and cheaper than moving the alarm each time.
    pub(super) fn poll_alarm(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some((first, _)) = self.due.first() else {
            return Poll::Pending;
        };
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(*first)));
        if alarm.deadline() > *first || alarm.is_elapsed() {
            alarm.as_mut().reset(*first);
        }
        alarm.as_mut().poll(cx)
    }
}

/// `BTreeSet::pop_first` under a condition.
trait PopFirstIf<T> {
    fn pop_first_if(&mut self, condition: impl Fn(&T) -> bool) -> Option<T>;
}

impl<T: Ord> PopFirstIf<T> for BTreeSet<T> {
    fn pop_first_if(&mut self, condition: impl Fn(&T) -> bool) -> Option<T> {
        if self.first().is_some_and(condition) { self.pop_first() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn timers_are_due_in_order_and_once() {
        let now = Instant::now();
        let mut timers = Timers::new();
        for (timer, after) in [("late", 3), ("early", 1), ("stopped", 2), ("moved", 1)] {
            timers.arm(timer, now + Duration::from_secs(after));
        }
        timers.disarm(&"stopped");
        timers.arm("moved", now + Duration::from_secs(9));
        assert_eq!(timers.take_due(now), None);
        let then = now + Duration::from_secs(3);
        assert_eq!(timers.take_due(then), Some("early"));
        assert_eq!(timers.take_due(then), Some("late"));
        assert_eq!(timers.take_due(then), None);
        assert_eq!(timers.take_due(then + Duration::from_secs(9)), Some("moved"));
    }
}
