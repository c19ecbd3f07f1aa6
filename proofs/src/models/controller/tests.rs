//! What the scopes reach.

use super::ControllerModel;
use crate::models::explore::explore;
use crate::scenario::Scenario;

fn exhaust(scope: &str, least: usize) {
    let model = ControllerModel::new(scope).expect("the scope exists");
    let states = explore(&model, 3_000_000, |state| {
        if let Some(violation) = &state.violation {
            panic!("{violation}");
        }
    });
    assert_eq!(model.fired().missing(model.must_fire()), [""; 0], "steps that {scope} never took");
    eprintln!("{scope}: {states} states, {}", model.bounds());
    assert!(states >= least, "{states} states");
}

#[test]
fn the_directed_scopes_hold() {
    exhaust("sessions", 1000);
    exhaust("balance", 1000);
}
