//! Back-pressure: how much of something waits inside, and who must wait outside for room.

use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;

/// A level with a limit. Entering is always allowed (what has been read must go somewhere); whoever reads more waits for
/// room first, so that the level exceeds the limit by one read per reader at most.
#[derive(Debug)]
pub struct Gauge {
    level: AtomicUsize,
    limit: usize,
    sank: Notify,
}

impl Gauge {
    /// An empty gauge.
    pub fn new(limit: usize) -> Self {
        Self { level: AtomicUsize::new(0), limit, sank: Notify::new() }
    }

    /// `amount` came in.
    pub fn enter(&self, amount: usize) {
        self.level.fetch_add(amount, Ordering::AcqRel);
    }

    /// `amount` that had come in is done with.
    pub fn leave(&self, amount: usize) {
        let before = self.level.fetch_sub(amount, Ordering::AcqRel);
        debug_assert!(before >= amount, "nothing leaves that did not enter");
        if before >= self.limit && before - amount < self.limit {
            self.sank.notify_waiters();
        }
    }

    /// Whether the level is below the limit.
    pub fn has_room(&self) -> bool {
        self.level.load(Ordering::Acquire) < self.limit
    }

    /// Waits until the level is below the limit.
    pub async fn room(&self) {
        loop {
            let sank = self.sank.notified();
            tokio::pin!(sank);
            // Registered before the level is looked at: a fall in between is not missed.
            sank.as_mut().enable();
            if self.has_room() {
                return;
            }
            sank.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Gauge;
    use std::sync::Arc;

    #[tokio::test]
    async fn waits_outside_while_full() {
        let gauge = Arc::new(Gauge::new(10));
        gauge.room().await;
        gauge.enter(12);
        assert!(!gauge.has_room());
        let waiting = tokio::spawn({
            let gauge = Arc::clone(&gauge);
            async move { gauge.room().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        gauge.leave(1);
        assert!(!gauge.has_room(), "11 of 10");
        gauge.leave(2);
        waiting.await.expect("room again");
    }
}
