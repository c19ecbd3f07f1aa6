//! A failing schedule made short: faults are left out as long as the run still fails in the same property.

use super::judge::Finding;
use super::plan::{Plan, Scheduled};
use super::run::{Report, run};

/// How many runs shrinking may take.
const RUNS: usize = 200;

/// The shortest failing plan that was found, and what came of it. `None` if this one does not fail.
pub fn shrink(plan: &Plan) -> Option<(Plan, Report)> {
    let mut best = (plan.clone(), run(plan));
    let property = failure(&best.1.finding)?;
    let mut left = RUNS;
    let mut piece = best.0.faults.len().div_ceil(2);
    while piece > 0 && left > 0 {
        let mut from = 0;
        while from < best.0.faults.len() && left > 0 {
            left -= 1;
            let shorter = Plan { faults: without(&best.0.faults, from, piece), ..best.0.clone() };
            let report = run(&shorter);
            if failure(&report.finding) == Some(property) {
                best = (shorter, report);
            } else {
                from += piece;
            }
        }
        piece = if piece == 1 { 0 } else { piece.div_ceil(2) };
    }
    Some(best)
}

fn without(faults: &[Scheduled], from: usize, count: usize) -> Vec<Scheduled> {
    faults
        .iter()
        .enumerate()
        .filter(|(place, _)| !(from..from + count).contains(place))
        .map(|(_, it)| it.clone())
        .collect()
}

fn failure(finding: &Finding) -> Option<&'static str> {
    match finding {
        Finding::Pass => None,
        Finding::Fail(violation) => Some(violation.property),
        Finding::Unknown(_) => Some("unknown"),
    }
}
