//! The report: what was found, for people and for programs.

use super::findings::{Check, Findings, SHOWN, Totals};
use super::plan::Done;
use serde_json::{Value, json};
use std::fmt::Write as _;

impl Findings {
    /// For programs.
    pub(super) fn json(&self) -> Value {
        let Totals { operations, writes, failed, unknown, shards_written } = self.totals;
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
            "checks": self.checks(),
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
        let _ =
            writeln!(text, "History         {history}\n                judge it again: quorate-sim judge {history}");
        text.push_str(if self.hold() {
            "\nEverything holds.\n"
        } else {
            "\nNOT everything holds: see what is marked above.\n"
        });
        text
    }

    fn tell_done(&self, text: &mut String) {
        let Totals { operations, writes, failed, unknown, .. } = self.totals;
        let Done { kills, joins, leaves, moves_asked, pauses, transfers, .. } = &self.done;
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
            format!("then all {} killed at once, restarted, and every key read back", self.killed_at_end),
        ];
        let _ = writeln!(text, "Quorate demo, {:.0} s\n\nWhat was done", self.seconds);
        for line in lines {
            let _ = writeln!(text, "  {line}");
        }
    }
}

fn counted(processes: usize) -> String {
    if processes == 1 { "1 process".into() } else { format!("{processes} processes") }
}

fn tell_checks(text: &mut String, checks: &[Check]) {
    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    for Check { name, holds, detail } in checks {
        let _ = writeln!(text, "  {} {name:<width$}  {detail}", if *holds { "[ok]  " } else { "[FAIL]" });
    }
}
