//! `list`, `show` and `explore`: to look at models and at runs, without searching.

use crate::{ExploreArgs, Refusal, say_all};
use quorate_core::mutants::Mutant;
use quorate_proofs::explorer::{self, Head};
use quorate_proofs::models::record::RecordModel;
use quorate_proofs::mutants::{Row, TABLE};
use quorate_proofs::registry::{self, MODELS, Unknown, Visitor};
use quorate_proofs::scenario::Scenario;
use quorate_proofs::trace::{self, Run, Trace};
use serde_json::json;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// Selects a mutant by name, for the whole process.
pub(crate) fn select(mutant: Option<&str>) -> Result<(), Unknown> {
    let chosen = mutant.map(|name| {
        Mutant::from_name(name).ok_or_else(|| Unknown {
            kind: "mutant".to_owned(),
            given: name.to_owned(),
            known: Mutant::ALL.iter().map(|mutant| mutant.name().to_owned()).collect(),
        })
    });
    quorate_core::mutants::select(chosen.transpose()?);
    Ok(())
}

/// A scenario's bounds and properties, and whether all its states are visited.
struct Describe;

impl Visitor for Describe {
    type Output = (String, Vec<&'static str>, bool);
    fn visit<S: Scenario>(self, scenario: S) -> Self::Output {
        (scenario.bounds(), scenario.properties_judged().to_vec(), scenario.walks().is_none())
    }
}

pub(crate) fn list(json: bool) -> Result<ExitCode, Refusal> {
    let mut models = Vec::new();
    for info in MODELS {
        let mut scopes = Vec::new();
        if !json {
            say!("{}: {}", info.name, info.purpose);
        }
        for (scope, purpose) in (info.scopes)() {
            let (bounds, properties, exhaustive) = registry::visit(info.name, scope, Describe)?;
            if !json {
                let claim = if exhaustive { "all states" } else { "random walks" };
                say!("  {scope:<13} {purpose}\n  {:<13} {claim}: {bounds}", "");
            }
            scopes.push(json!({
                "name": scope, "purpose": purpose, "exhaustive": exhaustive, "bounds": bounds, "properties": properties
            }));
        }
        models.push(json!({ "name": info.name, "purpose": info.purpose, "scopes": scopes }));
    }
    let bug = |row: &Row| {
        if !json {
            say!("  {:<32} {}", row.mutant.name(), row.mutant.about());
        }
        json!({ "name": row.mutant.name(), "about": row.mutant.about(), "model": row.model, "scope": row.scope })
    };
    if !json {
        say!("deliberate bugs for --mutant, which 'quorate-check mutants' must catch:");
    }
    let mutants: Vec<_> = TABLE.iter().map(bug).collect();
    if json {
        say!("{}", json!({ "models": models, "mutants": mutants }));
    }
    Ok(ExitCode::SUCCESS)
}

/// Tells or draws a trace.
struct Show<'a> {
    trace: &'a Trace,
    svg: bool,
    json: bool,
}

impl Visitor for Show<'_> {
    type Output = Result<String, Refusal>;
    fn visit<S: Scenario>(self, scenario: S) -> Self::Output {
        let scenario = Arc::new(scenario);
        let run: Run<S> = self.trace.replay(&scenario)?;
        if self.json {
            let steps = run.steps.iter().map(|step| {
                let changes = step.after.as_ref().map(|after| scenario.changes(&step.before, after));
                json!({ "sentence": scenario.sentence(&step.before, &step.action), "changes": changes })
            });
            let steps: Vec<_> = steps.collect();
            let (violation, svg) = (run.violation(), self.svg.then(|| trace::draw(scenario.as_ref(), &run)));
            let told = json!({ "trace": self.trace, "steps": steps, "violation": violation, "svg": svg });
            return Ok(format!("{told}\n"));
        }
        if self.svg {
            return Ok(trace::draw(scenario.as_ref(), &run));
        }
        let told = trace::tell(scenario.as_ref(), &run);
        // What the model does not judge itself: the specification, by `bind`.
        Ok(match (run.violation(), &self.trace.property, &self.trace.evidence) {
            (None, Some(property), Some(evidence)) => format!("{told}{property}, when this was written: {evidence}\n"),
            _ => told,
        })
    }
}

pub(crate) fn show(file: &Path, svg: bool, json: bool) -> Result<ExitCode, Refusal> {
    let trace = Trace::load(file)?;
    select(trace.mutant.as_deref())?;
    let text = if trace.model == trace::RECORD {
        let (model, shown) = RecordModel::open(&trace)?;
        Show { trace: &shown, svg, json }.visit(model)?
    } else {
        registry::visit(&trace.model, &trace.scope, Show { trace: &trace, svg, json })??
    };
    say_all(&text);
    Ok(ExitCode::SUCCESS)
}

/// Serves the Explorer.
struct Explore {
    trace: Option<Trace>,
    mutant: Option<String>,
    address: SocketAddr,
    json: bool,
}

impl Visitor for Explore {
    type Output = Result<(), Refusal>;
    fn visit<S: Scenario>(self, scenario: S) -> Self::Output {
        let scenario = Arc::new(scenario);
        let run = match &self.trace {
            Some(trace) => trace.replay(&scenario)?,
            None => Run::replay(&scenario, 0, &[]).map_err(|_| "the scope has no initial state")?,
        };
        let link = explorer::link(self.address, scenario.as_ref(), &run);
        let verdict = run.violation().map(ToString::to_string);
        let scenario = Arc::into_inner(scenario).ok_or("the scenario is still in use")?;
        if self.json {
            say!("{}", json!({ "link": link, "violation": verdict }));
        } else {
            say!("open {link}\nCtrl-C ends it");
        }
        explorer::serve(scenario, self.address, &Head { mutant: self.mutant, verdict })?;
        Ok(())
    }
}

pub(crate) fn explore(args: &ExploreArgs, json: bool) -> Result<ExitCode, Refusal> {
    let trace = args.trace.as_deref().map(Trace::load).transpose()?;
    let (model, scope, mutant) = match &trace {
        Some(trace) => (trace.model.clone(), trace.scope.clone(), trace.mutant.clone()),
        None => (args.model.clone().unwrap_or_default(), args.scope.clone(), args.mutant.clone()),
    };
    select(mutant.as_deref())?;
    let address = explorer::try_address(args.addr).map_err(|error| {
        format!("cannot serve the page at {}: {error}; choose another address with --addr HOST:PORT", args.addr)
    })?;
    match trace {
        Some(whole) if whole.model == trace::RECORD => {
            let (model, shown) = RecordModel::open(&whole)?;
            Explore { trace: Some(shown), mutant, address, json }.visit(model)?;
        }
        trace => registry::visit(&model, &scope, Explore { trace, mutant, address, json })??,
    }
    Ok(ExitCode::SUCCESS)
}
