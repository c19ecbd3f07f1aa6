//! `mutants`: selects each deliberate bug in turn, and sees that the check of its row catches it and passes without it.

use crate::{MutantsArgs, Refusal, look};
use quorate_core::mutants::Mutant;
use quorate_proofs::mutants::{Row, TABLE, Verdict, passes, run};
use quorate_proofs::verify::Budget;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

pub(crate) fn mutants(args: &MutantsArgs, json: bool) -> Result<ExitCode, Refusal> {
    for name in &args.names {
        look::select(Some(name))?;
    }
    look::select(None)?;
    let chosen = |mutant: Mutant| args.names.is_empty() || args.names.iter().any(|name| name == mutant.name());
    let rows: Vec<&Row> = TABLE.iter().filter(|row| chosen(row.mutant)).collect();
    let default = Budget::default();
    let threads = args.threads.map_or(default.threads, |threads| threads as usize);
    let budget = Budget { threads, time: Some(Duration::from_secs(args.timeout)), ..default };

    let sound = sound(&rows, &Budget { time: Some(Duration::from_secs(args.timeout * 2)), ..budget.clone() }, json)?;
    let mut told = Vec::new();
    let mut alive = 0;
    for row in &rows {
        let verdict = run(row, &budget).ok_or_else(|| format!("no scope '{}' of model '{}'", row.scope, row.model))?;
        alive += usize::from(!matches!(verdict, Verdict::Killed { .. }));
        if !json {
            say!("{}", tell(row, &verdict));
        }
        told.push(describe(row, &verdict));
    }
    let unsound = sound.values().filter(|passed| !**passed).count();
    if json {
        say!("{}", Value::Array(told));
    } else {
        say!("\n{} killed, {alive} alive; {unsound} of {} scopes fail without any", rows.len() - alive, sound.len());
    }
    Ok(if alive == 0 && unsound == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Every scope that is used, and whether it passes without a mutant: otherwise it would catch anything.
fn sound(rows: &[&Row], budget: &Budget, json: bool) -> Result<BTreeMap<(&'static str, &'static str), bool>, Refusal> {
    let mut scopes = BTreeMap::new();
    for row in rows {
        if scopes.contains_key(&(row.model, row.scope)) {
            continue;
        }
        let (passed, seconds) = passes(row.model, row.scope, budget)
            .ok_or_else(|| format!("no scope '{}' of model '{}'", row.scope, row.model))?;
        scopes.insert((row.model, row.scope), passed);
        if !passed || !json {
            let verdict = if passed { "passes" } else { "DOES NOT PASS" };
            eprintln!("{:<10} {:<16} {verdict} without a mutant ({seconds:.1} s)", row.model, row.scope);
        }
    }
    Ok(scopes)
}

fn tell(row: &Row, verdict: &Verdict) -> String {
    let (name, place) = (row.mutant.name(), format!("{} / {}", row.model, row.scope));
    match verdict {
        Verdict::Killed { property, seconds, trace_length } => {
            format!("killed  {name:<32} {place:<28} {property:<22} {trace_length:>3} steps {seconds:>6.1} s")
        }
        Verdict::Alive { exhausted, seconds } => {
            let why = if *exhausted { "nothing is wrong in all its states" } else { "nothing found in time" };
            format!("ALIVE   {name:<32} {place:<28} {why} ({seconds:.1} s), expected {}", row.property)
        }
        Verdict::Wrong { violation, trace_length } => {
            format!("ALIVE   {name:<32} {place:<28} {violation} ({trace_length} steps), expected {}", row.property)
        }
    }
}

fn describe(row: &Row, verdict: &Verdict) -> Value {
    let (killed_by, seconds, trace_length) = match verdict {
        Verdict::Killed { seconds, trace_length, .. } => (Some(row.model), Some(*seconds), Some(*trace_length)),
        Verdict::Alive { seconds, .. } => (None, Some(*seconds), None),
        Verdict::Wrong { trace_length, .. } => (None, None, Some(*trace_length)),
    };
    json!({
        "name": row.mutant.name(),
        "layer": row.layer,
        "killed_by": killed_by,
        "property": row.property,
        "scope": row.scope,
        "seconds": seconds,
        "trace_length": trace_length,
    })
}
