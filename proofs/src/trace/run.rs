//! A run of a scenario: its states and the actions between them.

use super::svg;
use crate::scenario::Scenario;
use stateright::Path;

/// `actions[i]` leads from `states[i]` to `states[i + 1]`.
#[derive(Clone, Debug)]
pub struct Run<S: Scenario> {
    /// One more than there are actions.
    pub states: Vec<S::State>,
    /// What happened.
    pub actions: Vec<S::Action>,
}

impl<S: Scenario> Run<S> {
    /// Steps a scenario through `actions` from its first initial state. `enabled` demands that the model offers each of them.
    ///
    /// # Errors
    /// The number of the first step that the scenario does not take, counted from 1.
    pub fn replay(scenario: &S, actions: &[S::Action]) -> Result<Self, usize> {
        let first = scenario.init_states().into_iter().next().ok_or(0_usize)?;
        let mut run = Self { states: vec![first], actions: Vec::with_capacity(actions.len()) };
        let mut offered = Vec::new();
        for (place, action) in actions.iter().enumerate() {
            let before = run.last();
            offered.clear();
            scenario.actions(before, &mut offered);
            let after = offered.contains(action).then(|| scenario.next_state(before, action.clone())).flatten();
            run.states.push(after.ok_or(place + 1)?);
            run.actions.push(action.clone());
        }
        Ok(run)
    }

    /// The state at its end.
    pub fn last(&self) -> &S::State {
        self.states.last().expect("a run has at least its initial state")
    }

    /// Where each action stands among those that the model offers: what the Explorer's links are made of, after the 0
    /// of the initial state.
    pub fn places(&self, scenario: &S) -> Vec<usize> {
        let mut offered = Vec::new();
        let mut places = vec![0];
        for (state, action) in self.states.iter().zip(&self.actions) {
            offered.clear();
            scenario.actions(state, &mut offered);
            places.extend(offered.iter().position(|other| other == action));
        }
        places
    }
}

/// For `Model::format_step`: what a step changed, a line each.
pub fn outcome_of<S: Scenario>(scenario: &S, before: &S::State, action: S::Action) -> Option<String> {
    let sentence = scenario.sentence(before, &action);
    let after = scenario.next_state(before, action)?;
    let mut text = format!("{sentence}\n");
    for line in scenario.changes(before, &after) {
        text.push_str("\n  ");
        text.push_str(&line);
    }
    if let Some(violation) = scenario.violation(&after) {
        text.push_str(&format!("\n\n{violation}"));
    }
    Some(text)
}

/// For `Model::as_svg`: the drawing of a path.
pub fn drawing_of<S: Scenario>(scenario: &S, path: Path<S::State, S::Action>) -> Option<String> {
    let (mut states, mut actions) = (Vec::new(), Vec::new());
    for (state, action) in path.into_vec() {
        states.push(state);
        actions.extend(action);
    }
    Some(svg::draw(scenario, &Run { states, actions }))
}
