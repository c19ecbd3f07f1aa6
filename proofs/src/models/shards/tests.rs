//! What the scopes reach, and that their reductions lose nothing.

use super::ShardsModel;
use crate::models::explore::explore;
use crate::scenario::Scenario;

fn exhaust(scope: &str) -> usize {
    let model = ShardsModel::new(scope).expect("the scope exists");
    let states = explore(&model, 3_000_000, |state| {
        if let Some(violation) = &state.violation {
            panic!("{violation}");
        }
    });
    assert_eq!(model.fired().missing(model.must_fire()), [""; 0], "steps that {scope} never took");
    eprintln!("{scope}: {states} states, {}", model.bounds());
    states
}

#[test]
fn each_directed_scope_holds_and_reaches_what_it_is_for() {
    for scope in ["return", "rejoin", "floor", "collect", "nobody"] {
        assert!(exhaust(scope) >= 100);
    }
}

#[test]
fn the_real_drivers_hold() {
    assert!(exhaust("driver") >= 1000);
}

#[test]
fn the_real_drivers_hold_while_members_lag() {
    assert!(exhaust("stale") >= 1000);
}

#[test]
fn the_default_scope_holds() {
    assert!(exhaust("default") >= 1000);
}
