//! The scopes that end quickly hold and reach what they are for; runs read aloud.

use super::*;
use crate::verify::{Budget, Outcome, Strategy, verify};
use std::sync::Arc;

fn exhaust(scope: &str) -> u64 {
    let model = Arc::new(IdentityModel::new(scope).expect("the scope exists"));
    let report = verify(&model, &Budget::of(Strategy::Bfs), |_| {});
    let trace = report.trace().map(|trace| (&trace.violation, &trace.actions));
    assert_eq!(report.outcome, Outcome::Exhausted, "{scope}: {trace:?}");
    assert!(report.passed(), "{scope}: never fired: {:?}", report.missing_actions);
    report.unique_states
}

#[test]
fn small_scopes_hold() {
    assert!(exhaust("retired") > 100);
    assert!(exhaust("wiped") > 100);
}

#[test]
fn a_second_leader_of_a_term_is_a_violation() {
    let model = IdentityModel::new("wiped").expect("the scope exists");
    let mut state = model.begin();
    state.leaders.insert(quorate_spec::ids::Term::new(1), quorate_spec::ids::NodeId::new(3));
    let campaign = IdentityAction::Campaign { place: 0 };
    assert_eq!(model.sentence(&state, &campaign), "Node 1 stands for election.");
    // No crash is to come at this scope: what is written is synced at once.
    state = model.take(&state, campaign).expect("it changes something");
    let asked = state.network.values().find(|envelope| envelope.to.get() == 2).cloned().expect("node 2 is asked");
    let action = IdentityAction::Deliver { place: 1, envelope: asked };
    let after = model.take(&state, action.clone()).expect("it changes something");
    assert!(!model.changes(&state, &after).is_empty() && !model.strokes(&state, &action, &after).is_empty());
    state = after;
    let vote = state.network.values().find(|envelope| envelope.to.get() == 1).cloned().expect("node 2 votes");
    let state = model.take(&state, IdentityAction::Deliver { place: 0, envelope: vote }).expect("it changes something");
    assert_eq!(state.violation.map(|violation| violation.property), Some(election_safety::NAME));
}
