//! Exhaustive search: stateright enumerates, this file watches, counts and judges.

use super::judged::Judged;
use super::progress::{Progress, memory_in_use};
use super::replay::confirmed;
use super::report::{Bound, Counterexample, Outcome, PropertyReport, Report, collision_probability};
use super::{Budget, Strategy};
use crate::scenario::Scenario;
use stateright::{Checker, HasDiscoveries, Model};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Explores all states within a budget.
pub(super) fn search<S: Scenario>(
    scenario: &Arc<S>,
    budget: &Budget,
    progress: impl FnMut(&Progress),
) -> Report<S::Action> {
    let judged = Judged::within(scenario, budget);
    assert!(!judged.init_states().is_empty(), "{} has no initial state", scenario.model());
    let mut builder = judged.checker().threads(budget.threads.max(1)).finish_when(HasDiscoveries::AnyFailures);
    if let Some(depth) = budget.max_depth {
        // The checker counts states, not actions, and does not even judge those at its greatest depth.
        builder = builder.target_max_depth(depth.saturating_add(2));
    }
    let started = Instant::now();
    match budget.strategy {
        Strategy::Dfs => watch(builder.spawn_dfs(), budget, started, progress),
        Strategy::Bfs | Strategy::Walk { .. } => watch(builder.spawn_bfs(), budget, started, progress),
    }
}

/// Waits for the checker's threads, stops them at a bound, and says what it all means.
fn watch<S: Scenario>(
    mut checker: impl Checker<Judged<S>>,
    budget: &Budget,
    started: Instant,
    mut progress: impl FnMut(&Progress),
) -> Report<S::Action> {
    let handles = checker.handles();
    let (mut hit, mut memory) = (None, memory_in_use());
    let mut last = (Duration::ZERO, 0_u64);
    let mut pause = Duration::from_millis(1);
    while !handles.iter().all(JoinHandle::is_finished) {
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
        let elapsed = started.elapsed();
        if budget.time.is_some_and(|time| elapsed >= time) {
            hit.get_or_insert(Bound::Seconds);
            checker.model().halt();
        }
        if (elapsed - last.0).as_secs_f64() < 1.0 && budget.max_memory.is_none() {
            continue;
        }
        memory = memory.max(memory_in_use());
        if budget.max_memory.is_some_and(|most| memory >= most) {
            hit.get_or_insert(Bound::Memory);
            checker.model().halt();
        }
        if (elapsed - last.0).as_secs_f64() < 1.0 {
            continue;
        }
        let generated = checker.state_count() as u64;
        progress(&Progress {
            elapsed,
            unique_states: checker.unique_state_count() as u64,
            generated_states: generated,
            rate: (generated - last.1) as f64 / (elapsed - last.0).as_secs_f64(),
            depth: checker.max_depth().saturating_sub(1),
            memory,
        });
        last = (elapsed, generated);
    }
    let seconds = started.elapsed().as_secs_f64();
    memory = memory.max(memory_in_use());
    for handle in handles {
        if let Err(panic) = handle.join() {
            std::panic::resume_unwind(panic);
        }
    }
    report(&checker, budget, hit, seconds, memory)
}

fn report<S: Scenario>(
    checker: &impl Checker<Judged<S>>,
    budget: &Budget,
    hit: Option<Bound>,
    seconds: f64,
    memory: u64,
) -> Report<S::Action> {
    let judged = checker.model();
    let unique_states = checker.unique_state_count() as u64;
    // Every state found was also expanded: nothing is left, whatever the checker says about being done.
    let complete = judged.expanded() >= unique_states && !judged.is_halted();
    let (fired, missing_actions) = fired(judged.scenario());
    judged.end();
    let shortest = checker.discoveries().into_values().map(|path| path.into_vec()).min_by_key(Vec::len);
    let outcome = match shortest {
        Some(path) => {
            let initial = judged.init_states().iter().position(|state| *state == path[0].0);
            let actions: Vec<S::Action> = path.into_iter().filter_map(|(_, action)| action).collect();
            let initial = initial.expect("a path begins at an initial state");
            Outcome::Violated { trace: confirmed(judged, initial, &actions) }
        }
        None if complete => Outcome::Exhausted,
        None => {
            let other = if judged.is_halted() { Bound::States } else { Bound::Depth };
            Outcome::Truncated { bound: hit.unwrap_or(other) }
        }
    };
    let deepest = checker.max_depth().saturating_sub(1);
    Report {
        properties: properties(judged, &outcome),
        outcome,
        unique_states,
        generated_states: checker.state_count() as u64,
        depth: budget.max_depth.map_or(deepest, |most| deepest.min(most)),
        seconds,
        threads: budget.threads.max(1),
        memory,
        passed_over: judged.passed_over(),
        collision_probability: collision_probability(unique_states),
        fired,
        missing_actions,
    }
}

/// What fired, and what should have.
#[allow(clippy::type_complexity, reason = "two lists of names")]
pub(super) fn fired<S: Scenario>(scenario: &S) -> (Vec<(&'static str, u64)>, Vec<&'static str>) {
    let fired = scenario.fired();
    (fired.counts().filter(|(_, count)| *count > 0).collect(), fired.missing(scenario.must_fire()))
}

/// Every property with its verdict.
pub(super) fn properties<S: Scenario>(judged: &Judged<S>, outcome: &Outcome<S::Action>) -> Vec<PropertyReport> {
    let broken = match outcome {
        Outcome::Violated { trace: Counterexample { violation, .. } } => Some(violation.property),
        Outcome::Exhausted | Outcome::Truncated { .. } | Outcome::Sampled { .. } => None,
    };
    let mut names = judged.always();
    names.extend(broken.filter(|name| !names.contains(name)));
    let always = names.into_iter().map(|name| PropertyReport { name, kind: "always", holds: broken != Some(name) });
    always.chain(judged.goals().map(|(name, holds)| PropertyReport { name, kind: "sometimes", holds })).collect()
}
