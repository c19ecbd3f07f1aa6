//! What the scopes reach, and that the judges can say no.

use super::ControllerModel;
use super::judge::Entry;
use super::state::Ghost;
use super::step::menu;
use crate::models::explore::explore;
use crate::scenario::Scenario;
use quorate_core::controller::{Answer, Change, Command, Controller};
use quorate_spec::ids::{ClientId, ConfigNum, Seq};
use stateright::Model;
use std::sync::Arc;

#[test]
fn sessions_act_once() {
    let model = ControllerModel::new("sessions").expect("the scope exists");
    let states = explore(&model, 200_000, |state| assert_eq!(state.violation, None));
    assert_eq!(model.fired().missing(model.must_fire()), [""; 0], "steps that were never taken");
    assert!(states >= 1000, "{states} states");
}

fn ask(seq: u64, change: &Change) -> Arc<Command> {
    Arc::new(Command::Change { client: ClientId::new(1), seq: Seq::new(seq), change: change.clone() })
}

/// The controller of the directed scope, after a Join of g1.
fn joined() -> (Controller, Controller, Vec<Change>, Ghost) {
    let before = ControllerModel::new("sessions").expect("the scope exists").begin();
    let (mut after, changes) = (before.clone(), menu(1, 2, false));
    let (answer, _) = after.apply(&ask(1, &changes[0]));
    let mut ghost = Ghost::default();
    let command = ask(1, &changes[0]);
    let entry = Entry { before: &before, command: &command, answer: &answer, after: &after };
    assert_eq!(entry.judge(&mut ghost, 9), Ok(()));
    (before, after, changes, ghost)
}

/// What the judges say of an entry that was answered and acted on as given.
fn verdict(before: &Controller, command: &Arc<Command>, answer: &Answer, after: &Controller, ghost: &Ghost) -> String {
    let entry = Entry { before, command, answer, after };
    entry.judge(&mut ghost.clone(), 9).expect_err("it is wrong").property.into()
}

#[test]
fn each_wrong_entry_is_named() {
    let (before, after, changes, ghost) = joined();
    let changed = |num| Answer::Changed { config: ConfigNum::new(num) };
    let join = ask(1, &changes[0]);
    assert_eq!(verdict(&before, &join, &changed(2), &after, &Ghost::default()), "Determinism");
    assert_eq!(verdict(&before, &join, &changed(1), &before, &Ghost::default()), "Determinism");
    assert_eq!(verdict(&after, &join, &changed(1), &before, &ghost), "Determinism");
    let mut forgetful = ghost.clone();
    forgetful.first.clear();
    assert_eq!(verdict(&after, &join, &changed(1), &after, &forgetful), "FirstAnswer", "a new request changed nothing");
    assert_eq!(verdict(&before, &join, &changed(1), &after, &ghost), "FirstAnswer", "it acts a second time");
    let mut other = ghost;
    other.first.values_mut().for_each(|(_, answer)| *answer = changed(7));
    assert_eq!(verdict(&after, &join, &changed(1), &after, &other), "FirstAnswer", "another first answer");
}

#[test]
fn every_property_is_shown_by_its_name() {
    let model = ControllerModel::new("default").expect("the scope exists");
    let shown: Vec<&str> = model.properties().iter().map(|property| property.name).collect();
    assert_eq!(shown, model.properties_judged());
}
