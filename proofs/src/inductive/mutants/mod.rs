//! Proof mutants: small faults put into the transition systems, each of which must make an obligation fail.
//!
//! A mutant is rejected only if the solver gives a counterexample to the obligation that it names. A parse error, an
//! unknown or a time-out is not a rejection; and the same obligation holds without the mutant, or it shows nothing.

mod migration;
mod replication;

use super::report::Verdict;
use super::run::{Options, attempt};
use super::{Source, fragment, obligations};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// A small edit of a file. Those of the bug catalogue bear its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Mutant {
    /// The name.
    pub name: &'static str,
    /// The file.
    pub file: &'static str,
    /// What is wrong with it.
    pub what: &'static str,
    /// What stands in the file, once.
    pub find: &'static str,
    /// What stands there instead.
    pub replace: &'static str,
    /// The obligation that must fail.
    pub refutes: &'static str,
}

/// What became of a mutant.
#[derive(Clone, Debug, Serialize)]
pub struct Trial {
    /// Which mutant.
    pub mutant: Mutant,
    /// How the obligation that it names ended.
    pub verdict: Verdict,
    /// How long the solver took.
    pub seconds: f64,
}

impl Trial {
    /// Whether there is a counterexample.
    pub fn rejected(&self) -> bool {
        matches!(self.verdict, Verdict::Refuted(_))
    }
}

/// Tries all mutants, a few at a time, in the order of [`all`].
pub fn attempt_all(options: &Options) -> Vec<Result<Trial, String>> {
    let mutants = all();
    let trials: Mutex<BTreeMap<usize, Result<Trial, String>>> = Mutex::default();
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(mutant) = mutants.get(place) else { return };
            let trial = mutant.attempt(options);
            trials.lock().expect("invariant: no worker panics while it holds the trials").insert(place, trial);
        }
    };
    thread::scope(|scope| {
        for _ in 0..options.jobs.max(1) {
            scope.spawn(work);
        }
    });
    trials.into_inner().expect("invariant: the workers have ended").into_values().collect()
}

/// All mutants.
pub fn all() -> Vec<Mutant> {
    [replication::MUTANTS, migration::MUTANTS].concat()
}

impl Mutant {
    /// The file with the fault in it.
    pub fn source(&self) -> Result<Source, String> {
        let Source { name, text } = Source::find(self.file)?;
        match text.matches(self.find).count() {
            1 => Ok(Source { name, text: text.replace(self.find, self.replace) }),
            count => Err(format!("{}: what it replaces stands {count} times in {}.tsm", self.name, self.file)),
        }
    }

    /// Tries the obligation that it must make fail. An error is a mutant that cannot be made, not a rejected one.
    pub fn attempt(&self, options: &Options) -> Result<Trial, String> {
        let fault = |why: String| format!("{}: {why}", self.name);
        let system = self.source()?.load().map_err(fault)?;
        fragment::check(&system).map_err(fault)?;
        let obligations = obligations::all(&system);
        let named = obligations.iter().find(|obligation| obligation.name == self.refutes);
        let obligation = named.ok_or_else(|| fault(format!("there is no obligation {}", self.refutes)))?;
        let outcome = attempt(&system, obligation, options);
        Ok(Trial { mutant: *self, verdict: outcome.verdict, seconds: outcome.seconds })
    }
}
