//! `verify`: the only caller of stateright's checkers, because their answers need interpreting.
//!
//! A checker that was cut off says that it is done; with one thread it ignores its timeout; it overwrites a discovery by a
//! longer one; a model without properties is one state; `eventually` misses counterexamples; its random simulation
//! misreports after an action that leads nowhere. So the checker only enumerates here. What was explored, whether that was
//! all, and what was found is decided by counting and by executing again:
//!
//! - *Exhausted* means that every state that was found was also expanded, and that nobody asked the search to stop.
//! - A counterexample is a list of actions, executed again from an initial state, shrunk, and executed once more.
//! - A panic of the core is a counterexample to `CorePanic`, not the end of the search.
//! - Random walks are our own: a seed names one walk, bit for bit.

mod judged;
mod panics;
mod progress;
mod replay;
mod report;
mod search;
mod walk;

#[cfg(test)]
mod tests;

pub use judged::CORE_PANIC;
pub(crate) use panics::caught;
pub use progress::{Printer, Progress, memory_in_use};
pub use replay::{Step, replay, steps};
pub use report::{Bound, Counterexample, Outcome, PropertyReport, Report};
pub(crate) use walk::Dice;

use crate::scenario::Scenario;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// In which order states are visited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// Nearest states first: the shortest counterexamples, the most memory.
    Bfs,
    /// Deepest states first: the least memory.
    Dfs,
    /// One random walk for each seed, of at most so many steps.
    Walk {
        /// The seeds.
        seeds: Range<u64>,
        /// The longest walk.
        steps: usize,
    },
}

/// How far a search may go. What is `None` is not bounded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Threads that explore.
    pub threads: usize,
    /// The longest time.
    pub time: Option<Duration>,
    /// The most unique states to expand (steps, for walks).
    pub max_states: Option<u64>,
    /// The most actions from an initial state.
    pub max_depth: Option<usize>,
    /// The most memory of this process, in bytes.
    pub max_memory: Option<u64>,
    /// The order.
    pub strategy: Strategy,
    /// The one property whose violation counts; nothing follows a state that breaks another.
    pub property: Option<String>,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            time: None,
            max_states: None,
            max_depth: None,
            max_memory: None,
            strategy: Strategy::Bfs,
            property: None,
        }
    }
}

impl Budget {
    /// A search without bounds.
    pub fn of(strategy: Strategy) -> Self {
        Self { strategy, ..Self::default() }
    }
}

/// Explores a scenario within a budget and says what that showed. `progress` is called about once a second.
///
/// # Panics
/// On a model that cannot be judged: no initial state, no property, or an `eventually` property, which stateright does
/// not check soundly (check progress as safety instead).
pub fn verify<S: Scenario>(scenario: &Arc<S>, budget: &Budget, progress: impl FnMut(&Progress)) -> Report<S::Action> {
    match &budget.strategy {
        Strategy::Bfs | Strategy::Dfs => search::search(scenario, budget, progress),
        Strategy::Walk { seeds, steps } => walk::walk(scenario, budget, seeds.clone(), *steps, progress),
    }
}
