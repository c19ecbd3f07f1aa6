//! `prove`: the inductive proofs, discharged by a solver outside.

use crate::{ProveArgs, Refusal};
use quorate_proofs::inductive::{self, Options, Progress, Solver, Source, Verdict};
use std::io::IsTerminal;
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
    let terminal = std::io::stderr().is_terminal();
    let report = inductive::prove(&sources, &options, &|progress| tell(progress, terminal))?;
    if json {
        say!("{}", serde_json::to_value(&report)?);
    } else {
        crate::say_all(&inductive::render(&report));
    }
    Ok(if report.holds() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Names every obligation as it ends: in one line that moves on at a terminal, unless something is wrong with it.
fn tell(progress: &Progress<'_>, terminal: bool) {
    let Progress { file, done, total, outcome } = progress;
    let holds = matches!(outcome.verdict, Verdict::Holds);
    let verdict = if holds { "holds" } else { "DOES NOT HOLD" };
    let (name, seconds) = (&outcome.obligation, outcome.seconds);
    let (before, after) = match terminal {
        true if holds && done < total => ("\r\x1b[2K", ""),
        true => ("\r\x1b[2K", "\n"),
        false => ("", "\n"),
    };
    eprint!("{before}{file} {done}/{total}: {name} {verdict} ({seconds:.1} s){after}");
}
