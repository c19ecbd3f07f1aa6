//! Runs the obligations of files, a few solvers at a time.

use super::obligations::{self, Expected, Obligation};
use super::report::{FileReport, Outcome, Report, Slowest, Verdict};
use super::solver::{Answer, Solver};
use super::system::System;
use super::{Source, fragment, table};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which solver.
    pub solver: Solver,
    /// Where the texts of the obligations go, if anywhere.
    pub dump: Option<PathBuf>,
    /// How long one obligation may take.
    pub limit: Duration,
    /// How many solvers run at once.
    pub jobs: usize,
    /// Whether the first refuted obligation ends the run.
    pub until_refuted: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { solver: Solver::Z3, dump: None, limit: Duration::from_secs(120), jobs: 2, until_refuted: false }
    }
}

/// An obligation has ended.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// The file.
    pub file: &'a str,
    /// How many of its obligations have ended.
    pub done: usize,
    /// How many it has.
    pub total: usize,
    /// This one.
    pub outcome: &'a Outcome,
}

/// Proves files, or says why not. An error is bad input or a missing solver, in one line.
pub fn prove(
    sources: &[Source],
    options: &Options,
    progress: &(dyn Fn(&Progress<'_>) + Sync),
) -> Result<Report, String> {
    if sources.is_empty() {
        return Err("nothing to prove: no file was named".to_owned());
    }
    let version = options.solver.version()?;
    let files = sources.iter().map(|source| prove_file(source, options, &version, progress));
    Ok(Report { files: files.collect::<Result<_, _>>()? })
}

fn prove_file(
    source: &Source,
    options: &Options,
    version: &str,
    progress: &(dyn Fn(&Progress<'_>) + Sync),
) -> Result<FileReport, String> {
    let system = source.load()?;
    fragment::check(&system).map_err(|cycle| format!("{}: {cycle}", source.name))?;
    let obligations = obligations::all(&system);
    if let Some(directory) = &options.dump {
        dump(&obligations, &directory.join(&source.name))?;
    }
    let began = Instant::now();
    let outcomes = discharge(&source.name, &system, &obligations, options, progress);
    let count = |wanted: fn(&Verdict) -> bool| outcomes.iter().filter(|outcome| wanted(&outcome.verdict)).count();
    let slowest = outcomes.iter().max_by(|one, other| one.seconds.total_cmp(&other.seconds));
    Ok(FileReport {
        file: source.name.clone(),
        conjuncts: system.invariants.iter().filter(|invariant| !invariant.included).count(),
        promises: system.promised,
        actions: system.actions.len(),
        obligations: obligations.len(),
        failed: count(|verdict| matches!(verdict, Verdict::Refuted(_))),
        unknown: count(|verdict| matches!(verdict, Verdict::Unknown(_))),
        seconds: began.elapsed().as_secs_f64(),
        slowest: slowest.map_or_else(Slowest::default, |outcome| Slowest {
            obligation: outcome.obligation.clone(),
            seconds: outcome.seconds,
        }),
        solver: version.to_owned(),
        failures: outcomes.into_iter().filter(|outcome| outcome.verdict != Verdict::Holds).collect(),
    })
}

/// One file per obligation: `step__Propose__log_matching.smt2`.
fn dump(obligations: &[Obligation], directory: &Path) -> Result<(), String> {
    let fault = |error: std::io::Error| format!("{}: {error}", directory.display());
    fs::create_dir_all(directory).map_err(fault)?;
    for obligation in obligations {
        let path = directory.join(format!("{}.smt2", obligation.name.replace('/', "__")));
        fs::write(path, &obligation.text).map_err(fault)?;
    }
    Ok(())
}

fn discharge(
    file: &str,
    system: &System,
    obligations: &[Obligation],
    options: &Options,
    progress: &(dyn Fn(&Progress<'_>) + Sync),
) -> Vec<Outcome> {
    let (next, enough) = (AtomicUsize::new(0), AtomicBool::new(false));
    let outcomes = Mutex::new(Vec::new());
    let work = || {
        while let Some(obligation) = obligations.get(next.fetch_add(1, Ordering::Relaxed)) {
            if enough.load(Ordering::Relaxed) {
                return;
            }
            let outcome = attempt(system, obligation, options);
            let refuted = matches!(outcome.verdict, Verdict::Refuted(_));
            enough.fetch_or(refuted && options.until_refuted, Ordering::Relaxed);
            let mut outcomes = outcomes.lock().expect("invariant: no worker panics while it holds the outcomes");
            let (done, total) = (outcomes.len() + 1, obligations.len());
            progress(&Progress { file, done, total, outcome: &outcome });
            outcomes.push(outcome);
        }
    };
    thread::scope(|scope| {
        for _ in 0..options.jobs.max(1) {
            scope.spawn(work);
        }
    });
    outcomes.into_inner().expect("invariant: the workers have ended")
}

/// Asks for one obligation; if it is refuted, the model is drawn.
pub(super) fn attempt(system: &System, obligation: &Obligation, options: &Options) -> Outcome {
    let began = Instant::now();
    let model = if obligation.expected == Expected::Unsat { "(get-model)\n" } else { "" };
    let answer = options.solver.ask(&format!("{}{model}", obligation.text), options.limit);
    let seconds = began.elapsed().as_secs_f64();
    let verdict = match (obligation.expected, answer) {
        (Expected::Unsat, Answer::Unsat) | (Expected::Sat, Answer::Sat(_)) => Verdict::Holds,
        (Expected::Unsat, Answer::Sat(model)) => Verdict::Refuted(counterexample(system, obligation, &model)),
        (Expected::Sat, Answer::Unsat) => Verdict::Refuted("    it is impossible\n".to_owned()),
        (_, Answer::Unknown) => Verdict::Unknown("the solver does not know".to_owned()),
        (_, Answer::TimedOut) => Verdict::Unknown(format!("no answer within {} s", options.limit.as_secs())),
        (_, Answer::Other(said)) => Verdict::Unknown(format!("the solver says: {said}")),
    };
    Outcome { obligation: obligation.name.clone(), verdict, seconds }
}

fn counterexample(system: &System, obligation: &Obligation, model: &str) -> String {
    let action = obligation.name.split('/').nth(1);
    table::draw(system, action.and_then(|name| system.actions.iter().find(|action| action.name == name)), model)
}
