//! The one place that hands a history to the judges, for the demo, the process tests and `quorate-sim judge` alike.

use quorate_spec::history::{self as spec, Operation, Report, Verdict, at_most_once};

/// Steps that the search may take for one key before it gives up, which is not a pass.
const SEARCH_BUDGET: u64 = 5_000_000;

/// What the judges say about one history.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// Two judges: the order that the positions claim, replayed and compared with real time, and an independent search
    /// for an order, key by key, that does not look at positions.
    pub linearizable: Verdict,
    /// No write was seen to take effect twice.
    pub at_most_once: Verdict,
    /// How much was looked at, and by which judge.
    pub report: Report,
}

impl Judgement {
    /// Neither judge objects, and each key was passed by at least one of them.
    pub fn linearizable(&self) -> bool {
        self.linearizable == Verdict::Pass
    }

    /// No write was seen to take effect twice.
    pub fn at_most_once(&self) -> bool {
        self.at_most_once == Verdict::Pass
    }

    /// Everything holds.
    pub fn holds(&self) -> bool {
        self.linearizable() && self.at_most_once()
    }

    /// Keys that the positions explain.
    pub fn certified_keys(&self) -> usize {
        self.report.keys.saturating_sub(self.report.left_to_search.len())
    }

    /// Keys that the search decided.
    pub fn searched_keys(&self) -> usize {
        self.report.keys.saturating_sub(self.report.out_of_budget.len())
    }
}

/// A verdict in words.
pub fn describe(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Pass => "holds".into(),
        Verdict::Fail(violation) => format!("VIOLATED: {}: {}", violation.property, violation.evidence),
        Verdict::Unknown(why) => format!("UNDECIDED: {why}"),
    }
}

/// Hands a history to every judge.
pub fn judge(operations: &[Operation]) -> Judgement {
    let (linearizable, report) = spec::judge(operations, SEARCH_BUDGET);
    Judgement { linearizable, at_most_once: at_most_once::judge(operations), report }
}
