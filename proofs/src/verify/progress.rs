//! What a search tells while it runs, and a printer for it.

use std::io::{IsTerminal, Write};
use std::time::Duration;

/// How far a search is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Since its start.
    pub elapsed: Duration,
    /// States found; 0 for walks.
    pub unique_states: u64,
    /// States generated, repeated ones too; steps, for walks.
    pub generated_states: u64,
    /// Generated states per second since the last report.
    pub rate: f64,
    /// The most actions from an initial state so far.
    pub depth: usize,
    /// Memory of this process, in bytes.
    pub memory: u64,
}

/// Prints progress on standard error: one line that is replaced every second on a terminal, a line every ten seconds
/// otherwise.
#[derive(Debug)]
pub struct Printer {
    terminal: bool,
    last: Duration,
    shown: bool,
}

impl Default for Printer {
    fn default() -> Self {
        Self { terminal: std::io::stderr().is_terminal(), last: Duration::ZERO, shown: false }
    }
}

impl Printer {
    /// Prints, if it is time. A closed standard error is no reason to stop.
    pub fn print(&mut self, progress: &Progress) {
        if !self.terminal && progress.elapsed < self.last + Duration::from_secs(10) {
            return;
        }
        (self.last, self.shown) = (progress.elapsed, true);
        let line = line(progress);
        let (start, end) = if self.terminal { ("\r\x1b[K", "") } else { ("", "\n") };
        let _ = write!(std::io::stderr(), "{start}{line}{end}").and_then(|()| std::io::stderr().flush());
    }

    /// Takes the replaced line away, so that the result stands alone.
    pub fn clear(&self) {
        if self.terminal && self.shown {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

fn line(progress: &Progress) -> String {
    format!(
        "{:>5.0} s  {} states, {} generated ({}/s), depth {}, {:.1} GB",
        progress.elapsed.as_secs_f64(),
        grouped(progress.unique_states),
        grouped(progress.generated_states),
        grouped(progress.rate as u64),
        progress.depth,
        progress.memory as f64 / 1e9,
    )
}

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The memory of this process in bytes; 0 where the system does not tell.
pub fn memory_in_use() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let resident = pages.as_deref().and_then(|text| text.split(' ').nth(1)).and_then(|pages| pages.parse::<u64>().ok());
    resident.unwrap_or(0) * 4096
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far() {
        let progress = Progress {
            elapsed: Duration::from_secs(12),
            unique_states: 1_234_567,
            generated_states: 9_999,
            rate: 300_000.4,
            depth: 17,
            memory: 2_500_000_000,
        };
        assert_eq!(line(&progress), "   12 s  1,234,567 states, 9,999 generated (300,000/s), depth 17, 2.5 GB");
    }

    #[test]
    fn this_process_uses_memory() {
        assert!(memory_in_use() > 100_000);
    }
}
