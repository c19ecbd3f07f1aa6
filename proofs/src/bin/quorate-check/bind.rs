//! `bind`: evaluates the proved formulas on the states of the running code, and matches its steps with the actions.

use crate::{BindArgs, Refusal, look};
use quorate_proofs::binding::{self, MODELS, Report};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

pub(crate) fn bind(args: &BindArgs, json: bool) -> Result<ExitCode, Refusal> {
    look::select(args.mutant.as_deref())?;
    let chosen: Vec<(&str, &str)> = match &args.model {
        Some(model) => {
            let default = MODELS.iter().find(|(known, _)| known == model).map_or("default", |(_, scope)| *scope);
            vec![(model, args.scope.as_deref().unwrap_or(default))]
        }
        None => MODELS.to_vec(),
    };
    let (mut reports, mut traces) = (Vec::new(), Vec::new());
    for (model, scope) in chosen {
        let report = binding::bind(model, scope)?;
        if !json {
            crate::say_all(&tell(&report));
        }
        if let Some(failure) = &report.failure {
            let file = args.save.clone().unwrap_or_else(|| {
                let mutant = args.mutant.as_ref().map(|mutant| format!("-{mutant}")).unwrap_or_default();
                PathBuf::from(format!("bind-{model}-{scope}{mutant}.trace.json"))
            });
            failure.trace.save(&file)?;
            if !json {
                say!("trace: {0}\nlook at it: quorate-check show {0}", file.display());
            }
            traces.push(file);
        }
        reports.push(report);
    }
    if json {
        say!("{}", serde_json::json!({ "bindings": reports, "traces": traces }));
    }
    Ok(if reports.iter().all(Report::holds) { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn tell(report: &Report) -> String {
    let mut text = format!("{} / {} and {}.tsm: ", report.model, report.scope, report.system);
    match &report.failure {
        None => text.push_str("every state satisfies the invariant, every step is one of the specification\n"),
        Some(failure) => {
            let _ = writeln!(text, "NOT A STEP OF THE SPECIFICATION: {}", failure.what);
            for (number, step) in failure.steps.iter().enumerate() {
                let _ = writeln!(text, "{:>4}. {step}", number + 1);
            }
        }
    }
    let Report { states, structures, steps, different_steps, conjuncts, seconds, .. } = report;
    let _ = writeln!(
        text,
        "{states} states are {structures} structures, {steps} steps are {different_steps} different ones"
    );
    let _ = writeln!(text, "{conjuncts} conjuncts; {seconds:.1} s");
    let _ = writeln!(text, "{:<24} {:>9} {:>9}  may leave the structure alone because", "label", "steps", "stutters");
    for (label, tally) in &report.actions {
        let reason = tally.may_stutter.unwrap_or("-");
        let _ = writeln!(text, "{label:<24} {:>9} {:>8.0}%  {reason}", tally.steps, 100.0 * tally.share());
    }
    text
}
