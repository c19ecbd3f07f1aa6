//! The scopes that end quickly hold, and reach what they are for; runs read aloud.

use super::*;
use crate::verify::{Budget, Outcome, Strategy, verify};
use quorate_spec::ids::Ticket;
use std::sync::Arc;

fn exhaust(scope: &str) -> u64 {
    let model = Arc::new(ClientModel::new(scope).expect("the scope exists"));
    let report = verify(&model, &Budget::of(Strategy::Bfs), |_| {});
    let trace = report.trace().map(|trace| (&trace.violation, &trace.actions));
    assert_eq!(report.outcome, Outcome::Exhausted, "{scope}: {trace:?}");
    assert!(report.passed(), "{scope}: never fired: {:?}", report.missing_actions);
    report.unique_states
}

#[test]
fn small_scopes_hold() {
    assert!(exhaust("start") > 1_000);
    assert!(exhaust("cuts") > 1_000);
}

/// The state after these actions.
fn run(model: &ClientModel, actions: &[ClientAction]) -> ClientState {
    let begin = model.begin();
    actions.iter().fold(begin, |state, action| {
        let mut enabled = Vec::new();
        model.actions(&state, &mut enabled);
        assert!(enabled.contains(action), "{action:?} is not among {enabled:?}");
        model.take(&state, action.clone()).expect("an enabled action leads somewhere")
    })
}

fn first(state: &ClientState) -> Ticket {
    *state.requests.keys().next().expect("a request is on its way")
}

#[test]
fn a_write_is_sent_executed_and_answered() {
    let model = ClientModel::new("default").expect("the scope exists");
    let called = run(&model, &[ClientAction::Call]);
    let ticket = first(&called);
    let executed = run(&model, &[ClientAction::Call, ClientAction::Execute { ticket }]);
    assert_eq!(executed.ghost.executions.get(&1), Some(&1));
    let action = ClientAction::Answer { ticket };
    assert_eq!(model.sentence(&executed, &action), "An answer arrives, twice: it is written, at 1/1.");
    let answered = run(&model, &[ClientAction::Call, ClientAction::Execute { ticket }, action.clone()]);
    assert_eq!(model.changes(&executed, &answered), ["the user is told of call 1: written at 1/1"]);
    assert!(model.strokes(&executed, &action, &answered).contains(&Stroke::Receive { message: 2 * ticket.get() + 1 }));
    assert!(answered.violation.is_none() && answered.timers.is_empty());
}

#[test]
fn an_execution_after_a_denial_is_a_violation() {
    let model = ClientModel::new("default").expect("the scope exists");
    let mut state = run(&model, &[ClientAction::Call]);
    let ticket = first(&state);
    state.ghost.ended.insert(1, quorate_core::client::Outcome::Refused(Reason::TooLarge.refusal()));
    let after = model.take(&state, ClientAction::Execute { ticket }).expect("it can be executed");
    assert_eq!(after.violation.map(|violation| violation.property), Some(judge::REFUSED));
}
