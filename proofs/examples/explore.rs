use quorate_proofs::models::raft::{RaftModel, Reductions, Scope};
use quorate_proofs::scenario::Scenario;
use quorate_proofs::verify::*;
use std::sync::Arc;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let mut scope = Scope::named(&args[1]).unwrap();
    if args.get(4).map(|s| s.as_str()) == Some("keep") {
        scope.reductions = Reductions::KEEP_MESSAGES;
    }
    if args.get(4).map(|s| s.as_str()) == Some("none") {
        scope.reductions = Reductions::NONE;
    }
    let strategy = if args.get(2).map(|s| s.as_str()) == Some("dfs") { Strategy::Dfs } else { Strategy::Bfs };
    let secs: u64 = args.get(3).map_or(60, |s| s.parse().unwrap());
    let budget = Budget {
        time: Some(std::time::Duration::from_secs(secs)),
        max_memory: Some(7 << 30),
        threads: 2,
        ..Budget::of(strategy)
    };
    let model = Arc::new(RaftModel::at(scope));
    let mut printer = Printer::default();
    let report = verify(&model, &budget, |p| printer.print(p));
    println!(
        "{} {}: {} unique {} generated {} depth {} seconds {:.1} memory {}M rate {:.0}",
        args[1],
        model.bounds(),
        report.word(),
        report.unique_states,
        report.generated_states,
        report.depth,
        report.seconds,
        report.memory >> 20,
        report.generated_states as f64 / report.seconds
    );
    println!("fired {:?}\nmissing {:?}", report.fired, report.missing_actions);
    if let Some(trace) = report.trace() {
        println!("VIOLATION {}", trace.violation);
        for action in &trace.actions {
            println!("   {action:?}");
        }
    }
}
