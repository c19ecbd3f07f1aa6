//! `check`: explores one scope of one model and says what that showed.

use crate::{CheckArgs, Refusal, look, say_all};
use quorate_proofs::explorer;
use quorate_proofs::registry::{self, Unknown, Visitor};
use quorate_proofs::scenario::Scenario;
use quorate_proofs::trace::{self, Run, Trace};
use quorate_proofs::verify::{Bound, Budget, CORE_PANIC, Counterexample, Outcome, Printer, Report, Strategy, verify};
use serde_json::{Value, json};
use std::ops::Range;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

pub(crate) fn check(args: &CheckArgs, json: bool) -> Result<ExitCode, Refusal> {
    look::select(args.mutant.as_deref())?;
    registry::visit(&args.model, &args.scope, Check { args, json })?
}

/// How far the search goes. `walks` are the scope's own.
fn budget(args: &CheckArgs, walks: Option<Range<u64>>) -> Budget {
    let steps = args.steps.map_or(usize::MAX, |steps| usize::try_from(steps).unwrap_or(usize::MAX));
    let strategy = match args.seeds.clone().or(walks) {
        Some(seeds) => Strategy::Walk { seeds, steps },
        None if args.dfs => Strategy::Dfs,
        None => Strategy::Bfs,
    };
    let default = Budget::of(strategy);
    Budget {
        threads: args.threads.map_or(default.threads, |threads| threads as usize),
        time: args.timeout.map(Duration::from_secs),
        max_memory: Some(args.memory << 30),
        property: args.property.clone(),
        ..default
    }
}

struct Check<'a> {
    args: &'a CheckArgs,
    json: bool,
}

impl Visitor for Check<'_> {
    type Output = Result<ExitCode, Refusal>;

    fn visit<S: Scenario>(self, scenario: S) -> Self::Output {
        if let Some(property) = &self.args.property {
            known(&scenario, property)?;
        }
        let scenario = Arc::new(scenario);
        eprintln!("{} / {}: {}", scenario.model(), scenario.scope(), scenario.bounds());
        let mut printer = Printer::default();
        let report = verify(&scenario, &budget(self.args, scenario.walks()), |progress| printer.print(progress));
        printer.clear();
        let found = match &report.outcome {
            Outcome::Violated { trace } => Some(self.found(&scenario, trace)?),
            Outcome::Exhausted | Outcome::Truncated { .. } | Outcome::Sampled { .. } => None,
        };
        if self.json {
            say!("{}", describe(scenario.as_ref(), &report, found.as_ref().map(|found| &found.0)));
        } else {
            say_all(&tell(scenario.as_ref(), &report));
            if let Some((file, told, link)) = &found {
                say_all(&format!("\n{told}"));
                say!("\ntrace: {}", file.display());
                say!("look at it: quorate-check explore --trace {}, then open {link}", file.display());
            }
        }
        Ok(exit(&report))
    }
}

impl Check<'_> {
    /// Writes the trace and tells it.
    fn found<S: Scenario>(
        &self,
        scenario: &Arc<S>,
        counterexample: &Counterexample<S::Action>,
    ) -> Result<(PathBuf, String, String), Refusal> {
        let run: Run<S> = Run::replay(scenario, counterexample.initial, &counterexample.actions)
            .map_err(|place| format!("the counterexample's step {} cannot be taken again", place + 1))?;
        let trace = Trace::of(scenario.as_ref(), &run, self.args.mutant.as_deref());
        let file = self.args.save.clone().unwrap_or_else(|| {
            let mutant = self.args.mutant.as_ref().map(|mutant| format!("-{mutant}")).unwrap_or_default();
            PathBuf::from(format!("{}-{}{mutant}.trace.json", scenario.model(), scenario.scope()))
        });
        trace.save(&file)?;
        let link = explorer::link(crate::ADDRESS.parse()?, scenario.as_ref(), &run);
        Ok((file, trace::tell(scenario.as_ref(), &run), link))
    }
}

/// Whether the model judges a property.
fn known<S: Scenario>(scenario: &S, property: &str) -> Result<(), Unknown> {
    let known: Vec<&str> = scenario.properties_judged().iter().copied().chain([CORE_PANIC]).collect();
    if known.contains(&property) {
        return Ok(());
    }
    Err(Unknown {
        kind: format!("property of model '{}' called", scenario.model()),
        given: property.to_owned(),
        known: known.into_iter().map(ToOwned::to_owned).collect(),
    })
}

/// How the outcome is called in JSON.
pub(crate) fn outcome_name<A>(outcome: &Outcome<A>) -> &'static str {
    match outcome {
        Outcome::Exhausted => "exhausted",
        Outcome::Truncated { .. } => "truncated",
        Outcome::Sampled { .. } => "sampled",
        Outcome::Violated { .. } => "violated",
    }
}

fn exit<A>(report: &Report<A>) -> ExitCode {
    match &report.outcome {
        Outcome::Truncated { .. } => ExitCode::from(3),
        _ if report.passed() => ExitCode::SUCCESS,
        _ => ExitCode::from(1),
    }
}

fn describe<S: Scenario>(scenario: &S, report: &Report<S::Action>, trace: Option<&PathBuf>) -> Value {
    let actions: serde_json::Map<String, Value> =
        report.fired.iter().map(|(name, count)| ((*name).to_owned(), json!(count))).collect();
    let tallies: serde_json::Map<String, Value> =
        scenario.tallies().into_iter().map(|(name, count)| (name.to_owned(), json!(count))).collect();
    let bound = match &report.outcome {
        Outcome::Truncated { bound } => Some(*bound),
        _ => None,
    };
    let violation = match &report.outcome {
        Outcome::Violated { trace } => Some(&trace.violation),
        _ => None,
    };
    json!({
        "model": scenario.model(),
        "scope": scenario.scope(),
        "bounds": scenario.bounds(),
        "outcome": outcome_name(&report.outcome),
        "stopped_by": bound,
        "unique_states": report.unique_states,
        "generated_states": report.generated_states,
        "depth": report.depth,
        "seconds": report.seconds,
        "threads": report.threads,
        "memory_bytes": report.memory,
        "passed_over": report.passed_over,
        "collision_probability": report.collision_probability,
        "properties": report.properties,
        "actions": actions,
        "missing_actions": report.missing_actions,
        "tallies": tallies,
        "violation": violation,
        "trace": trace,
    })
}

/// The report for people: first what it means, then the figures.
fn tell<S: Scenario>(scenario: &S, report: &Report<S::Action>) -> String {
    let mut text = match &report.outcome {
        Outcome::Exhausted => format!("exhausted: all {} states visited, no violation\n", report.unique_states),
        Outcome::Sampled { walks } => {
            format!("sampled: {walks} walks, {} steps, no violation; not all states\n", report.generated_states)
        }
        Outcome::Truncated { bound } => {
            let why = match bound {
                Bound::Seconds => "the time was up (--timeout)",
                Bound::States => "the most states were visited",
                Bound::Depth => "the greatest depth was reached",
                Bound::Memory => "the memory was used up",
            };
            format!(
                "truncated: {why}; no violation in {} states, which says nothing of the rest\n",
                report.unique_states
            )
        }
        Outcome::Violated { trace } => {
            format!("violated: {} after {} steps\n", trace.violation.property, trace.actions.len())
        }
    };
    let rate = report.generated_states as f64 / report.seconds.max(0.001);
    text.push_str(&format!(
        "{} generated, depth {}, {:.1} s on {} threads ({rate:.0}/s), {:.2} GB\n",
        report.generated_states,
        report.depth,
        report.seconds,
        report.threads,
        report.memory as f64 / 1e9
    ));
    if report.unique_states > 0 {
        let odds = report.collision_probability;
        text.push_str(&format!("chance that two states shared a fingerprint and one was missed: {odds:.1e}\n"));
    }
    if report.passed_over > 0 {
        let most = report.passed_over;
        text.push_str(&format!(
            "passed over: {most} states that break another property; nothing was judged beyond them\n"
        ));
    }
    let held = report.properties.iter().filter(|property| property.holds).count();
    text.push_str(&format!("properties: {held} of {} hold", report.properties.len()));
    for property in report.properties.iter().filter(|property| !property.holds) {
        text.push_str(&format!("; not {} ({})", property.name, property.kind));
    }
    text.push('\n');
    let fired: Vec<String> = report.fired.iter().map(|(name, count)| format!("{name} {count}")).collect();
    text.push_str(&format!("steps: {}\n", fired.join(", ")));
    for (name, count) in scenario.tallies() {
        text.push_str(&format!("{name}: {count}\n"));
    }
    if !report.missing_actions.is_empty() && !matches!(report.outcome, Outcome::Violated { .. }) {
        let missing = report.missing_actions.join(", ");
        text.push_str(&format!("never taken although the scope enables them, so this is no success: {missing}\n"));
    }
    text
}
