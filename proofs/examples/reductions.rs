//! Prints the table of `REDUCTIONS.md`: states, processor seconds and bytes per state of a Raft scope with and without
//! each reduction. A row ends at two million states, or after so many seconds.
//!
//! `cargo run --profile explore -p quorate-proofs --example reductions -- SCOPE [SECONDS]`

use quorate_proofs::models::raft::{RaftModel, Reductions, Scope};
use quorate_proofs::verify::{Budget, Outcome, Strategy, memory_in_use, verify};
use std::sync::Arc;
use std::time::Duration;

/// The states after which a row is cut off.
const MOST: u64 = 2_000_000;

fn main() {
    let mut args = std::env::args().skip(1);
    let name = args.next().unwrap_or_else(|| "default".to_owned());
    let seconds = args.next().and_then(|text| text.parse().ok()).unwrap_or(60);
    let Some(scope) = Scope::named(&name) else {
        eprintln!("there is no scope {name} of raft; `quorate-check list` shows them");
        std::process::exit(2);
    };
    // One row in one process: memory that one search has used is not given back to the next.
    if let (Some(row), Some(strategy)) = (args.next(), args.next()) {
        return measure(&scope, &row, &strategy, seconds);
    }
    println!("| {name} | order | outcome | unique states | generated | CPU s | generated/CPU s | bytes/state |");
    println!("|---|---|---|---:|---:|---:|---:|---:|");
    for (row, _) in rows() {
        for strategy in ["BFS", "DFS"] {
            let program = std::env::current_exe().expect("this program has a path");
            let row = [&name, &seconds.to_string(), row, strategy].map(ToString::to_string);
            let status = std::process::Command::new(program).args(row).status();
            assert!(status.is_ok_and(|status| status.success()), "a row could not be measured");
        }
    }
}

fn rows() -> [(&'static str, Reductions); 6] {
    let all = Reductions::ALL;
    [
        ("all reductions", all),
        ("without symmetry", Reductions { symmetry: false, ..all }),
        ("without dead messages", Reductions { dead_messages: false, ..all }),
        ("without sync at once", Reductions { sync_at_once: false, unseen: false, ..all }),
        ("with unseen steps", Reductions { unseen: false, ..all }),
        ("none", Reductions::NONE),
    ]
}

fn measure(scope: &Scope, row: &str, strategy: &str, seconds: u64) {
    let reductions = rows().into_iter().find(|(name, _)| *name == row).map(|(_, reductions)| reductions);
    let Some(reductions) = reductions else {
        eprintln!("there is no row {row}");
        std::process::exit(2);
    };
    let budget = Budget {
        threads: 2,
        time: Some(Duration::from_secs(seconds)),
        max_states: Some(MOST),
        max_memory: Some(8 << 30),
        ..Budget::of(if strategy == "DFS" { Strategy::Dfs } else { Strategy::Bfs })
    };
    let (before, began) = (memory_in_use(), cpu_seconds());
    let model = Arc::new(RaftModel::at(Scope { reductions, ..scope.clone() }));
    let report = verify(&model, &budget, |_| {});
    let outcome = match &report.outcome {
        Outcome::Truncated { bound } => format!("truncated ({bound:?})").to_lowercase(),
        Outcome::Exhausted | Outcome::Sampled { .. } | Outcome::Violated { .. } => report.word().to_owned(),
    };
    let seconds = cpu_seconds() - began;
    println!(
        "| {row} | {strategy} | {outcome} | {} | {} | {seconds:.1} | {:.0} | {} |",
        report.unique_states,
        report.generated_states,
        report.generated_states as f64 / seconds.max(0.01),
        report.memory.saturating_sub(before) / report.unique_states.max(1),
    );
}

/// Processor seconds of this process so far, all threads: another's load does not change them much.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").expect("Linux tells what a process used");
    // After the name in parentheses, the 12th and 13th: hundredths of seconds in user and system mode.
    let fields = text.rsplit(')').next().into_iter().flat_map(str::split_whitespace).skip(11).take(2);
    fields.map(|field| field.parse::<f64>().expect("a count of ticks")).sum::<f64>() / 100.0
}
