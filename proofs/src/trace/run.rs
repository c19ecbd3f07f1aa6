//! A run of a scenario, with the states around each step.

use super::svg;
use crate::scenario::Scenario;
use crate::verify::{self, Step};
use quorate_spec::Violation;
use stateright::Path;
use std::sync::Arc;

/// A run, executed: a step at a time, with what is wrong at its end.
#[derive(Clone, Debug)]
pub struct Run<S: Scenario> {
    /// Which of the initial states it starts from.
    pub initial: usize,
    /// The steps.
    pub steps: Vec<Step<S::State, S::Action>>,
}

impl<S: Scenario> Run<S> {
    /// Steps a scenario through `actions`.
    ///
    /// # Errors
    /// The place of the first action that the model does not offer, counted from 0.
    pub fn replay(scenario: &Arc<S>, initial: usize, actions: &[S::Action]) -> Result<Self, usize> {
        Ok(Self { initial, steps: verify::steps(scenario, initial, actions)? })
    }

    /// What is wrong at its end.
    pub fn violation(&self) -> Option<&Violation> {
        self.steps.last().and_then(|step| step.violation.as_ref())
    }

    /// Where each action stands among those that the model offers: what the Explorer's links are made of.
    pub fn places(&self, scenario: &S) -> Vec<usize> {
        let mut offered = Vec::new();
        let mut places = vec![self.initial];
        for step in &self.steps {
            offered.clear();
            scenario.actions(&step.before, &mut offered);
            places.extend(offered.iter().position(|other| *other == step.action));
        }
        places
    }
}

/// What a step changed, a line each.
pub(super) fn changes<S: Scenario>(scenario: &S, step: &Step<S::State, S::Action>) -> Vec<String> {
    step.after.as_ref().map(|after| scenario.changes(&step.before, after)).unwrap_or_default()
}

/// For `Model::format_step`: what a step did and changed, the violation last.
pub fn outcome_of<S: Scenario>(scenario: &S, before: &S::State, action: S::Action) -> Option<String> {
    let sentence = scenario.sentence(before, &action);
    let after = scenario.next_state(before, action)?;
    let mut text = format!("{sentence}\n");
    for line in scenario.changes(before, &after) {
        text.push_str("\n  ");
        text.push_str(&line);
    }
    Some(text)
}

/// For `Model::as_svg`: the drawing of a path.
pub fn drawing_of<S: Scenario>(scenario: &S, path: Path<S::State, S::Action>) -> Option<String> {
    let mut path = path.into_vec().into_iter().peekable();
    let mut steps = Vec::new();
    while let Some((before, Some(action))) = path.next() {
        let after = path.peek().map(|(state, _)| state.clone());
        let violation = after.as_ref().and_then(|state| scenario.violation(state)).cloned();
        steps.push(Step { before, action, after, violation });
    }
    Some(svg::draw(scenario, &Run { initial: 0, steps }))
}
