//! Tells on standard error what is going on: a bar where it can be redrawn, plain lines elsewhere.

use super::session::Counters;
use std::io::{IsTerminal, Write};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The phases, each with its usual share of the time in percent.
const PHASES: [(&str, u64); 6] = [
    ("starting the cluster", 8),
    ("clients at work, faults under way", 72),
    ("killing and restarting everything", 8),
    ("reading everything back", 4),
    ("reading the history", 2),
    ("judging", 6),
];
/// Characters of the bar.
const WIDTH: u64 = 24;

/// What is shown.
#[derive(Debug)]
pub(super) struct Progress {
    terminal: bool,
    begun: Instant,
    counters: Arc<Counters>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    phase: usize,
    phase_begun: Instant,
    phase_length: Duration,
}

impl Progress {
    /// Shows nothing yet.
    pub(super) fn new(counters: Arc<Counters>) -> Arc<Self> {
        let now = Instant::now();
        let state = State { phase: 0, phase_begun: now, phase_length: Duration::from_secs(5) };
        let terminal = std::io::stderr().is_terminal();
        Arc::new(Self { terminal, begun: now, counters, state: Mutex::new(state) })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long the demo has been running.
    pub(super) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Enters a phase that is expected to last `length`.
    pub(super) fn phase(&self, phase: usize, length: Duration) {
        let name = PHASES.get(phase).map_or("", |(name, _)| *name);
        *self.lock() = State { phase, phase_begun: Instant::now(), phase_length: length };
        self.line(&format!("{}/{} {name}", phase + 1, PHASES.len()));
    }

    /// Something happened that a watcher wants to know.
    pub(super) fn note(&self, text: &str) {
        self.line(&format!("    {text}"));
    }

    fn line(&self, text: &str) {
        let clear = if self.terminal { "\r\x1b[K" } else { "" };
        eprintln!("{clear}{:5.1} s  {text}", self.elapsed().as_secs_f64());
        self.draw();
    }

    /// Redraws the bar.
    pub(super) fn draw(&self) {
        if self.terminal {
            let mut out = std::io::stderr().lock();
            let _ = write!(out, "\r\x1b[K{}\r", self.bar()).and_then(|()| out.flush());
        }
    }

    /// Removes the bar.
    pub(super) fn clear(&self) {
        if self.terminal {
            eprint!("\r\x1b[K");
        }
    }

    fn bar(&self) -> String {
        let state = self.lock();
        let ratio = state.phase_begun.elapsed().as_secs_f64() / state.phase_length.as_secs_f64().max(0.1);
        let percent = percent(state.phase, ratio);
        let full = (percent * WIDTH / 100) as usize;
        let bar = format!("{}{}", "█".repeat(full), "░".repeat(WIDTH as usize - full));
        format!("{bar} {percent:3} %  {} operations", self.counters.answered.load(Relaxed))
    }

    /// Redraws until aborted.
    pub(super) async fn keep_drawing(self: Arc<Self>) {
        loop {
            tokio::time::sleep(Duration::from_millis(200)).await;
            self.draw();
        }
    }
}

/// How much is done, in a phase of which `ratio` has passed. A phase that takes longer than expected waits at its end.
fn percent(phase: usize, ratio: f64) -> u64 {
    let before: u64 = PHASES.iter().take(phase).map(|(_, share)| share).sum();
    let share = PHASES.get(phase).map_or(0, |(_, share)| *share);
    before + (share as f64 * ratio.clamp(0.0, 1.0)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_only_grows() {
        assert_eq!(PHASES.iter().map(|(_, share)| share).sum::<u64>(), 100);
        let mut last = 0;
        for phase in 0..PHASES.len() {
            for ratio in [0.0, 0.5, 1.0, 9.0] {
                assert!(percent(phase, ratio) >= last);
                last = percent(phase, ratio);
            }
        }
        assert_eq!(last, 100);
        let progress = Progress::new(Arc::default());
        assert!(progress.bar().ends_with("0 %  0 operations"), "{}", progress.bar());
    }
}
