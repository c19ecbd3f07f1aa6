//! dev
use quorate_proofs::core::mutants::{self, Mutant};
use quorate_proofs::models::client::ClientModel;
use quorate_proofs::models::identity::IdentityModel;
use quorate_proofs::scenario::Scenario;
use quorate_proofs::verify::{Budget, Strategy, verify};
use std::sync::Arc;
use std::time::Duration;

fn go<S: Scenario>(model: S) {
    let model = Arc::new(model);
    let budget = Budget {
        time: Some(Duration::from_secs(std::env::args().nth(4).and_then(|s| s.parse().ok()).unwrap_or(60))),
        ..Budget::of(Strategy::Bfs)
    };
    let report = verify(&model, &budget, |_| {});
    println!(
        "{} {} {} unique {} generated {} depth {} {:.1}s mem {} MB missing {:?}",
        model.model(),
        model.scope(),
        report.word(),
        report.unique_states,
        report.generated_states,
        report.depth,
        report.seconds,
        report.memory >> 20,
        report.missing_actions
    );
    println!("{:?}", report.fired);
    if let Some(trace) = report.trace() {
        println!("{} steps: {}", trace.actions.len(), trace.violation);
        let mut state = model.init_states().remove(trace.initial);
        for action in &trace.actions {
            println!("- {}", model.sentence(&state, action));
            let next = model.next_state(&state, action.clone()).expect("replays");
            if std::env::args().nth(5).is_some() {
                for line in model.changes(&state, &next) {
                    println!("      {line}");
                }
            }
            state = next;
        }
    }
}

fn hunt(names: &[String]) {
    use quorate_proofs::mutants::{TABLE, run};
    for row in TABLE {
        if row.model == "stack"
            || (!names.is_empty() && !names.iter().any(|n| n == row.mutant.name() || n == row.model))
        {
            continue;
        }
        let budget =
            Budget { time: Some(Duration::from_secs(60)), max_memory: Some(3 << 30), ..Budget::of(Strategy::Bfs) };
        let verdict = run(row, &budget);
        println!("{:32} {:10} {:10} {:20} {:?}", row.mutant.name(), row.model, row.scope, row.property, verdict);
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if args[1] == "hunt" {
        return hunt(&args[2..]);
    }
    let mutant = args.get(3).filter(|name| *name != "-").map(|name| Mutant::from_name(name).expect("mutant"));
    mutants::select(mutant);
    match args[1].as_str() {
        "client" => go(ClientModel::new(&args[2]).expect("scope")),
        "raft" => go(quorate_proofs::models::raft::RaftModel::new(&args[2]).expect("scope")),
        "shards" => go(quorate_proofs::models::shards::ShardsModel::new(&args[2]).expect("scope")),
        "controller" => go(quorate_proofs::models::controller::ControllerModel::new(&args[2]).expect("scope")),
        "identity" => go(IdentityModel::new(&args[2]).expect("scope")),
        other => panic!("{other}"),
    }
}
