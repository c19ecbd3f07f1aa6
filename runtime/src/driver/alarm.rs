//! The one alarm of the runtime that all timers of a node share.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;
use tokio::time::{Sleep, sleep_until};

/// Rings at the wanted time or earlier, never later. Moving it costs more than ringing in vain: most timers are armed anew
/// long before they are due, so it stays where it was until it rings.
#[derive(Debug, Default)]
pub(super) struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Ready at `at` or earlier.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, at: Instant) -> Poll<()> {
        let at = at.into();
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if sleep.deadline() > at || sleep.is_elapsed() {
            sleep.as_mut().reset(at);
        }
        sleep.as_mut().poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::time::Duration;

    #[tokio::test]
    async fn rings_for_an_earlier_time_and_again_for_a_later_one() {
        let (mut alarm, start) = (Alarm::default(), Instant::now());
        let far = start + Duration::from_secs(3600);
        let waits = poll_fn(|cx| Poll::Ready(alarm.poll(cx, far).is_pending())).await;
        assert!(waits, "an hour is not over");
        for milliseconds in [20, 40] {
            let at = start + Duration::from_millis(milliseconds);
            while Instant::now() < at {
                poll_fn(|cx| alarm.poll(cx, at)).await;
            }
        }
    }
}
