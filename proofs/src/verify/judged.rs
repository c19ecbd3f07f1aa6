//! The model that the checkers see: a scenario whose verdict is one property, whose panics are states, and that can be
//! asked to stop.

use super::panics;
use crate::scenario::Scenario;
use quorate_spec::Violation;
use stateright::{Expectation, Model, Property};
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The property that a panic of the core breaks.
pub const CORE_PANIC: &str = "CorePanic";

/// A state of the scenario, or what a step that panicked left.
#[derive(Clone, Debug, PartialEq, Hash)]
pub(super) enum Node<T> {
    /// A state.
    Live(T),
    /// The core panicked: nothing follows.
    Broken(Violation),
}

/// A scenario, with the counters of one search.
pub(super) struct Judged<S: Scenario> {
    scenario: Arc<S>,
    always: Vec<Property<S>>,
    goals: Vec<(Property<S>, AtomicBool)>,
    max_states: u64,
    /// States whose actions were listed for the search.
    expanded: AtomicU64,
    /// No state is expanded any more.
    halted: AtomicBool,
    /// The search is over: actions are listed again, for replays, and not counted.
    over: AtomicBool,
}

impl<S: Scenario> Judged<S> {
    pub(super) fn new(scenario: &Arc<S>, max_states: Option<u64>) -> Self {
        let (mut always, mut goals) = (Vec::new(), Vec::new());
        for property in scenario.properties() {
            match property.expectation {
                Expectation::Always => always.push(property),
                Expectation::Sometimes => goals.push((property, AtomicBool::new(false))),
                Expectation::Eventually => panic!(
                    "{} of {}: `eventually` is not checked soundly; check progress as safety",
                    property.name,
                    scenario.model()
                ),
            }
        }
        assert!(!always.is_empty(), "{} judges nothing: it has no property that always holds", scenario.model());
        Self {
            scenario: Arc::clone(scenario),
            always,
            goals,
            max_states: max_states.unwrap_or(u64::MAX),
            expanded: AtomicU64::new(0),
            halted: AtomicBool::new(false),
            over: AtomicBool::new(false),
        }
    }

    pub(super) fn scenario(&self) -> &S {
        &self.scenario
    }

    pub(super) fn always(&self) -> impl Iterator<Item = &'static str> {
        self.always.iter().map(|property| property.name)
    }

    /// The goals, and whether each was reached.
    pub(super) fn goals(&self) -> impl Iterator<Item = (&'static str, bool)> {
        self.goals.iter().map(|(property, reached)| (property.name, reached.load(Ordering::Relaxed)))
    }

    /// Expands nothing from now on.
    pub(super) fn halt(&self) {
        self.halted.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_halted(&self) -> bool {
        self.halted.load(Ordering::Relaxed)
    }

    /// Lists actions again, without counting.
    pub(super) fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    pub(super) fn expanded(&self) -> u64 {
        self.expanded.load(Ordering::Relaxed)
    }

    /// Remembers the goals that a state reaches.
    pub(super) fn note_goals(&self, state: &S::State) {
        for (property, reached) in &self.goals {
            if !reached.load(Ordering::Relaxed) && (property.condition)(&self.scenario, state) {
                reached.store(true, Ordering::Relaxed);
            }
        }
    }

    /// What is wrong with a state.
    pub(super) fn violation(&self, node: &Node<S::State>) -> Option<Violation> {
        let state = match node {
            Node::Broken(violation) => return Some(violation.clone()),
            Node::Live(state) => state,
        };
        if let Some(violation) = self.scenario.violation(state) {
            return Some(violation.clone());
        }
        let broken = self.always.iter().find(|property| !(property.condition)(&self.scenario, state))?;
        Some(Violation::new(broken.name, format!("{} does not hold here", broken.name)))
    }

    fn is_sound(&self, node: &Node<S::State>) -> bool {
        match node {
            Node::Broken(_) => false,
            Node::Live(state) => {
                self.scenario.violation(state).is_none()
                    && self.always.iter().all(|property| (property.condition)(&self.scenario, state))
            }
        }
    }
}

impl<S: Scenario> Model for Judged<S> {
    type State = Node<S::State>;
    type Action = S::Action;

    /// Each once, or the count of expanded states would not tell whether all were.
    fn init_states(&self) -> Vec<Self::State> {
        let mut states: Vec<Self::State> = Vec::new();
        for state in self.scenario.init_states() {
            let state = Node::Live(state);
            if !states.contains(&state) {
                states.push(state);
            }
        }
        states
    }

    fn actions(&self, node: &Self::State, actions: &mut Vec<Self::Action>) {
        let Node::Live(state) = node else {
            self.expanded.fetch_add(1, Ordering::Relaxed);
            return;
        };
        if !self.over.load(Ordering::Relaxed) {
            if self.halted.load(Ordering::Relaxed) {
                return;
            }
            if self.expanded.fetch_add(1, Ordering::Relaxed) >= self.max_states {
                self.halt();
                return;
            }
            self.note_goals(state);
        }
        if self.scenario.violation(state).is_none() {
            self.scenario.actions(state, actions);
        }
    }

    fn next_state(&self, node: &Self::State, action: Self::Action) -> Option<Self::State> {
        let Node::Live(state) = node else { return None };
        match panics::caught(|| self.scenario.next_state(state, action)) {
            Ok(next) => next.map(Node::Live),
            Err(message) => Some(Node::Broken(Violation::new(CORE_PANIC, message))),
        }
    }

    /// One property, so that the search neither ends early nor goes on after a violation. Each goal is noted by the way.
    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("holds", |judged, node| judged.is_sound(node))]
    }

    fn within_boundary(&self, node: &Self::State) -> bool {
        match node {
            Node::Live(state) => self.scenario.within_boundary(state),
            Node::Broken(_) => true,
        }
    }
}
