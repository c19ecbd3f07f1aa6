//! What the scopes reach, and that their reductions lose nothing.

use super::ShardsModel;
use super::state::State;
use crate::scenario::Scenario;
use stateright::Model;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

fn print_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Every state of a scope, breadth first, each shown once; at most `limit`.
fn explore(model: &ShardsModel, limit: usize, mut visit: impl FnMut(&State)) -> usize {
    let mut known: HashSet<u64> = HashSet::new();
    let mut layer = model.init_states();
    known.extend(layer.iter().map(print_of));
    while !layer.is_empty() {
        let mut following = Vec::new();
        for state in &layer {
            visit(state);
            let mut steps = Vec::new();
            model.actions(state, &mut steps);
            for step in steps {
                let Some(next) = model.next_state(state, step) else { continue };
                if known.insert(print_of(&next)) {
                    following.push(next);
                }
            }
            assert!(known.len() <= limit, "more than {limit} states");
        }
        layer = following;
    }
    known.len()
}

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
