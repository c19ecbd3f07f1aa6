//! What a search showed.

use quorate_spec::Violation;
use serde::Serialize;

/// Which bound ended a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Bound {
    /// The time was up.
    Seconds,
    /// The most states were expanded, or the most steps taken.
    States,
    /// States at the greatest depth were not expanded.
    Depth,
    /// The process used the most memory.
    Memory,
}

/// Actions from an initial state to a violation. Executed again, so it is one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Counterexample<A> {
    /// Which of the initial states it starts from.
    pub initial: usize,
    /// The actions, each enabled where it is taken.
    pub actions: Vec<A>,
    /// What is wrong in the end.
    pub violation: Violation,
}

/// What a search showed.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome<A> {
    /// Every reachable state was visited, and nothing is wrong.
    Exhausted,
    /// A bound ended the search before anything was found.
    Truncated {
        /// The bound.
        bound: Bound,
    },
    /// All walks were walked, and nothing was found.
    Sampled {
        /// How many.
        walks: u64,
    },
    /// Something is wrong.
    Violated {
        /// How to get there.
        trace: Counterexample<A>,
    },
}

/// A property and whether it held everywhere (or, for a goal, somewhere).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PropertyReport {
    /// Its name.
    pub name: &'static str,
    /// `always` or `sometimes`.
    pub kind: &'static str,
    /// Whether it held as far as the search went.
    pub holds: bool,
}

/// What a search did and found.
#[derive(Clone, Debug, PartialEq)]
pub struct Report<A> {
    /// The result.
    pub outcome: Outcome<A>,
    /// Different states found. 0 for walks, which do not compare states.
    pub unique_states: u64,
    /// States generated, repeated ones too; steps, for walks.
    pub generated_states: u64,
    /// The most actions from an initial state.
    pub depth: usize,
    /// How long it took, without the replay.
    pub seconds: f64,
    /// Threads that explored.
    pub threads: usize,
    /// The most memory of this process that was seen, in bytes.
    pub memory: u64,
    /// States that break a property other than the one that was asked for. Nothing of what follows them was judged.
    pub passed_over: u64,
    /// How likely two of these states share a fingerprint, so that one of them was not explored: at most n^2 / 2^65.
    pub collision_probability: f64,
    /// How often each step of the vocabulary was taken; those never taken are left out.
    pub fired: Vec<(&'static str, u64)>,
    /// Steps that the scope enables and that were never taken.
    pub missing_actions: Vec<&'static str>,
    /// The properties judged.
    pub properties: Vec<PropertyReport>,
}

impl<A> Report<A> {
    /// Whether it is a success: all that was to be explored was, nothing is wrong, every goal was met and every step that
    /// the scope enables was taken.
    pub fn passed(&self) -> bool {
        let complete = match &self.outcome {
            Outcome::Exhausted | Outcome::Sampled { .. } => true,
            Outcome::Truncated { .. } | Outcome::Violated { .. } => false,
        };
        complete && self.missing_actions.is_empty() && self.properties.iter().all(|property| property.holds)
    }

    /// The outcome in one word.
    pub const fn word(&self) -> &'static str {
        match &self.outcome {
            Outcome::Exhausted => "exhausted",
            Outcome::Truncated { .. } => "truncated",
            Outcome::Sampled { .. } => "sampled",
            Outcome::Violated { .. } => "violated",
        }
    }

    /// The counterexample, if there is one.
    pub const fn trace(&self) -> Option<&Counterexample<A>> {
        match &self.outcome {
            Outcome::Violated { trace } => Some(trace),
            Outcome::Exhausted | Outcome::Truncated { .. } | Outcome::Sampled { .. } => None,
        }
    }
}

/// How likely `states` random fingerprints of 64 bits are not all different.
pub(super) fn collision_probability(states: u64) -> f64 {
    (states as f64).powi(2) / 2_f64.powi(65)
}
