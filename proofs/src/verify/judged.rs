//! The model that the checkers see: a scenario whose verdict is one property, whose panics are states, and that can be
//! asked to stop.

use super::{Budget, panics};
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
    /// The one property whose violation counts.
    only: Option<String>,
    /// States that break another: nothing follows them.
    passed_over: AtomicU64,
    /// States whose actions were listed for the search.
    expanded: AtomicU64,
    /// No state is expanded any more.
    halted: AtomicBool,
    /// The search is over: actions are listed again, for replays, and not counted.
    over: AtomicBool,
}

impl<S: Scenario> Judged<S> {
    pub(super) fn new(scenario: &Arc<S>) -> Self {
        Self::within(scenario, &Budget::default())
    }

    /// As a search within a budget sees it.
    pub(super) fn within(scenario: &Arc<S>, budget: &Budget) -> Self {
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
            max_states: budget.max_states.unwrap_or(u64::MAX),
            only: budget.property.clone(),
            passed_over: AtomicU64::new(0),
            expanded: AtomicU64::new(0),
            halted: AtomicBool::new(false),
            over: AtomicBool::new(false),
        }
    }

    pub(super) fn scenario(&self) -> &S {
        &self.scenario
    }

    /// The properties that must hold everywhere, as far as their violations count, each once.
    pub(super) fn always(&self) -> Vec<&'static str> {
        let own = self.always.iter().map(|property| property.name);
        let mut names: Vec<&'static str> = Vec::new();
        for name in self.scenario.properties_judged().iter().copied().chain(own).chain([CORE_PANIC]) {
            if !names.contains(&name) && self.counts(name) {
                names.push(name);
            }
        }
        names
    }

    fn counts(&self, property: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only == property)
    }

    /// States that break a property whose violation does not count.
    pub(super) fn passed_over(&self) -> u64 {
        self.passed_over.load(Ordering::Relaxed)
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

    /// Whether a state breaks a property whose violation counts.
    pub(super) fn is_violated(&self, node: &Node<S::State>) -> bool {
        if self.is_sound(node) {
            return false;
        }
        let counts = self.violation(node).is_none_or(|violation| self.counts(violation.property));
        self.passed_over.fetch_add(u64::from(!counts), Ordering::Relaxed);
        counts
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
        if self.scenario.violation(state).is_none() && (self.only.is_none() || self.is_sound(node)) {
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
        vec![Property::always("holds", |judged, node| !judged.is_violated(node))]
    }

    fn within_boundary(&self, node: &Self::State) -> bool {
        match node {
            Node::Live(state) => self.scenario.within_boundary(state),
            Node::Broken(_) => true,
        }
    }
}
