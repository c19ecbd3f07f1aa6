//! Which check must catch which mutant of the core, and the hunt for one.
//!
//! A mutant counts as killed only by the property of its row, at the scope of its row, by a counterexample that was
//! executed again: a panic, another property or the end of the time is not a kill. And the same scope must pass without
//! the mutant, which [`passes`] shows.

mod table;

pub use table::{Row, TABLE};

use crate::binding;
use crate::models::client::ClientModel;
use crate::models::controller::ControllerModel;
use crate::models::identity::IdentityModel;
use crate::models::raft::RaftModel;
use crate::models::shards::ShardsModel;
use crate::models::stack::StackModel;
use crate::scenario::Scenario;
use crate::verify::{Budget, Outcome, Strategy, verify};
use quorate_core::mutants::{Mutant, select};
use quorate_spec::Violation;
use std::sync::{Arc, Mutex, PoisonError};

/// What became of a mutant.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The property of its row is broken.
    Killed {
        /// The property.
        property: &'static str,
        /// How long the search took, without the replay.
        seconds: f64,
        /// How many actions the counterexample has.
        trace_length: usize,
    },
    /// Nothing was found.
    Alive {
        /// Whether the scope was searched to its end; otherwise a bound of the budget ended the search.
        exhausted: bool,
        /// How long it took.
        seconds: f64,
    },
    /// Something else is broken.
    Wrong {
        /// What, and how.
        violation: Violation,
        /// How many actions the counterexample has.
        trace_length: usize,
    },
}

/// The row of a mutant.
pub fn row_of(mutant: Mutant) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.mutant == mutant)
}

/// Selections are the whole process's: one hunt at a time.
static HUNT: Mutex<()> = Mutex::new(());

/// Deselects when the hunt is over, whatever ends it.
struct Selected;

impl Drop for Selected {
    fn drop(&mut self) {
        select(None);
    }
}

/// Hunts a mutant at the scope of its row. `None` for a model or a scope that does not exist.
///
/// Nothing else may use the core in this process meanwhile: the mutant is selected for all of it.
pub fn run(row: &Row, budget: &Budget) -> Option<Verdict> {
    let _hunt = HUNT.lock().unwrap_or_else(PoisonError::into_inner);
    select(Some(row.mutant));
    let _selected = Selected;
    let found = search(row.model, row.scope, budget)?;
    Some(match found.violation {
        Some(violation) if violation.property == row.property => {
            Verdict::Killed { property: row.property, seconds: found.seconds, trace_length: found.trace_length }
        }
        Some(violation) => Verdict::Wrong { violation, trace_length: found.trace_length },
        None => Verdict::Alive { exhausted: found.exhausted, seconds: found.seconds },
    })
}

/// Whether a scope passes without any mutant, and how long that took. `None` for a model or a scope that does not exist.
pub fn passes(model: &str, scope: &str, budget: &Budget) -> Option<(bool, f64)> {
    let _hunt = HUNT.lock().unwrap_or_else(PoisonError::into_inner);
    select(None);
    search(model, scope, budget).map(|found| (found.passed, found.seconds))
}

/// The properties that a model judges at a scope. `None` for a model or a scope that does not exist.
pub fn judged(model: &str, scope: &str) -> Option<&'static [&'static str]> {
    match model {
        "raft" => RaftModel::new(scope).map(|model| model.properties_judged()),
        "controller" => ControllerModel::new(scope).map(|model| model.properties_judged()),
        "shards" => ShardsModel::new(scope).map(|model| model.properties_judged()),
        "client" => ClientModel::new(scope).map(|model| model.properties_judged()),
        "identity" => IdentityModel::new(scope).map(|model| model.properties_judged()),
        "stack" => StackModel::new(scope).map(|model| model.properties_judged()),
        _ => binding::judged(bound(model)?, scope),
    }
}

/// What a search came to, whatever the model.
struct Found {
    violation: Option<Violation>,
    trace_length: usize,
    exhausted: bool,
    passed: bool,
    seconds: f64,
}

fn search(model: &str, scope: &str, budget: &Budget) -> Option<Found> {
    match model {
        "raft" => RaftModel::new(scope).map(|model| explore(model, budget)),
        "controller" => ControllerModel::new(scope).map(|model| explore(model, budget)),
        "shards" => ShardsModel::new(scope).map(|model| explore(model, budget)),
        "client" => ClientModel::new(scope).map(|model| explore(model, budget)),
        "identity" => IdentityModel::new(scope).map(|model| explore(model, budget)),
        "stack" => StackModel::new(scope).map(|model| explore(model, budget)),
        _ => binding::bind(bound(model)?, scope).ok().map(found),
    }
}

/// The model that is bound to the proofs: `bind-shards` is a check like a model, of the model `shards`.
fn bound(model: &str) -> Option<&str> {
    model.strip_prefix("bind-")
}

fn found(report: binding::Report) -> Found {
    Found {
        passed: report.holds(),
        trace_length: report.failure.as_ref().map_or(0, |failure| failure.steps.len()),
        exhausted: report.failure.is_none(),
        seconds: report.seconds,
        violation: report.failure.map(|failure| Violation::new(binding::NAME, failure.what)),
    }
}

fn explore<S: Scenario>(model: S, budget: &Budget) -> Found {
    let walks = model.walks().map(|seeds| Strategy::Walk { seeds, steps: usize::MAX });
    let strategy = walks.unwrap_or_else(|| budget.strategy.clone());
    let report = verify(&Arc::new(model), &Budget { strategy, ..budget.clone() }, |_| {});
    let (violation, trace_length) = match report.trace() {
        Some(trace) => (Some(trace.violation.clone()), trace.actions.len()),
        None => (None, 0),
    };
    let exhausted = matches!(report.outcome, Outcome::Exhausted | Outcome::Sampled { .. });
    Found { violation, trace_length, exhausted, passed: report.passed(), seconds: report.seconds }
}
