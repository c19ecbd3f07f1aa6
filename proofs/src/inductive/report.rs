//! What a proof run found, and how it is shown.

use serde::Serialize;
use std::fmt::Write as _;

/// How an obligation ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As expected.
    Holds,
    /// The solver found a counterexample, or a trace to be impossible: what to show of it.
    Refuted(String),
    /// No answer: time-out, `unknown`, or a solver that fails. Not a proof.
    Unknown(String),
}

/// An obligation and how it ended.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// Which.
    pub obligation: String,
    /// How it ended.
    pub verdict: Verdict,
    /// How long the solver took.
    pub seconds: f64,
}

/// The slowest obligation.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Slowest {
    /// Which.
    pub obligation: String,
    /// How long.
    pub seconds: f64,
}

/// A file's results.
#[derive(Clone, Debug, Serialize)]
pub struct FileReport {
    /// The file's name.
    pub file: String,
    /// Conjuncts of the invariant that are stated here.
    pub conjuncts: usize,
    /// Those of them that are promises.
    pub promises: usize,
    /// Actions, those of included files among them.
    pub actions: usize,
    /// Obligations.
    pub obligations: usize,
    /// Those refuted.
    pub failed: usize,
    /// Those without an answer.
    pub unknown: usize,
    /// Time from the first to the last.
    pub seconds: f64,
    /// The slowest.
    pub slowest: Slowest,
    /// The solver's version.
    pub solver: String,
    /// All that did not hold.
    pub failures: Vec<Outcome>,
}

/// The results of all files.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// One per file.
    pub files: Vec<FileReport>,
}

impl FileReport {
    /// Whether everything holds, and there was something to hold.
    pub fn holds(&self) -> bool {
        self.obligations > 0 && self.failed == 0 && self.unknown == 0
    }
}

impl Report {
    /// Whether everything holds, and there was something to hold.
    pub fn holds(&self) -> bool {
        !self.files.is_empty() && self.files.iter().all(FileReport::holds)
    }
}

/// Every failure with its counterexample, then a table of the files.
pub fn render(report: &Report) -> String {
    let mut text = String::new();
    for file in &report.files {
        for failure in &file.failures {
            let _ = match &failure.verdict {
                Verdict::Refuted(why) => writeln!(text, "{}: {} does not hold\n{why}", file.file, failure.obligation),
                Verdict::Unknown(why) => writeln!(text, "{}: {} is open: {why}\n", file.file, failure.obligation),
                Verdict::Holds => Ok(()),
            };
        }
    }
    let _ = writeln!(
        text,
        "{:<10} {:>9} {:>8} {:>7} {:>11} {:>6} {:>7} {:>8}  slowest",
        "file", "conjuncts", "promises", "actions", "obligations", "failed", "unknown", "seconds"
    );
    for file in &report.files {
        let _ = writeln!(
            text,
            "{:<10} {:>9} {:>8} {:>7} {:>11} {:>6} {:>7} {:>8.1}  {} {:.1} s",
            file.file,
            file.conjuncts,
            file.promises,
            file.actions,
            file.obligations,
            file.failed,
            file.unknown,
            file.seconds,
            file.slowest.obligation,
            file.slowest.seconds
        );
    }
    let solver = report.files.first().map_or("", |file| file.solver.as_str());
    let verdict = if report.holds() { "all obligations hold" } else { "NOT PROVED" };
    let _ = writeln!(text, "{verdict} ({solver})");
    text
}
