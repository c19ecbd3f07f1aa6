//! What the demo found, for people and for programs, and whether all of it holds.

use super::faults::{Done, Part};
use crate::history::{Judgement, describe};
use quorate_spec::history::{Call, Operation, Outcome};
use quorate_spec::ids::ShardId;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

/// What the demo has to reach: less would prove less than it says.
const LEAST_OPERATIONS: u64 = 20_000;
const LEAST_WRITES_PERCENT: u64 = 40;
const LEAST_MOVES: u64 = 8;
const LEAST_KILLS: usize = 3;
const MOST_SECONDS: f64 = 90.0;
/// How many troubles and lost writes are told in full.
const SHOWN: usize = 5;

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
#[derive(Clone, Debug, PartialEq, Eq)]
struct Check {
    name: &'static str,
    holds: bool,
    detail: String,
}

impl Findings {
    /// Whether everything holds.
    pub(super) fn hold(&self) -> bool {
        self.checks().iter().all(|check| check.holds)
    }

    fn checks(&self) -> Vec<Check> {
        let mut checks = self.verdicts();
        checks.extend(self.quotas());
        checks
    }

    /// What the judges say, and whether everything went as planned.
    fn verdicts(&self) -> Vec<Check> {
        let check = |name, holds, detail| Check { name, holds, detail };
        let Judgement {
            linearizable,
            at_most_once,
            report,
        } = &self.judgement;
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
            check(
                "every write at most once",
                self.judgement.at_most_once(),
                describe(at_most_once),
            ),
            check("no acknowledged write lost", self.lost.is_empty(), lost),
            check("as planned", self.troubles.is_empty(), planned),
        ]
    }

    /// Whether enough was done for the verdicts to mean something.
    fn quotas(&self) -> Vec<Check> {
        let check = |name, holds, detail| Check { name, holds, detail };
        let Totals {
            operations,
            writes,
            shards_written,
            ..
        } = self.totals;
        let percent = 100 * writes / operations.max(1);
        let kills = &self.done.kills;
        let leader = kills.iter().any(|kill| kill.part == Part::Leader);
        let mid_move = |part| kills.iter().any(|kill| kill.part == part && kill.mid_move);
        let (source, target) = (mid_move(Part::Source), mid_move(Part::Target));
        let yes = |holds| if holds { "yes" } else { "NO" };
        vec![
            check(
                "operations",
                operations >= LEAST_OPERATIONS,
                format!("{operations} of at least {LEAST_OPERATIONS}"),
            ),
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
            check(
                "moves",
                self.moves >= LEAST_MOVES,
                format!("{} of at least {LEAST_MOVES}", self.moves),
            ),
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

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let Totals {
            operations,
            writes,
            failed,
            unknown,
            shards_written,
        } = self.totals;
        let checks: Vec<Value> = self
            .checks()
            .iter()
            .map(|check| json!({ "name": check.name, "holds": check.holds, "detail": check.detail }))
            .collect();
        json!({
            "holds": self.hold(),
            "linearizable": self.judgement.linearizable(),
            "at_most_once": self.judgement.at_most_once(),
            "operations": operations,
            "writes": writes,
            "reads": operations - writes,
            "failed": failed,
            "unknown": unknown,
            "shards_written": shards_written,
            "moves": self.moves,
            "joins": self.done.joins,
            "leaves": self.done.leaves,
            "explicit_moves": self.done.moves_asked,
            "kills": self.kills,
            "kills_under_load": self.done.kills,
            "killed_at_end": self.killed_at_end,
            "longest_pause_ms": self.longest_pause_ms.round(),
            "lost_acknowledged_writes": self.lost.len(),
            "lost": self.lost.iter().take(SHOWN).collect::<Vec<_>>(),
            "troubles": self.troubles,
            "processes": self.processes,
            "clients": self.clients,
            "keys": self.keys,
            "seconds": (self.seconds * 10.0).round() / 10.0,
            "checks": checks,
            "history": self.history,
        })
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        self.tell_done(&mut text);
        text.push_str("\nWhat was checked\n");
        tell_checks(&mut text, &self.verdicts());
        text.push_str("\nWas it enough?\n");
        tell_checks(&mut text, &self.quotas());
        let history = self.history.display();
        let _ = writeln!(
            text,
            "\nLongest pause   {:.1} s: the longest that any client waited for an answer",
            self.longest_pause_ms / 1e3
        );
        let _ = writeln!(
            text,
            "History         {history}\n                judge it again: quorate-sim judge {history}"
        );
        text.push_str(if self.hold() {
            "\nEverything holds.\n"
        } else {
            "\nNOT everything holds: see what is marked above.\n"
        });
        text
    }

    fn tell_done(&self, text: &mut String) {
        let Totals {
            operations,
            writes,
            failed,
            unknown,
            ..
        } = self.totals;
        let Done {
            kills,
            joins,
            leaves,
            moves_asked,
            pauses,
            transfers,
            ..
        } = &self.done;
        let lines = [
            format!(
                "{} processes on this machine: a controller and 4 groups of 3, no group sharing a process",
                self.processes
            ),
            format!(
                "{} clients: {operations} operations, {writes} of them writes, on {} keys in {} shards",
                self.clients, self.keys, self.shards
            ),
            format!("({unknown} more got no answer in time and may or may not have happened; {failed} were refused)"),
            format!(
                "{} shards moved between groups: {joins} joins, {leaves} leave, {moves_asked} moves of one shard",
                self.moves
            ),
            format!(
                "{} killed with SIGKILL under load and restarted; {pauses} paused; {transfers} handed its leadership over",
                counted(kills.len())
            ),
            format!(
                "then all {} killed at once, restarted, and every key read back",
                self.killed_at_end
            ),
        ];
        let _ = writeln!(text, "Quorate demo, {:.0} s\n\nWhat was done", self.seconds);
        for line in lines {
            let _ = writeln!(text, "  {line}");
        }
    }
}

fn counted(processes: usize) -> String {
    if processes == 1 {
        "1 process".into()
    } else {
        format!("{processes} processes")
    }
}

fn some_of(list: &[String]) -> String {
    let shown: Vec<&str> = list.iter().take(SHOWN).map(String::as_str).collect();
    let more = list.len().saturating_sub(SHOWN);
    let more = if more > 0 {
        format!("; and {more} more")
    } else {
        String::new()
    };
    format!("{}: {}{more}", list.len(), shown.join("; "))
}

fn tell_checks(text: &mut String, checks: &[Check]) {
    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    for Check { name, holds, detail } in checks {
        let _ = writeln!(
            text,
            "  {} {name:<width$}  {detail}",
            if *holds { "[ok]  " } else { "[FAIL]" }
        );
    }
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;
