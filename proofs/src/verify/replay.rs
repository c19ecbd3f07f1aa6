//! Executing a list of actions again, and making it shorter.

use super::judged::{Judged, Node};
use super::report::Counterexample;
use crate::scenario::Scenario;
use quorate_spec::Violation;
use stateright::Model;
use std::sync::Arc;

/// Replays are stopped after so many steps: shrinking a very long walk further is not worth the wait.
const SHRINKING_STEPS: usize = 200_000;

/// One step of a replay.
#[derive(Clone, Debug)]
pub struct Step<St, A> {
    /// The state before.
    pub before: St,
    /// What was done.
    pub action: A,
    /// The state after; `None` if the core panicked.
    pub after: Option<St>,
    /// What is wrong after it.
    pub violation: Option<Violation>,
}

/// Executes `actions` from initial state `initial` and returns the violation at the end, if there is one.
///
/// # Errors
/// The first action that is not enabled, by its place.
pub fn replay<S: Scenario>(
    scenario: &Arc<S>,
    initial: usize,
    actions: &[S::Action],
) -> Result<Option<Violation>, usize> {
    let judged = Judged::new(scenario);
    judged.end();
    let mut node = judged.init_states().into_iter().nth(initial).ok_or(0_usize)?;
    for (place, action) in actions.iter().enumerate() {
        node = take(&judged, &node, action).ok_or(place)?;
    }
    Ok(judged.violation(&node))
}

/// Executes `actions` and returns every step with the states around it.
///
/// # Errors
/// The first action that is not enabled, by its place.
#[allow(clippy::type_complexity, reason = "an alias would hide what is returned")]
pub fn steps<S: Scenario>(
    scenario: &Arc<S>,
    initial: usize,
    actions: &[S::Action],
) -> Result<Vec<Step<S::State, S::Action>>, usize> {
    let judged = Judged::new(scenario);
    judged.end();
    let mut node = judged.init_states().into_iter().nth(initial).ok_or(0_usize)?;
    let mut steps = Vec::with_capacity(actions.len());
    for (place, action) in actions.iter().enumerate() {
        let Node::Live(before) = node else { return Err(place) };
        let before = Node::Live(before);
        let next = take(&judged, &before, action).ok_or(place)?;
        let Node::Live(before) = before else { return Err(place) };
        let violation = judged.violation(&next);
        let after = match &next {
            Node::Live(state) => Some(state.clone()),
            Node::Broken(_) => None,
        };
        steps.push(Step { before, action: action.clone(), after, violation });
        node = next;
    }
    Ok(steps)
}

/// The state after an action, if the action is enabled and leads somewhere.
fn take<S: Scenario>(judged: &Judged<S>, node: &Node<S::State>, action: &S::Action) -> Option<Node<S::State>> {
    let mut enabled = Vec::new();
    judged.actions(node, &mut enabled);
    let action = enabled.into_iter().find(|enabled| enabled == action)?;
    judged.next_state(node, action).filter(|next| judged.within_boundary(next))
}

/// Executes what is enabled of `actions`, up to the first violation of `property`. Returns the actions taken, if it came
/// to that.
fn reaches<S: Scenario>(
    judged: &Judged<S>,
    initial: &Node<S::State>,
    actions: &[&S::Action],
    property: &str,
    steps: &mut usize,
) -> Option<(Vec<S::Action>, Violation)> {
    let (mut node, mut taken) = (initial.clone(), Vec::new());
    let mut actions = actions.iter();
    loop {
        if let Some(violation) = judged.violation(&node) {
            return (violation.property == property).then_some((taken, violation));
        }
        let action = actions.next()?;
        *steps += 1;
        if let Some(next) = take(judged, &node, action) {
            node = next;
            taken.push((*action).clone());
        }
    }
}

/// Executes a counterexample that a search found, and drops actions as long as the same property is violated in the end.
/// What others rest on an action that is dropped falls away with it.
///
/// # Panics
/// If the actions do not lead to a violation: the model does not behave the same each time.
pub(super) fn confirmed<S: Scenario>(
    judged: &Judged<S>,
    initial: usize,
    actions: &[S::Action],
) -> Counterexample<S::Action> {
    judged.end();
    let start = judged.init_states().swap_remove(initial);
    let mut node = start.clone();
    for action in actions {
        node = take(judged, &node, action).expect("the model behaves the same when it is executed again");
    }
    let found = judged.violation(&node).expect("a counterexample is one when it is executed again");
    let mut best = Counterexample { initial, actions: actions.to_vec(), violation: found };
    let (mut chunk, mut steps) = (best.actions.len().div_ceil(2), 0);
    while chunk > 0 && steps < SHRINKING_STEPS {
        let (mut from, mut shorter) = (0, false);
        while from < best.actions.len() && steps < SHRINKING_STEPS {
            let until = (from + chunk).min(best.actions.len());
            let rest: Vec<&S::Action> = best.actions[..from].iter().chain(&best.actions[until..]).collect();
            match reaches(judged, &start, &rest, best.violation.property, &mut steps) {
                Some((actions, violation)) => {
                    best = Counterexample { initial, actions, violation };
                    shorter = true;
                }
                None => from = until,
            }
        }
        if chunk > 1 {
            chunk = chunk.div_ceil(2);
        } else if !shorter {
            break;
        }
    }
    best
}
