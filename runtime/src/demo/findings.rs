//! What the demo found, and whether all of it holds: what the judges say, and whether enough happened for that to mean
//! something.

use super::plan::{Done, Part};
use crate::history::{Judgement, describe};
use quorate_spec::history::{Call, Operation, Outcome};
use quorate_spec::ids::ShardId;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// What the demo has to reach: less would prove less than it says.
const LEAST_OPERATIONS: u64 = 20_000;
const LEAST_WRITES_PERCENT: u64 = 40;
const LEAST_MOVES: u64 = 8;
const LEAST_KILLS: usize = 3;
const MOST_SECONDS: f64 = 90.0;
/// How many troubles and lost writes are told in full.
pub(super) const SHOWN: usize = 5;

/// Everything that was found.
#[derive(Debug)]
pub(super) struct Findings {
    pub(super) judgement: Judgement,
    pub(super) totals: Totals,
    pub(super) shards: u32,
    pub(super) processes: u64,
    pub(super) clients: u16,
    pub(super) keys: usize,
    pub(super) done: Done,
    /// Shard moves between groups without a common process.
    pub(super) moves: u64,
    /// All waits that ended by signal 9.
    pub(super) kills: u64,
    /// How many were killed at once at the end.
    pub(super) killed_at_end: u64,
    pub(super) longest_pause_ms: f64,
    /// The lost writes, in words.
    pub(super) lost: Vec<String>,
    /// Everything else that did not go as planned.
    pub(super) troubles: Vec<String>,
    pub(super) seconds: f64,
    pub(super) history: PathBuf,
}

/// What a history consists of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    /// Answered operations.
    pub(super) operations: u64,
    /// Answered puts and appends.
    pub(super) writes: u64,
    /// Operations with no effect.
    pub(super) failed: u64,
    /// Operations of which nobody knows.
    pub(super) unknown: u64,
    /// Shards with an acknowledged write.
    pub(super) shards_written: usize,
}

impl Totals {
    /// Counts.
    pub(super) fn of(operations: &[Operation]) -> Self {
        let mut totals = Self::default();
        let mut shards: BTreeSet<ShardId> = BTreeSet::new();
        for operation in operations {
            match operation.outcome {
                Outcome::Failed => totals.failed += 1,
                Outcome::Unknown => totals.unknown += 1,
                Outcome::Value(_) | Outcome::Done => totals.operations += 1,
            }
            if operation.outcome == Outcome::Done && operation.call != Call::Get {
                totals.writes += 1;
                shards.extend(operation.place.map(|(shard, _)| shard));
            }
        }
        totals.shards_written = shards.len();
        totals
    }
}

/// One thing that must hold.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) holds: bool,
    pub(super) detail: String,
}

impl Findings {
    /// Whether everything holds.
    pub(super) fn hold(&self) -> bool {
        self.checks().iter().all(|check| check.holds)
    }

    /// Everything that must hold.
    pub(super) fn checks(&self) -> Vec<Check> {
        let mut checks = self.verdicts();
        checks.extend(self.quotas());
        checks
    }

    /// What the judges say, and whether everything went as planned.
    pub(super) fn verdicts(&self) -> Vec<Check> {
        let check = |name, holds, detail| Check { name, holds, detail };
        let Judgement { linearizable, at_most_once, report } = &self.judgement;
        let keys = report.keys;
        let (certified, searched) = (self.judgement.certified_keys(), self.judgement.searched_keys());
        let judged = format!(
            "{}; by log positions: {certified} of {keys} keys, by independent search: {searched} of {keys}",
            describe(linearizable)
        );
        let lost = match self.lost.len() {
            0 => format!(
                "all {} acknowledged writes are accounted for after the restart of everything",
                self.totals.writes
            ),
            _ => some_of(&self.lost),
        };
        let planned = match self.troubles.len() {
            0 => "every step of the fault plan worked; no process ended by itself".to_owned(),
            _ => some_of(&self.troubles),
        };
        vec![
            check("linearizable", self.judgement.linearizable(), judged),
            check("every write at most once", self.judgement.at_most_once(), describe(at_most_once)),
            check("no acknowledged write lost", self.lost.is_empty(), lost),
            check("as planned", self.troubles.is_empty(), planned),
        ]
    }

    /// Whether enough was done for the verdicts to mean something.
    pub(super) fn quotas(&self) -> Vec<Check> {
        let check = |name, holds, detail| Check { name, holds, detail };
        let Totals { operations, writes, shards_written, .. } = self.totals;
        let percent = 100 * writes / operations.max(1);
        let kills = &self.done.kills;
        let leader = kills.iter().any(|kill| kill.part == Part::Leader);
        let mid_move = |part| kills.iter().any(|kill| kill.part == part && kill.mid_move);
        let (source, target) = (mid_move(Part::Source), mid_move(Part::Target));
        let yes = |holds| if holds { "yes" } else { "NO" };
        vec![
            check("operations", operations >= LEAST_OPERATIONS, format!("{operations} of at least {LEAST_OPERATIONS}")),
            check(
                "writes",
                percent >= LEAST_WRITES_PERCENT,
                format!("{percent} % of at least {LEAST_WRITES_PERCENT} %"),
            ),
            check(
                "shards",
                shards_written as u64 == u64::from(self.shards),
                format!("{shards_written} of {} were written to", self.shards),
            ),
            check("moves", self.moves >= LEAST_MOVES, format!("{} of at least {LEAST_MOVES}", self.moves)),
            check(
                "kills",
                kills.len() >= LEAST_KILLS && leader && source && target,
                format!(
                    "{} of at least {LEAST_KILLS} under load; a leader: {}, a source in mid-move: {}, a target in mid-move: {}",
                    kills.len(),
                    yes(leader),
                    yes(source),
                    yes(target)
                ),
            ),
            check(
                "time",
                self.seconds <= MOST_SECONDS,
                format!("{:.0} s of at most {MOST_SECONDS:.0} s", self.seconds),
            ),
        ]
    }
}

fn some_of(list: &[String]) -> String {
    let shown: Vec<&str> = list.iter().take(SHOWN).map(String::as_str).collect();
    let more = list.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("{}: {}{more}", list.len(), shown.join("; "))
}

#[cfg(test)]
#[path = "findings_tests.rs"]
mod tests;
