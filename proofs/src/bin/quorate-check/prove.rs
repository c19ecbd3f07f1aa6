//! `prove`: the inductive proofs, discharged by a solver outside.

use crate::{ProveArgs, Refusal};
use quorate_proofs::inductive::{self, Options, Solver, Source, Verdict};
use std::process::ExitCode;
use std::time::Duration;

pub(crate) fn prove(args: &ProveArgs, json: bool) -> Result<ExitCode, Refusal> {
    let sources = match &args.file {
        Some(name) => vec![Source::find(name)?],
        None => Source::all(),
    };
    let solver = Solver::named(&args.solver).ok_or("the solver is z3 or cvc5")?;
    let limit = Duration::from_secs(args.timeout);
    let options = Options { solver, dump: args.dump.clone(), limit, ..Options::default() };
    let report = inductive::prove(&sources, &options, &|progress| {
        // Each is named when it fails, and every fiftieth, so that a reader sees that it goes on.
        let holds = matches!(progress.outcome.verdict, Verdict::Holds);
        if !holds || progress.done.is_multiple_of(50) || progress.done == progress.total {
            let verdict = if holds { "holds" } else { "DOES NOT HOLD" };
            let (done, total, name) = (progress.done, progress.total, &progress.outcome.obligation);
            eprintln!("{}: {done} of {total}, {name} {verdict}", progress.file);
        }
    })?;
    if json {
        println!("{}", serde_json::to_value(&report)?);
    } else {
        print!("{}", inductive::render(&report));
    }
    Ok(if report.holds() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
